// The gateway's stream of events, kept open while a page needs it. A service worker has no EventSource that sends a token.

import { settings } from "./settings.js";

const SILENCE_MS = 12000; // the gateway says something every 5 s
const LONGEST_WAIT_MS = 15000;
const LARGEST = 1_000_000; // characters of one event

export class Stream {
  /** `told(kind, data)` for each event, `stated("live" | "lost" | "revoked")`. */
  constructor(told, stated) {
    Object.assign(this, { told, stated, seq: "", closed: false, wait: 500 });
    this.run();
  }

  close() {
    this.closed = true;
    this.stop?.abort();
  }

  async run() {
    while (!this.closed) {
      try { await this.read(); } catch { /* tried again */ }
      if (this.closed) return;
      this.stated("lost");
      await new Promise((done) => setTimeout(done, this.wait * (0.7 + 0.6 * Math.random())));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    }
  }

  async read() {
    const { gateway, token } = await settings();
    this.stop = new AbortController();
    const headers = { Authorization: `Bearer ${token}`, Accept: "text/event-stream" };
    const address = `${gateway}/events${this.seq ? `?last_event_id=${this.seq}` : ""}`;
    this.listen();
    const answer = await fetch(address, { headers, credentials: "omit", cache: "no-store", redirect: "error", signal: this.stop.signal });
    if (answer.status === 401) { this.closed = true; this.stated("revoked"); return; }
    if (!answer.ok) return;
    this.wait = 500;
    this.stated("live");
    await this.take(answer.body.pipeThrough(new TextDecoderStream()).getReader());
  }

  async take(reader) {
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        this.listen();
        const parts = (rest + value).split("\n\n");
        rest = parts.pop();
        if (rest.length > LARGEST) return;
        parts.forEach((part) => this.hear(part));
      }
    } finally { clearTimeout(this.silence); }
  }

  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.stop.abort(), SILENCE_MS);
  }

  hear(part) {
    const fields = Object.fromEntries(part.split("\n").map((line) => /^(id|event|data): (.*)$/.exec(line)?.slice(1)).filter(Boolean));
    if (fields.id) this.seq = fields.id;
    if (fields.event && fields.data) this.told(fields.event, JSON.parse(fields.data));
  }
}
