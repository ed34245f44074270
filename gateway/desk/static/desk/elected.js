// One stream for all tabs where there is no shared worker: tabs elect one among them, over a broadcast channel.
// (Web Locks would do, but browsers have them on https only.)
//
// The leader is heard all the time: its beats, and the stream's own pulses when its timers are slowed in the background.
// When it closes it resigns; when it is frozen or dead its silence is noticed. The next one goes on behind the last event
// it has seen. A leader that wakes up and finds a later term in force steps down.

import { Relay } from "./relay.js";

const SILENCE_MS = 8000; // a hidden leader may only be heard by the pulses that it passes on, every 5 s
const FIRST_MS = 700; // a new tab soon knows whether there is a leader
const CONTEST_MS = 250;
const LEAD_MS = 2000;

export class Elected {
  /** `receive(message)` gets what a relay tells tab `id`; `follow()` is called when there is another relay to join. */
  constructor(name, id, { receive, follow }) {
    Object.assign(this, { id, receive, follow, term: 0, leader: null, relay: null, claiming: false });
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => this.hear(data);
    this.expect(FIRST_MS);
    this.timer = setInterval(() => this.watch(), 300);
    document.addEventListener("freeze", () => this.resign());
    document.addEventListener("resume", () => this.expect(FIRST_MS));
  }

  send(message) {
    const said = { ...message, from: this.id };
    if (this.relay) this.relay.hear(this.id, said);
    else this.channel.postMessage(said);
  }

  /** The relay was not heard for long: if nobody leads, this tab does. */
  revive() { this.watch(); }

  close() { this.resign(); }

  reopen() { this.expect(FIRST_MS); }

  // ---- the election ----------------------------------------------------------------------------

  watch() {
    if (this.relay) {
      if (Date.now() - this.led > LEAD_MS) this.lead();
    } else if (!this.claiming && Date.now() > this.until) this.claim();
  }

  expect(ms) { this.until = Date.now() + ms * (1 + 0.3 * Math.random()); }

  claim() {
    this.claiming = true;
    this.term += 1;
    this.channel.postMessage({ type: "claim", term: this.term, from: this.id });
    setTimeout(() => this.claiming && this.become(), CONTEST_MS);
  }

  become() {
    this.claiming = false;
    this.leader = this.id;
    this.relay = new Relay((to, message) => this.tell(to, message));
    this.lead();
    this.follow();
  }

  lead() {
    this.led = Date.now();
    this.channel.postMessage({ type: "lead", term: this.term, from: this.id });
  }

  resign() {
    this.claiming = false;
    if (!this.relay) return;
    this.relay.close();
    this.relay = null;
    this.leader = null;
    this.channel.postMessage({ type: "resign", from: this.id });
    this.expect(SILENCE_MS);
  }

  hear(message) {
    const { type, from, term } = message;
    if (type === "claim") this.contested(from, term);
    else if (type === "lead") this.heardLeader(from, term);
    else if (type === "resign") this.vacant(from);
    else if (message.by) this.told(message);
    else if (this.relay) this.relay.hear(from, message);
  }

  contested(from, term) {
    if (this.relay) { this.term = Math.max(this.term, term); this.lead(); return; }
    const mine = this.claiming && (this.term > term || (this.term === term && this.id < from));
    this.term = Math.max(this.term, term);
    if (mine) this.channel.postMessage({ type: "claim", term: this.term, from: this.id });
    else { this.claiming = false; this.expect(FIRST_MS); }
  }

  heardLeader(from, term) {
    if (this.relay) {
      if (term < this.term || (term === this.term && this.id < from)) { this.lead(); return; }
      this.relay.close();
      this.relay = null;
    }
    this.claiming = false;
    this.term = Math.max(this.term, term);
    this.expect(SILENCE_MS);
    if (this.leader === from) return;
    this.leader = from;
    this.follow();
  }

  vacant(from) {
    if (from !== this.leader) return;
    this.leader = null;
    this.expect(document.hidden ? 300 : 50); // who is seen comes first
  }

  // ---- what the relay says ---------------------------------------------------------------------

  /** From this tab's relay to a tab; a broadcast channel does not reach the one that speaks. */
  tell(to, message) {
    if (to !== this.id) this.channel.postMessage({ ...message, to, leader: this.id, term: this.term });
    if (to === this.id || to === null) queueMicrotask(() => this.receive(message));
  }

  told(message) {
    this.expect(SILENCE_MS);
    if (message.to !== null && message.to !== this.id) return;
    if (message.type === "welcome") Object.assign(this, { leader: message.leader, term: Math.max(this.term, message.term) });
    this.receive(message);
  }
}
