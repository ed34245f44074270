// One connection to the gateway's stream of events, kept open. Silence is noticed, and a connection that was lost comes
// back behind the last event that was seen. Runs in a page or in a worker, so it touches neither document nor window.

export const KINDS = [
  "call_started", "call_answered", "call_held", "call_resumed", "call_transferred", "queue_entered", "queue_left", "call_ended", "call_noted",
  "call_lost", "agent_state_changed", "missed_changed", "account_chosen", "order_placed", "order_settled", "log", "reset", "pulse", "farewell",
];
export const SILENCE_MS = 7000; // the gateway sends a pulse every 5 s
const PATIENCE_MS = 10000; // for one attempt to connect
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5000;

/** A signal that ends a request after `ms`; older browsers have none, and wait. */
export const patience = (ms) => AbortSignal.timeout?.(ms);

/** Whose the browser is now: "me", "another" (whoever logged in later), "nobody", or "unknown" without an answer. */
export async function askWho(address, token) {
  const headers = { "X-Requested-With": "desk", "X-CSRF-Token": token };
  try {
    const { status } = await fetch(address, { headers, signal: patience(PATIENCE_MS) });
    return { 200: "me", 401: "nobody", 403: "another" }[status] || "unknown";
  } catch { return "unknown"; }
}

export class Stream {
  /** `place` has the addresses and the session; `told(kind, id, data)`, `stated("live" | "delayed" | "lost")`, `left(who)`. */
  constructor(place, { told, stated, left }) {
    Object.assign(this, { place, told, stated, left, seq: null, whole: false, source: null });
    this.timer = setInterval(() => this.watch(), 1000);
  }

  /** Connect, or connect anew, and go on behind `seq`; `whole` also brings other people's calls, in brief. */
  open(seq, whole) {
    Object.assign(this, { seq, whole, heard: Date.now(), wait: FIRST_WAIT_MS });
    this.connect();
  }

  /** Try now instead of when the next attempt is due. */
  hurry() {
    if (this.source?.readyState !== EventSource.OPEN) this.connect();
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
  }

  connect() {
    clearTimeout(this.retry);
    this.source?.close();
    this.since = Date.now();
    const asked = new URLSearchParams({ last_event_id: this.seq, sessao: this.place.session });
    if (this.whole) asked.set("escopo", "empresa");
    const source = new EventSource(`${this.place.events}?${asked}`);
    this.source = source;
    source.onopen = () => this.opened();
    source.onerror = () => source === this.source && this.failed();
    for (const kind of KINDS) source.addEventListener(kind, (event) => source === this.source && this.hear(kind, event));
  }

  opened() {
    Object.assign(this, { heard: Date.now(), wait: FIRST_WAIT_MS, good: true });
    this.stated("live");
  }

  hear(kind, event) {
    this.heard = Date.now();
    if (kind === "farewell") this.backIn = Math.max(FIRST_WAIT_MS, JSON.parse(event.data).back_in_ms);
    if (event.lastEventId) this.seq = event.lastEventId;
    if (kind === "pulse") this.stated(JSON.parse(event.data).delayed ? "delayed" : "live");
    this.told(kind, this.seq, event.data);
  }

  /** The gateway ends each stream now and then and is back at once: only an attempt that fails is worth a word. */
  failed() {
    if (!this.good) this.say();
    this.good = false;
    this.source.close();
    this.source = null;
    this.since = null;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), this.nextWait() * (0.7 + 0.6 * Math.random()));
  }

  /** How long to wait now: as the gateway said when it went, and if it is not back by then, a little at first. */
  nextWait() {
    const { backIn, wait } = this;
    this.backIn = null;
    if (!backIn) this.wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    return backIn || wait;
  }

  async say() {
    this.stated("lost");
    const who = await askWho(this.place.me, this.place.token);
    if (who === "nobody" || who === "another") this.left(who);
  }

  watch() {
    if (this.seq === null || Date.now() - this.heard <= SILENCE_MS) return;
    this.stated("lost");
    const open = this.source?.readyState === EventSource.OPEN;
    if (this.source && (open || Date.now() - this.since > PATIENCE_MS)) this.connect();
  }
}
