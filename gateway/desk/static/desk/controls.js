// The page's own controls: notices, copying, menus, keys.

import { bringBack, dismiss } from "./cards.js";
import { prepareEscape } from "./escape.js";
import { atMostEvery, find } from "./page.js";
import { gettext, ngettext } from "./texts.js";

const AGAIN_MS = 3000;
const UNDO_MS = 10000;
let noticeTimer = null;
let undoable = []; // calls whose cards the notice offers to bring back

/** Lists that follow events are read anew; one that failed to is read again, without a word. */
export const tellLog = atMostEvery(1000, () => htmx.trigger(document.body, "cti:log"));

const followsLog = (event) => event.detail.requestConfig?.triggeringEvent?.type === "cti:log";

function say(text, kind = "refused") {
  const [box, words] = [document.createElement("div"), document.createElement("p")];
  box.className = `notice ${kind}`;
  words.textContent = text;
  box.append(words);
  find("#aviso").replaceChildren(box);
  hideSoon(6000);
  return box;
}

/** Sends a card away, and for a while offers to bring it back. */
function sendAway(card) {
  undoable = [...(find("#aviso .undo") ? undoable : []), Number(card.dataset.call)];
  dismiss(card);
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: gettext("Undo") });
  button.dataset.undo = "";
  say(ngettext("Card dismissed.", "{count} cards dismissed.", undoable.length), "undo").append(button);
  hideSoon(UNDO_MS);
}

function undo() {
  undoable.splice(0).forEach(bringBack);
  closeNotice();
}

const closeNotice = () => find("#aviso").replaceChildren();

/** Copies the text of the element that the button names; without a clipboard (plain http) it is selected. */
function copy(button) {
  const source = find(button.dataset.copy);
  if (navigator.clipboard) navigator.clipboard.writeText(source.textContent.trim());
  else getSelection().selectAllChildren(source);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
}

function hideSoon(ms) {
  clearTimeout(noticeTimer);
  const hide = () => (find("#aviso").matches(":hover, :focus-within") ? hideSoon(1000) : closeNotice());
  noticeTimer = setTimeout(hide, ms);
}

function clicked(event) {
  if (event.target.closest("[data-dismiss]")) sendAway(event.target.closest(".card"));
  if (event.target.closest("[data-undo]")) undo();
  if (event.target.closest("[data-dismiss-notice]")) closeNotice();
  if (event.target.closest("[data-copy]")) copy(event.target.closest("[data-copy]"));
  const menu = find("details.tools[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
}

export function prepareControls() {
  document.addEventListener("click", clicked);
  prepareEscape({ closeNotice, sendAway });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "aviso") return;
    clearTimeout(noticeTimer);
    if (find("#aviso .accepted")) hideSoon(6000);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "discagem" && event.detail.successful) event.detail.elt.reset();
  });
  for (const kind of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(kind, (event) => (followsLog(event) ? setTimeout(tellLog, AGAIN_MS) : say(gettext("That did not work. Try again in a moment."))));
  }
}
