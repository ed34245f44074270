// The panel inside a page of the CRM: speaks with that page, which brings cti.js. Only pages that the company names are
// listened to, and all that is said goes by the port that such a page sent: nobody else can hear it, or speak there.

import { all, find, formHeaders, page } from "./page.js";
import { patience } from "./stream.js";
import { gettext } from "./texts.js";

const VERSION = 1;
const DIAL_MS = 30000;
const KINDS = { call_started: "call", call_answered: "answer", call_ended: "end" };
const named = JSON.parse(page.origins);
let port = null;

addEventListener("message", ({ source, origin, data, ports }) => {
  if (source !== window.parent || source === window || !named.includes(origin)) return;
  if (data?.cti !== VERSION || data.type !== "hello" || !ports[0]) return;
  port?.close();
  [port] = ports;
  port.onmessage = (message) => heard(message.data);
  say({ type: "welcome", version: VERSION, agent: { login: page.user, name: page.name, extension: page.extension } });
  opensRecords = false;
});

const say = (message) => port?.postMessage(message);

function heard(message) {
  if (message?.type === "dial") dial(message);
  if (message?.type === "opens") { opensRecords = true; offerRecords(); }
}

async function dial({ id, number, requestId }) {
  try {
    const headers = { ...formHeaders(), "Content-Type": "application/json" };
    const body = JSON.stringify({ number: String(number ?? ""), appliance: find("#central").value, request_id: String(requestId ?? "") });
    const answer = await fetch(page.dial, { method: "POST", headers, body, signal: patience(DIAL_MS) });
    const told = await answer.json();
    say({ type: "dialled", id, ok: told.ok, outcome: told.outcome ?? "refused", code: told.code ?? null, message: told.message, callId: told.call_id ?? null });
  } catch {
    say({ type: "dialled", id, ok: false, outcome: "unknown", code: null, message: gettext("That did not work. Try again in a moment."), callId: null });
  }
}

/** A call as the CRM's page is told of it: the documented names, nothing else of the event or of the log. */
function callOf(told) {
  const moment = (at) => (typeof at === "number" ? new Date(at).toISOString() : at || null);
  return {
    id: told.call_id ?? told.id, direction: told.direction, extension: told.extension, number: told.number || "", status: told.status || "",
    account: told.account_name || told.account || "", accountId: told.account_id ?? null, accountCode: told.account_code || "", contact: told.contact || "",
    startedAt: moment(told.started_at), answeredAt: moment(told.answered_at), endedAt: moment(told.ended_at), result: told.result || "",
  };
}

document.addEventListener("cti:told", ({ detail: { kind, event } }) => {
  const isOld = event.repeat || (event.late && kind !== "call_ended"); // nothing that should still pop up
  if (KINDS[kind] && !isOld) say({ type: KINDS[kind], call: callOf(event) });
});

// ---- records -----------------------------------------------------------------------------------

const cards = find("#cartoes");
let opensRecords = false; // whether the page around has said that it opens records itself

/** A card without a link into the CRM gets a button by which the CRM's page opens the customer's record. */
function offerRecords() {
  if (!opensRecords) return;
  for (const card of all(".card[data-call]", cards)) {
    if (find("a.crm, [data-in-crm]", card)) continue;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: gettext("Open in the CRM") });
    button.dataset.inCrm = "";
    (find("footer", card) || card).append(button);
  }
}

async function openRecord(id, link = "") {
  try {
    const answer = await fetch(page.apiCall.replace(/0$/, id), { headers: { ...formHeaders(), "X-Requested-With": "desk" }, signal: patience(DIAL_MS) });
    if (answer.ok) say({ type: "record", call: { ...callOf(await answer.json()), link } });
  } catch { /* the card stays, and the agent tries again */ }
}

document.addEventListener("click", (event) => {
  const wanted = opensRecords && event.target.closest(".card a.crm, .card [data-in-crm]");
  if (!wanted) return;
  event.preventDefault();
  openRecord(wanted.closest(".card").dataset.call, wanted.href || "");
});

/** What the agent has opened by itself (records.js) goes to the page around instead of to a new tab. */
document.addEventListener("cti:record", (event) => {
  if (!opensRecords) return;
  event.preventDefault();
  openRecord(event.detail.call, event.detail.address);
});

new MutationObserver(offerRecords).observe(cards, { childList: true, subtree: true });
