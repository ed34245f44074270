// The cards of calls: shown, kept up to date, sent away.

import { arrange, isOver, prepareCardSizes } from "./arrange.js";
import { forgetDismissed, isDismissed, rememberDismissed, watchDismissed } from "./dismissed.js";
import { inUse, morph } from "./morph.js";
import { all, backOff, find, now, page, pause } from "./page.js";
import { oneAtATime, piece, surely } from "./pieces.js";
import { forgetSeen, watchSeen } from "./receipts.js";
import { openRecord } from "./records.js";
import { hideNotice, notify, ring, rings } from "./ringing.js";
import { sinceOf, standIn, stateOf, wordsOf } from "./standin.js";

const RING_MS = 45000; // nobody lets it ring longer; afterwards the call is taken for a conversation
const ORDER_MS = 120000; // an order that the exchange says no more of
const STAY_MS = 90000; // how long a card stays when its call is over
const TAKEN_STAY_MS = 15000; // when somebody else took it, who is named meanwhile
const MOST_OVER = 3;
const STAND_IN_MS = 800; // a card that takes longer is first shown from what the event says
const MOST_TRIES = 40; // about ten minutes

const BEGIN = ["call_started", "call_answered", "order_placed", "order_settled"];
const QUIET = ["call_held", "call_resumed", "call_transferred", "queue_entered", "queue_left", "call_ended", "call_noted", "call_lost", "account_chosen"]; // of which no card comes up
const MOVE_ON = ["order_settled", "call_answered", "call_held", "call_resumed", "call_transferred", "call_ended", "call_lost"]; // of a call that is heard of again the card knows more

const cards = find("#cartoes");
const loaded = Date.now();
const loading = new Map(); // call id -> what is to be done about it
const cardOf = (id) => find(`#ligacao-${id}`);

/** An event about call `told.call_id`. What is over, or was only heard again, never brings up a card that is not there. */
export function heardOf(kind, told) {
  const late = kind === "call_answered" && told.status !== "talking";
  const quiet = late || told.late || QUIET.includes(kind); // told.late: it was kept while the database was away
  const known = cardOf(told.call_id) || loading.has(told.call_id);
  if (!quiet || known) showCard(told.call_id, { kind: told.repeat ? "repeat" : kind, told });
}

/** Too much was missed: everything is read anew. */
export function refreshCards() {
  all(".card", cards).forEach((card) => showCard(Number(card.dataset.call), { kind: "reset" }));
  fetchCards();
}

// ---- loading -----------------------------------------------------------------------------------

async function showCard(id, { kind, told }) {
  if (isDismissed(id)) return;
  const known = loading.get(id);
  if (known) { Object.assign(known, { again: true, tries: 0, told: told || known.told }); known.wake?.(); return; }
  const job = { kind, told, tries: 0, again: true };
  loading.set(id, job);
  try {
    while (job.again && job.tries < MOST_TRIES && !isDismissed(id)) await load(id, job);
  } finally { loading.delete(id); }
}

async function load(id, job) {
  job.again = false;
  const slow = setTimeout(() => fillIn(id, job), STAND_IN_MS);
  const { text, gone } = await piece(page.card.replace(/0$/, id));
  clearTimeout(slow);
  const card = text && cardIn(text);
  if (card) place(card, job.kind);
  else if (!gone) await waitForNext(id, job);
}

/** The card did not come: the event's own words stand in for it, and it is asked for again. */
async function waitForNext(id, job) {
  fillIn(id, job);
  const woken = new Promise((wake) => { job.wake = wake; });
  await Promise.race([pause(backOff(job.tries)), woken]);
  job.tries += 1;
  job.again = true;
}

function fillIn(id, { kind, told }) {
  const old = cardOf(id);
  if (!told?.direction || isDismissed(id)) return;
  if (!old && BEGIN.includes(told.kind)) place(standIn(told), kind);
  if (old && MOVE_ON.includes(told.kind)) keepUp(old, stateOf(told));
  if (old && ["talking", "held"].includes(stateOf(told))) old.dataset.since = sinceOf(told);
}

