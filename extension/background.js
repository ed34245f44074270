// The service worker: dials for the pages, and tells them of calls. It has the token; the pages' scripts never see it.
// It lives while a page with numbers is open, because that page speaks to it now and then.

import { ask, dial, Refused } from "./api.js";
import { register, settings } from "./settings.js";
import { Stream } from "./stream.js";

const KINDS = ["call_started", "call_answered", "call_ended"];
const ports = new Set();
let stream = null;
let state = "lost";

chrome.runtime.onInstalled.addListener(register);
chrome.runtime.onStartup.addListener(register);
chrome.permissions.onRemoved.addListener(register);
chrome.storage.onChanged.addListener((changed) => {
  if (changed.gateway || changed.token) restart();
  if (changed.sites) register();
});

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== "page") return;
  ports.add(port);
  port.onMessage.addListener((message) => heard(port, message));
  port.onDisconnect.addListener(() => part(port));
  port.postMessage({ type: "state", state });
  if (!stream) restart();
});

function part(port) {
  ports.delete(port);
  if (ports.size) return;
  stream?.close();
  stream = null;
}

async function heard(port, message) {
  if (message.type !== "dial") return; // anything else only keeps this worker awake
  const answer = await tried(message.number);
  if (ports.has(port)) port.postMessage({ type: "dialled", id: message.id, ...answer });
}

async function tried(number) {
  try {
    const { ok, message } = await dial(String(number).slice(0, 64));
    return { ok, message };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, message: error.message };
    throw error;
  }
}

const tell = (message) => ports.forEach((port) => port.postMessage(message));

async function restart() {
  stream?.close();
  stream = null;
  const { gateway, token } = await settings();
  if (!gateway || !token || !ports.size) return stated("revoked");
  if (!stream) stream = new Stream((kind, event) => KINDS.includes(kind) && !event.repeat && told(kind, event, gateway), stated);
}

/** The card is shown at once; the account's link into the CRM comes behind, where the gateway has one. */
async function told(kind, event, gateway) {
  tell({ type: "event", kind, event, gateway });
  if (kind !== "call_started" || !event.account_id) return;
  try {
    const { link } = await ask(`/api/accounts/${Number(event.account_id)}`);
    if (link) tell({ type: "link", id: event.call_id, link });
  } catch { /* a card without the link */ }
}

function stated(next) {
  state = next;
  if (next === "revoked") stream = null;
  tell({ type: "state", state });
}
