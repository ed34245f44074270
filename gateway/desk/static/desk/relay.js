// One stream of events for all tabs of a browser. It lives in the shared worker, or in the tab that was elected.
// It keeps what came lately, so that a tab that joins is told what happened since its page was written, and it chooses
// the one tab that makes sound and shows notifications.
//
// A tab says: join {seq, whole, ...traits}, here {...traits}, bye, hurry. It is told: welcome, event, state, speaker, leave.
// Traits are {sounds, visible, focused}: whether it may play sound, is seen, and when it was last used.

import { isBefore } from "./positions.js";
import { Stream } from "./stream.js";

const KEPT = 200;
const BEAT_MS = 3000;
const ABSENT_MS = 10000; // a tab that does not answer beats (frozen, crashed) is not chosen to speak

export class Relay {
  /** `send(to, message)` reaches the tab `to`, or every tab when it is null. */
  constructor(send) {
    this.send = (to, message) => send(to, { by: this.name, ...message });
    this.name = Math.random().toString(36).slice(2);
    this.tabs = new Map();
    this.kept = [];
    this.state = "connecting";
    this.speaker = null;
    this.beats = setInterval(() => this.beat(), BEAT_MS);
  }

  hear(from, message) {
    if (message.type === "join") this.join(from, message);
    if (message.type === "here") this.meet(from, message);
    if (message.type === "bye") this.part(from);
    if (message.type === "hurry") this.stream?.hurry();
  }

  close() {
    clearInterval(this.beats);
    this.stream?.close();
    this.stream = null;
  }

  // ---- tabs ------------------------------------------------------------------------------------

  join(from, { seq, whole, place, traits }) {
    this.tabs.set(from, { whole, traits, heard: Date.now() });
    if (!this.stream) this.start(place, seq, whole);
    this.choose();
    this.send(from, { type: "welcome", state: this.state, speaker: this.speaker });
    this.catchUp(from, seq);
    if (whole && !this.whole) this.widen(from);
  }

  /** What a tab missed since its page was written; too much of it, and the tab reads its state anew. */
  catchUp(from, seq) {
    if (isBefore(seq, this.base)) this.send(from, { type: "event", kind: "reset", id: this.seq, data: "{}" });
    else this.kept.filter((event) => isBefore(seq, event.id)).forEach((event) => this.send(from, event));
  }

  /** From now on other people's calls are told too; what happened to them meanwhile is in the list read anew. */
  widen(from) {
    this.whole = true;
    this.stream.open(this.seq, true);
    this.send(from, { type: "event", kind: "log", id: this.seq, data: "{}", again: true });
  }

  meet(from, { traits }) {
    const tab = this.tabs.get(from);
    if (!tab) return;
    Object.assign(tab, { traits, heard: Date.now() });
    this.choose();
  }

  part(from) {
    this.tabs.delete(from);
    this.choose();
    if (!this.tabs.size) this.stop();
  }

  /** Who can be heard comes first, then who is seen, then who was used last. */
  choose() {
    const there = [...this.tabs].filter(([, tab]) => Date.now() - tab.heard < ABSENT_MS);
    const rank = ([, { traits }]) => (traits.sounds ? 2e15 : 0) + (traits.visible ? 1e15 : 0) + traits.focused;
    const best = there.sort((one, other) => rank(other) - rank(one))[0];
    if (!best && this.tabs.has(this.speaker?.id)) return;
    const speaker = best ? { id: best[0], sounds: best[1].traits.sounds } : null;
    if (speaker?.id === this.speaker?.id && speaker?.sounds === this.speaker?.sounds) return;
    this.speaker = speaker;
    this.send(null, { type: "speaker", speaker });
  }

  beat() {
    this.choose();
    this.send(null, { type: "state", state: this.state });
  }

  // ---- the stream ------------------------------------------------------------------------------

  start(place, seq, whole) {
    Object.assign(this, { seq, base: seq, kept: [], whole, state: "connecting" });
    this.stream = new Stream(place, {
      told: (kind, id, data) => this.told(kind, id, data),
      stated: (state) => this.stated(state),
      left: (who) => this.send(null, { type: "leave", who }),
    });
    this.stream.open(seq, whole);
  }

  stop() {
    this.stream?.close();
    this.stream = null;
    this.kept = [];
  }

  told(kind, id, data) {
    const event = { type: "event", kind, id, data };
    if (kind === "reset") Object.assign(this, { base: id, kept: [] });
    else if (kind !== "pulse") this.kept.push(event);
    while (this.kept.length > KEPT) this.base = this.kept.shift().id;
    this.seq = id;
    this.send(null, event);
  }

  stated(state) {
    if (state === this.state) return;
    this.state = state;
    this.send(null, { type: "state", state });
  }
}