/** An old card that cannot be loaded anew at least says what its call is doing. */
function keepUp(card, state) {
  if (card.dataset.state === state || !wordsOf(state)) return;
  card.classList.replace(card.dataset.state, state);
  card.dataset.state = state;
  find(".state .words", card).textContent = wordsOf(state);
  if (isOver(card)) find("[data-elapsed]", card)?.removeAttribute("data-elapsed");
  if (!rings(card)) hideNotice(card);
  ring();
}

function cardIn(text) {
  const box = document.createElement("template");
  box.innerHTML = text;
  return find(".card", box.content);
}

const fetchCards = oneAtATime(async (wanted) => {
  const box = document.createElement("template");
  box.innerHTML = (await surely(page.cards, wanted)) || "";
  all(".card", box.content).reverse().forEach((card) => {
    if (!cardOf(card.dataset.call) && !isDismissed(Number(card.dataset.call))) put(card, null);
  });
  ring();
});

// ---- showing -----------------------------------------------------------------------------------

function place(card, kind) {
  const old = cardOf(card.dataset.call);
  if (isDismissed(Number(card.dataset.call))) return;
  const before = old?.dataset.state;
  const shown = put(card, old);
  if (before !== shown.dataset.state) announce(shown);
  if (kind === "call_started" && rings(shown)) notify(shown);
  if (!rings(shown)) hideNotice(shown);
  ring();
}

function put(card, old) {
  const shown = old || card;
  if (old) morph(old, card);
  else {
    card.classList.add("arrives");
    cards.prepend(card);
    htmx.process(card);
  }
  shown.dataset.shown = Date.now();
  openRecord(shown);
  watchSeen(shown);
  all(".card", cards).filter((each) => isOver(each) && !inUse(each)).slice(MOST_OVER).forEach(remove);
  arrange();
  return shown;
}

function announce(card) { find("#anuncio").textContent = card.dataset.said.replace(/\s+/g, " "); }

// ---- going -------------------------------------------------------------------------------------

function mayGo(card) {
  const used = card.matches(":hover, :focus-within") || inUse(card) || all("audio", card).some((audio) => !audio.paused);
  const taken = card.dataset.state === "elsewhere";
  const limit = taken ? TAKEN_STAY_MS : isOver(card) ? STAY_MS : ORDER_MS;
  const waits = isOver(card) || ["ordered", "accepted", "unknown"].includes(card.dataset.state);
  return waits && !used && Date.now() - Number(card.dataset.shown || loaded) > limit;
}

function remove(card) {
  hideNotice(card);
  forgetSeen(card);
  card.remove();
  ring();
}

/** Shows a card again that was dismissed. */
export function bringBack(id) {
  forgetDismissed(id);
  showCard(id, { kind: "reset" });
}

export function dismiss(card) {
  rememberDismissed(Number(card.dataset.call));
  const next = card.contains(document.activeElement) && (card.nextElementSibling || card.previousElementSibling);
  remove(card);
  if (next) next.focus();
}

// ---- time --------------------------------------------------------------------------------------

export function tick() {
  all(".card", cards).filter(mayGo).forEach(remove);
  all(".card", cards).forEach(age);
}

function age(card) {
  const elapsed = now() - Number(card.dataset.since);
  const clock = find("[data-elapsed]", card);
  if (clock) clock.textContent = duration(elapsed);
  if (card.dataset.state === "ringing" && elapsed > RING_MS) keepUp(card, "ongoing");
}

export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

export function removeDismissed() {
  all(".card", cards).filter((card) => isDismissed(Number(card.dataset.call))).forEach(remove);
}

/** Takes the page's own cards over. */
export function prepareCards() {
  removeDismissed();
  all(".card", cards).forEach(watchSeen);
  watchDismissed((id) => { const card = cardOf(id); if (card) remove(card); }, bringBack);
  prepareCardSizes();
  if ("floating" in cards.dataset) fetchCards();
  ring();
}
