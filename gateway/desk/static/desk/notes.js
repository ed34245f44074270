// What the agent writes of a call is saved while it is typed. Until the gateway has it, it is kept in this browser, for
// each call and tab: a page that opens later takes it up, be it that the gateway was away, the session over, the tab closed.

import { all, backOff, find, formHeaders, key, pause } from "./page.js";
import { checkSession } from "./session.js";
import { patience } from "./stream.js";
import { clockTime, gettext } from "./texts.js";

const TYPED_MS = 700;
const PATIENCE_MS = 10000;
const LEFT_MS = 30000; // a draft that no tab has touched for so long is nobody's: any tab takes it up
const READ_AGAIN_MS = 3000;
const LOOK_MS = 10000;
const FORGET_MS = 30 * 86_400_000;
const PREFIX = key("anotacao:");

const tab = tabName();
const here = new Map(); // drafts, for a browser without storage

function tabName() {
  const fresh = Math.random().toString(36).slice(2);
  try {
    const known = sessionStorage.getItem(key("aba")) || fresh;
    sessionStorage.setItem(key("aba"), known);
    return known;
  } catch { return fresh; }
}

// ---- drafts ------------------------------------------------------------------------------------

const nameOf = (form) => `${PREFIX}${form.dataset.note}:${tab}`;

function keep(name, draft) {
  here.set(name, draft);
  try { localStorage.setItem(name, JSON.stringify(draft)); } catch { /* no storage, or full */ }
}

function forget(name) {
  here.delete(name);
  try { localStorage.removeItem(name); } catch { /* no storage */ }
}

function drafts() {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    return names.map((name) => [name, JSON.parse(localStorage.getItem(name))]).filter(([, draft]) => draft);
  } catch { return [...here]; }
}

const callOf = (name) => name.slice(PREFIX.length).split(":")[0];
const isLeft = (name, draft) => name.endsWith(`:${tab}`) || Date.now() - draft.at > LEFT_MS;

// ---- a form ------------------------------------------------------------------------------------

const field = (form, name) => form.elements[name];

function read(form) {
  return { text: field(form, "texto").value, outcome: field(form, "desfecho")?.value || "", follow_up: field(form, "retorno").value };
}

const same = (one, other) => ["text", "outcome", "follow_up"].every((name) => (one[name] || "").trimEnd() === (other[name] || "").trimEnd());

function fill(form, content) {
  field(form, "texto").value = content.text;
  if (field(form, "desfecho")) field(form, "desfecho").value = content.outcome || "";
  field(form, "retorno").value = content.follow_up || "";
}

/** What the gateway has of the note, so that a page that is brought up to date knows what was typed since. */
function settle(form, content, revision) {
  form.dataset.revision = revision;
  field(form, "revisao").value = revision;
  field(form, "texto").defaultValue = content.text;
  field(form, "retorno").defaultValue = content.follow_up || "";
  for (const option of field(form, "desfecho")?.options || []) option.defaultSelected = option.value === (content.outcome || "");
}

const theirs = (note) => ({ text: note.text, outcome: note.outcome || "", follow_up: note.follow_up_local || "" });

/** Other forms of the same call on this page, such as the card's beside the page's own, in which nothing was typed. */
const twins = (form) => all(`form[data-note="${form.dataset.note}"]:not(.dirty)`).filter((each) => each !== form);

function show(form, content, revision) {
  fill(form, content);
  settle(form, content, revision);
}

/** Somebody begins to write: what others have written since the page was loaded is shown first. */
async function refresh(form) {
  if (form.classList.contains("dirty") || Date.now() - (form.read || 0) < READ_AGAIN_MS) return;
  form.read = Date.now();
  try {
    const answer = await fetch(form.dataset.address, { headers: { ...formHeaders(), "X-Requested-With": "desk" }, signal: patience(PATIENCE_MS) });
    const note = answer.ok && await answer.json();
    if (note && note.revision > Number(form.dataset.revision) && !form.classList.contains("dirty")) show(form, theirs(note), note.revision);
  } catch { /* what others wrote is told when this is saved */ }
}

function say(form, text, bad = false) {
  const line = find(".saved", form);
  line.textContent = text;
  line.classList.toggle("bad", bad);
}

function typed(form) {
  form.classList.add("dirty");
  keep(nameOf(form), { ...read(form), revision: Number(form.dataset.revision), address: form.dataset.address, at: Date.now() });
  if (form.other) return; // first it is said what becomes of the other text
  say(form, gettext("saving…"));
  clearTimeout(form.timer);
  form.timer = setTimeout(() => save(form), TYPED_MS);
}

// ---- saving ------------------------------------------------------------------------------------

async function put(address, content) {
  const headers = { ...formHeaders(), "Content-Type": "application/json", "X-Requested-With": "desk" };
  try {
    const answer = await fetch(address, { method: "PUT", headers, body: JSON.stringify(content), keepalive: true, signal: patience(PATIENCE_MS) });
    return { status: answer.status, told: await answer.json().catch(() => ({})) };
  } catch { return { status: 0, told: {} }; }
}

/** Saves, one request at a time, until the gateway has what stands in the form, or refuses it. */
async function save(form, finished = false) {
  clearTimeout(form.timer);
  form.finish = form.finish || finished;
  if (form.saving || form.other) return;
  form.saving = true;
  try {
    for (let tries = 0; await attempt(form, tries); tries += 1) await pause(backOff(tries));
  } finally { form.saving = false; }
}

