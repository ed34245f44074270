// What happens while it rings: the title in every tab; sound and notification in the one that was chosen to speak.

import { all, find, key, recall } from "./page.js";

const CHIME_EVERY_MS = 2900;
const title = document.title;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const notices = new Map();
const notified = new Set();
const cards = () => all("#cartoes .card");
let ringer = null;
let beats = 0;
let chimed = 0;
let audio = null;
let speaks = false;
let silent = false;
let unlocked = () => {};

export const rings = (card) => card.dataset.state === "ringing" && card.dataset.direction !== "outgoing";

export function ring() {
  if (!cards().some(rings)) {
    clearInterval(ringer);
    ringer = null;
    document.title = title;
  } else if (!ringer) {
    beats = 0;
    beat();
    ringer = setInterval(beat, 1000);
  }
}

function beat() {
  const card = cards().find(rings);
  if (!card) { ring(); return; }
  document.title = calm.matches || beats % 2 === 0 ? `☎ ${card.dataset.title}` : title;
  beats += 1;
  if (speaks && wantsSound() && Date.now() - chimed > CHIME_EVERY_MS) chime();
}

/** `speaker` is {id, sounds} of the chosen tab, null before there is one. */
export function spoken(speaker, mine) {
  speaks = speaker?.id === mine;
  silent = Boolean(speaker) && !speaker.sounds;
  showSilence();
  if (speaks && ringer) beat();
}

// ---- sound -------------------------------------------------------------------------------------

export const wantsSound = () => recall("som") === "1";
export const canSound = () => audio?.state === "running";

/** Browsers let a page sound only after the agent has touched it: until then a word says so, and the first touch will do. */
export function prepareSound(changed) {
  unlocked = changed;
  openSound();
  for (const touch of ["pointerdown", "keydown", "touchend", "click"]) addEventListener(touch, unlock, { capture: true, passive: true });
}

/** Asked for anew when the switch is used, in this tab or in another. */
export function openSound() {
  showSilence();
  if (!wantsSound() || audio) return;
  audio = new AudioContext();
  audio.onstatechange = () => unlocked(canSound());
  if (canSound()) unlocked(true);
}

function unlock() {
  if (wantsSound() && audio && audio.state !== "running") audio.resume();
}

function showSilence() {
  find("#ativar-som").hidden = !(wantsSound() && silent && !canSound());
}

export function chime() {
  openSound();
  if (!audio) return;
  if (audio.state === "suspended") audio.resume();
  chimed = Date.now();
  [[660, 0], [880, 0.18]].forEach(([pitch, after]) => {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const start = audio.currentTime + after;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.12, start + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.5);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.55);
  });
}

// ---- notifications -----------------------------------------------------------------------------

export const canNotify = () => "Notification" in window && window.isSecureContext;

export function notify(card) {
  const id = card.dataset.call;
  if (!speaks || notified.has(id)) return;
  if (!canNotify() || Notification.permission !== "granted" || recall("notificacao") !== "1") return;
  notified.add(id);
  const notice = new Notification(`☎ ${card.dataset.title}`, { body: card.dataset.text, tag: key(id) });
  notice.onclick = () => { window.focus(); notice.close(); };
  notices.set(id, notice);
}

export function hideNotice(card) {
  notices.get(card.dataset.call)?.close();
  notices.delete(card.dataset.call);
}
