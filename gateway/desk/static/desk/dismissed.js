// Calls whose card the agent sent away: it stays away in all tabs of this browser, and in those that open later.
// Each call is an entry of its own in the browser's storage, so that two tabs never overwrite each other's.

import { key } from "./page.js";

const DAY_MS = 86_400_000;
const PREFIX = key("dispensada:");
const here = new Set(); // for a browser without storage

export function isDismissed(id) {
  try { return here.has(id) || localStorage.getItem(PREFIX + id) !== null; } catch { return here.has(id); }
}

export function rememberDismissed(id) {
  here.add(id);
  try { localStorage.setItem(PREFIX + id, Date.now()); } catch { /* no storage */ }
}

export function forgetDismissed(id) {
  here.delete(id);
  try { localStorage.removeItem(PREFIX + id); } catch { /* no storage */ }
}

/** Calls `gone(id)` for each card that is dismissed in another tab, `back(id)` for each that is brought back there. */
export function watchDismissed(gone, back) {
  forgetOld();
  addEventListener("storage", (event) => {
    if (!event.key?.startsWith(PREFIX)) return;
    const id = Number(event.key.slice(PREFIX.length));
    if (event.newValue !== null) gone(id);
    else if (Date.now() - Number(event.oldValue) < DAY_MS) { here.delete(id); back(id); }
  });
}

function forgetOld() {
  try {
    const old = (name) => name.startsWith(PREFIX) && Date.now() - Number(localStorage.getItem(name)) > DAY_MS;
    Object.keys(localStorage).filter(old).forEach((name) => localStorage.removeItem(name));
  } catch { /* no storage */ }
}
