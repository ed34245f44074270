// Whoever asks later why a call did not come up learns that it did: told once for each page, when a card is really seen,
// which is neither so in a hidden tab nor for a card that styles or scrolling keep out of sight.

import { page } from "./page.js";
import { tell } from "./pieces.js";

const told = new Set();
const inView = new Set();
const eye = new IntersectionObserver((entries) => entries.forEach(look), { threshold: 0.1 });

export const watchSeen = (card) => eye.observe(card);

export function forgetSeen(card) {
  eye.unobserve(card);
  inView.delete(card);
}

function look({ target, isIntersecting }) {
  if (isIntersecting) inView.add(target);
  else inView.delete(target);
  tellSeen();
}

function tellSeen() {
  if (document.hidden) return;
  for (const card of inView) {
    const id = card.dataset.call;
    if (!card.isConnected || told.has(id)) continue;
    told.add(id);
    tell(`${page.card.replace(/0$/, id)}/mostrada`);
  }
}

document.addEventListener("visibilitychange", tellSeen);
