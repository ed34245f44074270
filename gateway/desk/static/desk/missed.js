// The list of missed calls and its badge follow what happens: to everybody's calls, and with the time.

import { all, atMostEvery, find, page } from "./page.js";
import { oneAtATime, surely } from "./pieces.js";

const EACH_MS = 30000; // how long customers wait is said anew, and who calls back may have come to its end
const BADGE_MS = 60000; // a follow-up comes due by the clock alone
const SPREAD_MS = 700; // all screens hear at once: they do not ask at once

const marked = (node) => node.matches?.("input[type=checkbox]") && node.checked;

const readBadge = oneAtATime(async (wanted) => {
  const box = find("#perdidas-aguardando");
  const text = box && await surely(page.missed, wanted);
  if (text !== null) box.innerHTML = text;
});

const readList = oneAtATime(async (wanted) => {
  const list = find("#perdidas");
  const text = list && await surely(list.dataset.address, wanted);
  if (!text) return;
  Idiomorph.morph(list, text, { morphStyle: "innerHTML", callbacks: { beforeNodeMorphed: (node) => !marked(node), beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")) } });
  htmx.process(list);
  prepareList();
});

/** Something happened to missed calls. */
export const missedChanged = atMostEvery(1000, () => setTimeout(() => { readBadge(); readList(); }, Math.random() * SPREAD_MS));

/** Something happened to any call: somebody may be calling back. */
export const callsChanged = atMostEvery(1000, readList);

function prepareList() {
  for (const button of all("#perdidas [data-mark-all]")) button.hidden = false;
}

function clicked(event) {
  if (!event.target.closest("[data-mark-all]")) return;
  const boxes = all("#perdidas input[name=ligacao]");
  const whole = boxes.every((box) => box.checked);
  boxes.forEach((box) => { box.checked = !whole; });
}

export function prepareMissed() {
  document.addEventListener("click", clicked);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "perdidas") { prepareList(); readBadge(); }
  });
  prepareList();
  setInterval(() => document.hidden || readBadge(), BADGE_MS);
  if (find("#perdidas")) setInterval(() => document.hidden || readList(), EACH_MS);
}
