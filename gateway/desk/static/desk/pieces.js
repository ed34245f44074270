// Pieces of pages, which come rendered from the gateway, so that a page loaded anew shows just what it showed before.

import { backOff, formHeaders, pause } from "./page.js";
import { checkSession } from "./session.js";
import { patience } from "./stream.js";

const PATIENCE_MS = 5000;

/** Asks once for the piece at `address`: its text, or null; `gone` says that asking again is of no use. */
export async function piece(address) {
  try {
    const headers = { ...formHeaders(), "HX-Request": "true" };
    const answer = await fetch(address, { headers, signal: patience(PATIENCE_MS) });
    if (answer.status === 401 || answer.status === 403) checkSession();
    return { text: answer.ok ? await answer.text() : null, gone: answer.status === 404 };
  } catch { return { text: null, gone: false }; }
}

/** Asks until there is an answer, ever more slowly; null when it is no longer wanted. */
export async function surely(address, wanted = () => true) {
  for (let tries = 0; wanted(); tries += 1) {
    const { text, gone } = await piece(address);
    if (text !== null || gone) return text;
    await pause(backOff(tries));
  }
  return null;
}

/** Runs `once` again while it is asked for, one at a time: what is asked for meanwhile is done behind it, once. */
export function oneAtATime(once) {
  let runs = false;
  let again = false;
  return async function run() {
    if (runs) { again = true; return; }
    runs = true;
    try { await once(() => !again); } finally { runs = false; }
    if (again) { again = false; run(); }
  };
}

/** Tells the gateway something that must not get lost: repeated until it is taken, or refused for good. */
export async function tell(address, tries = 0) {
  try {
    const answer = await fetch(address, { method: "POST", headers: formHeaders(), keepalive: true });
    if (answer.ok || [401, 403, 404].includes(answer.status)) return;
  } catch { /* the network is away */ }
  if (tries > 8) return;
  await pause(backOff(tries));
  await tell(address, tries + 1);
}
