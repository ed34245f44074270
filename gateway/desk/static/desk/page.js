// What every part of the desk's script uses: the page's own data, and what this browser remembers of the agent.

export const page = document.body.dataset;
export const find = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
/** `text` without what would turn round the text behind it (as in domain/shown_text.py). */
export const unturned = (text) => (text || "").replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const skew = Number(page.now) - Date.now();

/** The gateway's time: its calls are dated by its clock, not by this computer's. */
export const now = () => Date.now() + skew;

export const key = (name) => `cti:${page.agent}:${name}`;
export const recall = (name) => { try { return localStorage.getItem(key(name)); } catch { return null; } };
export const remember = (name, value) => { try { localStorage.setItem(key(name), value); } catch { /* no storage */ } };

/** The headers by which the gateway knows that this very page asks. */
export const formHeaders = () => JSON.parse(document.body.getAttribute("hx-headers"));

/** Waits before the attempt `tries` (from 0): 0.5 s, 1 s, 2 s ... up to `most`, each a little different. */
export const backOff = (tries, most = 15000) => Math.min(500 * 2 ** tries, most) * (0.8 + 0.4 * Math.random());

export function atMostEvery(ms, run) {
  let timer = null;
  let last = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => { timer = null; last = Date.now(); run(); }, Math.max(0, last + ms - Date.now()));
  };
}
