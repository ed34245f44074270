// The Esc key closes what has the focus; only where nothing has, it sends the most important card away.

import { ranked } from "./arrange.js";
import { find } from "./page.js";

const FIELDS = "input, select, textarea, [contenteditable]";

export function prepareEscape({ closeNotice, sendAway }) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || find("dialog[open]")) return;
    if (!closeFocused(document.activeElement)) sendSomethingAway(closeNotice, sendAway);
  });
}

/** Whether the key has been used for the menu, field or list that is open. */
function closeFocused(focus) {
  const [menu, list] = [find("details.tools[open]"), focus.closest(".card details[open]")];
  const field = focus.matches(FIELDS);
  if (menu) fold(menu);
  else if (list && !(field && focus.value)) fold(list); // what was typed is not hidden by a slip
  return Boolean(menu || list) || field;
}

function fold(details) {
  details.open = false;
  find("summary", details).focus();
}

function sendSomethingAway(closeNotice, sendAway) {
  const card = document.activeElement.closest(".card") || ranked()[0];
  if (find("#aviso .notice:not(.undo)")) closeNotice();
  else if (card) sendAway(card);
  else closeNotice();
}
