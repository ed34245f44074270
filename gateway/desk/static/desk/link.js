// How this page hears of events: by the shared worker of all tabs, else by the tab that they elect, else by itself.

import { Elected } from "./elected.js";
import { isBefore } from "./positions.js";
import { Relay } from "./relay.js";

const SILENCE_MS = 7500; // a relay says how it stands every 3 s
const ANSWER_MS = 2000;
const WORKER_MS = 8000; // a worker that does not answer by then (an old browser cannot load modules there) never will

export class Link {
  /** `place` as a stream needs it, and `worker`, `channel`; hooks: `told(kind, data)`, `stated`, `spoken(speaker)`, `left(who)`. */
  constructor(place, seq, whole, hooks) {
    Object.assign(this, { place, seq, whole, hooks, by: null, heard: Date.now(), traits: { sounds: false, visible: true, focused: 0 } });
    this.id = Math.random().toString(36).slice(2);
    this.since = Date.now();
    this.way = this.choose();
    this.join();
    this.timer = setInterval(() => this.watch(), 1000);
  }

  choose() {
    if ("SharedWorker" in window) return new ByWorker(this);
    return this.withoutWorker();
  }

  withoutWorker() {
    const ears = { receive: (message) => this.receive(message), follow: () => this.join() };
    if ("BroadcastChannel" in window) return new Elected(this.place.channel, this.id, ears);
    return new Alone(this);
  }

  /** The worker cannot be used: do without, for as long as this page lives. */
  giveUpWorker() {
    if (!(this.way instanceof ByWorker)) return;
    this.way.close();
    this.way = this.withoutWorker();
    this.join();
  }

  join() {
    this.by = null;
    this.asked = Date.now();
    const { seq, whole, place, traits } = this;
    this.way?.send({ type: "join", seq, whole, place: { ...place }, traits });
  }

  describe(traits) {
    Object.assign(this.traits, traits);
    this.way.send({ type: "here", traits: this.traits });
  }

  hurry() { this.way.send({ type: "hurry" }); }

  /** The page is being left; the browser may bring it back as it was. */
  pause() {
    this.way.send({ type: "bye" });
    this.way.close();
    clearInterval(this.timer);
  }

  resume() {
    this.since = this.heard = Date.now();
    this.way.reopen();
    this.timer = setInterval(() => this.watch(), 1000);
    this.join();
  }

  watch() {
    const time = Date.now();
    if (this.by === null && time - this.asked > ANSWER_MS) this.join();
    if (time - this.heard <= SILENCE_MS) return;
    this.hooks.stated("lost");
    if (this.by === null && time - this.since > WORKER_MS) this.giveUpWorker();
    else if (time - this.asked > SILENCE_MS) this.revive();
  }

  revive() {
    this.since = Date.now();
    this.way.revive();
    this.join();
  }

  receive(message) {
    if (message.type === "welcome") this.welcome(message);
    if (message.by !== this.by) return; // of a relay that this page has not joined: it would miss what came before
    this.heard = Date.now();
    if (message.type === "event") this.hear(message);
    if (message.type === "state") this.beat(message.state);
    if (message.type === "speaker") this.hooks.spoken(message.speaker);
    if (message.type === "leave") this.hooks.left(message.who);
  }

  welcome({ by, state, speaker }) {
    this.by = by;
    this.hooks.spoken(speaker);
    this.hooks.stated(state);
  }

  beat(state) {
    this.hooks.stated(state);
    this.way.send({ type: "here", traits: this.traits });
  }

  /** Each event once, in order; a page knows what happened before it was written. */
  hear({ kind, id, data, again }) {
    const isNew = isBefore(this.seq, id);
    if (kind !== "reset" && !isNew && !again) return;
    if (kind === "reset" || isNew) this.seq = id;
    if (kind !== "pulse") this.hooks.told(kind, JSON.parse(data));
  }
}

class ByWorker {
  constructor(link) {
    this.link = link;
    this.reopen();
  }

  send(message) { this.port.postMessage({ ...message, from: this.link.id }); }

  /** After a crash of the worker a new one is started. */
  reopen() {
    const worker = new SharedWorker(this.link.place.worker, { type: "module", name: this.link.place.channel });
    worker.onerror = () => this.link.giveUpWorker();
    this.port = worker.port;
    this.port.onmessage = ({ data }) => this.link.receive(data);
  }

  revive() {
    this.close();
    this.reopen();
  }

  close() { this.port.close(); }
}

class Alone {
  constructor(link) {
    this.link = link;
    this.reopen();
  }

  send(message) { this.relay.hear("me", message); }

  reopen() { this.relay = new Relay((_to, message) => queueMicrotask(() => this.link.receive(message))); }

  revive() { /* there is nobody else */ }

  close() { this.relay.close(); }
}
