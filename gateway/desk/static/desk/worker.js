// The shared worker: one for all tabs of a session, each at a port of its own.

import { Relay } from "./relay.js";

const ports = new Map();
const relay = new Relay((to, message) => (to === null ? [...ports.values()] : [ports.get(to)]).forEach((port) => port?.postMessage(message)));

addEventListener("connect", (event) => {
  const [port] = event.ports;
  port.onmessage = ({ data }) => {
    if (data.type === "join") ports.set(data.from, port);
    relay.hear(data.from, data);
    if (data.type === "bye") ports.delete(data.from);
  };
});
