// Says whether this page hears of calls at all, and if not, what to do.

import { find } from "./page.js";
import { clockTime, gettext } from "./texts.js";

let state = "connecting";

const words = () => ({ live: gettext("live"), delayed: gettext("calls come late"), lost: gettext("no connection") })[state];

export function sayConnection(next) {
  // A relay that begins is connecting, which takes a moment: only success and failure are worth a word.
  if (next === state || next === "connecting") return;
  state = next;
  const box = find("#conexao");
  box.dataset.state = state;
  find(".words", box).textContent = words();
  find("#atraso").hidden = state !== "delayed";
  const help = find("#sem-conexao");
  help.hidden = state !== "lost";
  if (state === "lost") find("time", help).textContent = clockTime(new Date());
}
