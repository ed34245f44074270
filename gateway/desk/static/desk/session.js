// Whose page this is. After a log-out or another login in any tab of this browser, a page shows nothing any more:
// it goes to the login, or is loaded anew for the agent who is logged in now.

import { formHeaders, key, page } from "./page.js";
import { askWho } from "./stream.js";

const CHECK_AGAIN_MS = 20000;
const RELOAD_AGAIN_MS = 10000;
let checked = Date.now();

/** Leaves the page when its session is over; called whenever there is a doubt. */
export async function checkSession() {
  checked = Date.now();
  leave(await askWho(page.me, formHeaders()["X-CSRF-Token"]));
}

export function leave(who) {
  if (who === "nobody") location.assign(`${page.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
  if (who === "another") reload();
}

function reload() {
  try { // never round and round
    if (Math.abs(Date.now() - Number(sessionStorage.getItem(key("recarregada")))) < RELOAD_AGAIN_MS) return;
    sessionStorage.setItem(key("recarregada"), Date.now());
  } catch { return; }
  location.reload();
}

/** Pages tell each other whose they are when they open; the login page names nobody (see door.js). */
export function watchSession() {
  if ("BroadcastChannel" in window) {
    const channel = new BroadcastChannel(`cti:session:${page.root}`);
    channel.onmessage = (event) => event.data.session !== page.session && checkSession();
    channel.postMessage({ session: page.session });
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - checked > CHECK_AGAIN_MS) checkSession();
  });
  addEventListener("pageshow", (event) => event.persisted && checkSession());
}
