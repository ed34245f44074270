// The customer's record in the CRM, opened by itself where the agent asks for that: once for each call, whatever the number
// of tabs, by the one that was chosen to speak. What was opened is kept for all tabs of this browser and for a page loaded anew.

import { all, find, key, now, recall, remember } from "./page.js";
import { gettext } from "./texts.js";

const PREFIX = "ficha:";
const DAY_MS = 86_400_000;
const TALKING = ["talking", "held"];
const WHEN = { ring: ["ringing", "ordered", "accepted", "ongoing", ...TALKING], answer: TALKING };
const opened = new Set(); // for a browser without storage
let speaks = false;

/** `mine`: this is the tab that was chosen to speak. */
export function mayOpen(mine) {
  speaks = mine;
  all("#cartoes .card").forEach(openRecord);
}

/** Opens the record of the card's call if it is time to. */
export function openRecord(card) {
  const { call, record, opens, state } = card.dataset;
  if (!speaks || !record || !WHEN[opens]?.includes(state) || wasOpened(call)) return;
  opened.add(call);
  remember(PREFIX + call, now());
  const told = new CustomEvent("cti:record", { cancelable: true, detail: { call, address: record } });
  if (!document.dispatchEvent(told)) return; // the page of the CRM around the panel opens it (panel.js)
  const tab = window.open("about:blank", "_blank");
  if (!tab) { sayBlocked(record); return; }
  tab.opener = null; // the CRM's page has no hold on this one
  tab.location.replace(record);
}

const wasOpened = (call) => opened.has(call) || recall(PREFIX + call) !== null;

function sayBlocked(address) {
  const [box, words, link, close] = ["div", "p", "a", "button"].map((name) => document.createElement(name));
  box.className = "notice refused";
  words.textContent = gettext("The browser did not let the CRM open by itself: allow pop-ups for this address.");
  Object.assign(link, { href: address, target: "_blank", rel: "noopener noreferrer", textContent: gettext("Open in the CRM") });
  Object.assign(close, { type: "button", className: "quiet", textContent: gettext("Close") });
  close.dataset.dismissNotice = "";
  box.append(words, link, close);
  find("#aviso").replaceChildren(box);
}

export function prepareRecords() {
  try {
    const old = (name) => name.startsWith(key(PREFIX)) && now() - Number(localStorage.getItem(name)) > DAY_MS;
    Object.keys(localStorage).filter(old).forEach((name) => localStorage.removeItem(name));
  } catch { /* no storage */ }
}