/** One attempt; whether there has to be another one. */
async function attempt(form, tries) {
  const [content, finish] = [read(form), Boolean(form.finish)];
  const { status, told } = await put(form.dataset.address, { ...content, revision: Number(form.dataset.revision), finished: finish });
  if (status === 200) return took(form, content, told.note, finish);
  if (status === 409 && told.note) return differs(form, told.note, told.message);
  form.finish = false;
  if (status === 401 || status === 403) checkSession();
  if (status >= 400 && status < 500 && status !== 429) {
    say(form, told.message || gettext("This cannot be saved."), true);
    return false;
  }
  form.finish = finish;
  if (tries > 0) say(form, gettext("Not saved yet. The text is kept in this browser, and sent as soon as that is possible."), true);
  keepOn(form);
  return true;
}

/** The draft is this tab's as long as it tries. */
function keepOn(form) {
  if (form.classList.contains("dirty")) keep(nameOf(form), { ...read(form), revision: Number(form.dataset.revision), address: form.dataset.address, at: Date.now() });
}

function took(form, content, note, finished) {
  settle(form, content, note.revision);
  twins(form).forEach((twin) => show(twin, content, note.revision));
  if (finished) form.finish = false;
  if (!same(read(form), content)) return true; // more was typed meanwhile
  form.classList.remove("dirty");
  forget(nameOf(form));
  say(form, gettext("saved at {time}", { time: clockTime(new Date()) }));
  return Boolean(form.finish);
}

/** Somebody else, or another tab, has written meanwhile: both texts are shown, and nothing is saved before it is said which. */
function differs(form, note, message) {
  form.finish = false;
  const mine = read(form);
  form.dataset.revision = note.revision;
  field(form, "revisao").value = note.revision;
  if (same(mine, theirs(note))) return took(form, mine, note, false);
  form.other = theirs(note);
  const box = find(".conflict", form);
  find(".who", box).textContent = message || gettext("{who} has written in this note meanwhile.", { who: note.author_name || "" });
  find(".said", box).textContent = note.text;
  box.hidden = false;
  say(form, gettext("Your text is kept in this browser until you have chosen."), true);
  return false;
}

function decide(form, both) {
  const [other, mine] = [form.other, read(form)];
  form.other = null;
  find(".conflict", form).hidden = true;
  const joined = { text: `${other.text}\n\n${mine.text}`.trim(), outcome: mine.outcome || other.outcome, follow_up: mine.follow_up || other.follow_up };
  fill(form, both ? joined : other);
  typed(form);
  save(form);
}

// ---- what was left -----------------------------------------------------------------------------

/** Takes up what this tab, or one that has gone, did not get to the gateway. */
function takeUp() {
  for (const [name, draft] of drafts()) {
    const form = find(`form[data-note="${CSS.escape(callOf(name))}"]`);
    if (Date.now() - draft.at > FORGET_MS) forget(name);
    else if (isLeft(name, draft) && !(form && (form.saving || form.other || form.classList.contains("dirty")))) {
      if (form) restore(form, name, draft);
      else if (!draft.refused) sendAlone(name, draft);
    }
  }
}

function restore(form, name, draft) {
  const known = read(form);
  if (name !== nameOf(form)) forget(name);
  if (same(known, draft)) { forget(name); return; }
  fill(form, draft);
  if (draft.revision === Number(form.dataset.revision) || same(known, { text: "" })) { typed(form); save(form); return; }
  form.classList.add("dirty");
  keep(nameOf(form), { ...draft, at: Date.now() });
  differs(form, { ...known, follow_up_local: known.follow_up, revision: Number(form.dataset.revision) }, gettext("Something else was saved in this note meanwhile."));
}

/** Sends a draft whose call is not on this page. One that is refused waits until its call is opened. */
async function sendAlone(name, draft) {
  keep(name, { ...draft, at: Date.now() });
  const { status, told } = await put(draft.address, { text: draft.text, outcome: draft.outcome, follow_up: draft.follow_up, revision: draft.revision });
  if (status === 200 || (told.note && same(theirs(told.note), draft))) forget(name);
  else if (status >= 400 && status < 500 && ![401, 403, 429].includes(status)) keep(name, { ...draft, refused: true });
}

// ---- the page ----------------------------------------------------------------------------------

function changed(event) {
  const form = event.target.closest?.("form[data-note]");
  if (!form) return;
  const outcome = field(form, "desfecho");
  if (outcome) field(form, "retorno").required = Boolean(outcome.selectedOptions[0]?.hasAttribute("data-asks"));
  if (event.target === outcome && field(form, "retorno").required && !field(form, "retorno").value) field(form, "retorno").focus();
  typed(form);
}

function submitted(event) {
  if (!event.target.matches?.("form[data-note]")) return;
  event.preventDefault();
  typed(event.target);
  save(event.target, true);
}

function clicked(event) {
  const button = event.target.closest("[data-note-both], [data-note-theirs]");
  if (button) decide(button.form, button.hasAttribute("data-note-both"));
}

export function prepareNotes() {
  document.addEventListener("input", changed);
  document.addEventListener("submit", submitted);
  document.addEventListener("focusin", (event) => {
    const form = event.target.closest?.("form[data-note]");
    if (form) refresh(form);
  });
  document.addEventListener("click", clicked);
  addEventListener("pagehide", () => all("form[data-note].dirty").forEach((form) => save(form)));
  addEventListener("online", takeUp);
  new MutationObserver((news) => {
    if (news.some(({ addedNodes }) => [...addedNodes].some((node) => node.querySelector?.("form[data-note]")))) takeUp();
  }).observe(document.body, { childList: true, subtree: true });
  takeUp();
  setInterval(takeUp, LOOK_MS);
}
