// The page's own controls: notices, copying, menus, keys.

import { dismiss } from "./cards.js";
import { atMostEvery, find, page } from "./page.js";

const AGAIN_MS = 3000;
let noticeTimer = null;

/** Lists that follow events are read anew; one that failed to is read again, without a word. */
export const tellLog = atMostEvery(1000, () => htmx.trigger(document.body, "cti:log"));

const followsLog = (event) => event.detail.requestConfig?.triggeringEvent?.type === "cti:log";

function say(text) {
  const [box, words] = [document.createElement("div"), document.createElement("p")];
  box.className = "notice refused";
  words.textContent = text;
  box.append(words);
  find("#aviso").replaceChildren(box);
  hideSoon(6000);
}

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
  noticeTimer = setTimeout(() => find("#aviso").replaceChildren(), ms);
}

function clicked(event) {
  if (event.target.closest("[data-dismiss]")) dismiss(event.target.closest(".card"));
  if (event.target.closest("[data-dismiss-notice]")) find("#aviso").replaceChildren();
  if (event.target.closest("[data-copy]")) copy(event.target.closest("[data-copy]"));
  const menu = find("details.tools[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
}

function pressed(event) {
  if (event.key !== "Escape") return;
  const notice = find("#aviso .notice");
  const card = document.activeElement.closest(".card") || find("#cartoes .card");
  if (notice) find("#aviso").replaceChildren();
  else if (card) dismiss(card);
}

export function prepareControls() {
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "aviso") return;
    clearTimeout(noticeTimer);
    if (find("#aviso .accepted")) hideSoon(6000);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "discagem" && event.detail.successful) event.detail.elt.reset();
  });
  for (const kind of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(kind, (event) => (followsLog(event) ? setTimeout(tellLog, AGAIN_MS) : say(page.wordFailed)));
  }
}
