// Says whether this page hears of calls at all, and if not, what to do.

import { find } from "./page.js";
import { clockTime, gettext } from "./texts.js";

let state = "connecting";

export function sayConnection(next) {
  // A relay that begins is connecting, which takes a moment: only success and failure are worth a word.
  if (next === state || next === "connecting") return;
  state = next;
  const box = find("#conexao");
  box.dataset.state = state;
  find(".words", box).textContent = state === "live" ? gettext("live") : gettext("no connection");
  const help = find("#sem-conexao");
  help.hidden = state === "live";
  if (state === "lost") find("time", help).textContent = clockTime(new Date());
}
