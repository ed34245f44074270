// Which cards are large: the newest, as many as there is room for, but for those that the agent made small. The others are
// a line each. What the agent chose is kept for each call, for all tabs of this browser and for the pages to come.

import { all, find, key, now, recall, remember } from "./page.js";
import { ngettext } from "./texts.js";

const box = find("#cartoes");
const more = find("#mais-ligacoes");
const top = find("header.top");
const floats = "floating" in box.dataset;
const narrow = matchMedia("(max-width: 46rem)");
const PREFIX = "cartao:";
const LIST = "lista-de-cartoes";
const DAY_MS = 86_400_000;
export const isOver = (card) => ["ended", "lost", "elsewhere", "refused", "unreachable"].includes(card.dataset.state);

/** When the agent made the card large; negative: when he made it small; 0: neither. */
const wish = (card) => Number(recall(PREFIX + card.dataset.call)) || 0;
const room = () => (narrow.matches ? 1 : floats ? 2 : 4);

/** All cards, the most important first: what goes on before what is over, the newest (or last opened) before the older. */
export function ranked() {
  const rank = (card) => Math.max(Number(card.dataset.since) - (isOver(card) ? DAY_MS : 0), wish(card));
  return all(".card", box).sort((one, other) => rank(other) - rank(one));
}

export function arrange() {
  const cards = ranked();
  const large = cards.filter((card) => wish(card) >= 0).slice(0, room());
  cards.forEach((card) => size(card, large.includes(card)));
  const rest = cards.length - large.length;
  more.hidden = !rest || cards.length <= room();
  more.textContent = ngettext("{count} more call", "{count} more calls", rest);
  const listed = more.hidden || recall(LIST) !== "0";
  more.setAttribute("aria-expanded", listed);
  box.classList.toggle("folded", !listed);
}

function size(card, large) {
  card.classList.toggle("small", !large);
  find("[data-size]", card)?.setAttribute("aria-expanded", large);
}

function clicked(event) {
  const card = event.target.closest(".card");
  if (event.target.closest("#mais-ligacoes")) remember(LIST, recall(LIST) === "0" ? "1" : "0");
  else if (card && event.target.closest("[data-size]")) resize(card);
  else if (card?.matches(".small") && !event.target.closest("a, button")) resize(card);
  else return;
  arrange();
}

function resize(card) {
  remember(PREFIX + card.dataset.call, card.matches(".small") ? now() : -now());
}

/** Tells the styles how much room the floating cards and the page's top take. */
function measure() {
  const { style } = document.documentElement;
  style.setProperty("--cards-room", `${floats ? box.offsetHeight : 0}px`);
  style.setProperty("--top-height", `${top.offsetHeight}px`);
}

export function prepareCardSizes() {
  box.addEventListener("click", clicked);
  narrow.addEventListener("change", arrange);
  addEventListener("storage", (event) => event.key?.startsWith(key("")) && arrange());
  new MutationObserver(arrange).observe(box, { childList: true });
  const sizes = new ResizeObserver(measure);
  [box, top].forEach((each) => sizes.observe(each));
  forgetOld();
  arrange();
}

function forgetOld() {
  try {
    const old = (name) => name.startsWith(key(PREFIX)) && now() - Math.abs(Number(localStorage.getItem(name))) > DAY_MS;
    Object.keys(localStorage).filter(old).forEach((name) => localStorage.removeItem(name));
  } catch { /* no storage */ }
}
