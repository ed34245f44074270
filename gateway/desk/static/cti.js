/*
 * cti.js, version 1: the gateway's panel inside a page of the CRM. Load it from the gateway, at /cti/v1.js, and see
 * docs/crm-panel.md. The page must be one that the company names in [tenants.NAME.crm] origins.
 *
 * All goes by a port of its own (MessageChannel) that only the gateway's address is handed: no other page or frame
 * can listen or speak.
 */
(function () {
  "use strict";

  const VERSION = 1;
  const READY_MS = 60000; // an agent who has to log in first takes a while
  const DIAL_MS = 45000;
  const HERE = document.currentScript && document.currentScript.src.replace(/\/cti\/v1\.js.*$/, "");

  class CtiError extends Error {
    constructor(message, code, outcome) {
      super(message);
      Object.assign(this, { name: "CtiError", code: code || null, outcome: outcome || null });
    }
  }

  class Panel {
    constructor({ panel, gateway }) {
      const base = gateway || HERE;
      if (!base) throw new CtiError("say where the gateway is: CTI.connect({ panel, gateway: \"https://...\" })");
      this.address = new URL(base.replace(/\/+$/, "") + "/painel");
      this.handlers = { ready: [], call: [], answer: [], end: [], record: [] };
      this.waiting = new Map();
      this.next = 1;
      this.port = null;
      this.agent = null;
      this.frame = frameIn(panel, this.address.href);
      this.frame.addEventListener("load", () => this.greet());
      this.greet();
    }

    /** Hands a port to the gateway's page in the frame; to any other page the browser does not deliver it. */
    greet() {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => this.hear(port1, data);
      this.frame.contentWindow.postMessage({ cti: VERSION, type: "hello" }, this.address.origin, [port2]);
    }

    hear(port, message) {
      if (message.type === "welcome") {
        if (this.port && this.port !== port) this.port.close();
        Object.assign(this, { port, agent: message.agent });
        this.offer();
        this.tell("ready", message.agent);
      } else if (message.type === "dialled") {
        this.settle(message);
      } else if (this.handlers[message.type]) {
        this.tell(message.type, message.call);
      }
    }

    tell(kind, what) {
      for (const handler of [...this.handlers[kind]]) {
        try { handler(what); } catch (error) { console.error(error); }
      }
    }

    on(kind, handler) {
      this.handlers[kind].push(handler);
      return () => { this.handlers[kind] = this.handlers[kind].filter((each) => each !== handler); };
    }

    onReady(handler) { return this.on("ready", handler); }
    onCall(handler) { return this.on("call", handler); }
    onAnswer(handler) { return this.on("answer", handler); }
    onEnd(handler) { return this.on("end", handler); }

    /** Once there is a handler, links into the CRM in the panel lead here instead of to a new tab. */
    onOpenRecord(handler) {
      const off = this.on("record", handler);
      this.offer();
      return off;
    }

    offer() {
      if (this.port && this.handlers.record.length) this.port.postMessage({ type: "opens" });
    }

    /** Does what the panel's button does: has the handlers of onOpenRecord open the customer's record. */
    openRecord(call) { this.tell("record", call); }

    /** Resolves with the agent once somebody is logged in at the panel. */
    ready() {
      if (this.agent) return Promise.resolve(this.agent);
      return within(READY_MS, "nobody is logged in at the panel", (done) => { const off = this.onReady((agent) => { off(); done(agent); }); });
    }

    /** Has the agent's own extension call `number`; rejects with a CtiError when it was not accepted. */
    async dial(number, { requestId } = {}) {
      await this.ready();
      const id = this.next++;
      const answer = await within(DIAL_MS, "the panel does not answer", (done) => {
        this.waiting.set(id, done);
        this.port.postMessage({ type: "dial", id, number: String(number), requestId: requestId || newKey() });
      }).finally(() => this.waiting.delete(id));
      if (!answer.ok) throw new CtiError(answer.message, answer.code, answer.outcome);
      return { callId: answer.callId, outcome: answer.outcome, message: answer.message };
    }

    settle(message) {
      const done = this.waiting.get(message.id);
      if (done) done(message);
    }

    /** Has clicks on links such as <a href="tel:+554732100123"> in `root` dial here; `failed(error)` hears of refusals. */
    dialLinks(root, failed) {
      const place = root || document;
      const clicked = (event) => {
        const link = event.target.closest && event.target.closest('a[href^="tel:"], a[href^="callto:"]');
        if (!link || event.defaultPrevented) return;
        event.preventDefault();
        this.dial(numberOf(link.getAttribute("href"))).catch(failed || ((error) => console.error(error)));
      };
      place.addEventListener("click", clicked);
      return () => place.removeEventListener("click", clicked);
    }
  }

  function frameIn(place, address) {
    const found = typeof place === "string" ? document.querySelector(place) : place;
    if (!found) throw new CtiError("there is no element for the panel: " + place);
    if (found.tagName === "IFRAME") {
      if (!found.getAttribute("src")) found.src = address;
      return found;
    }
    const frame = document.createElement("iframe");
    Object.assign(frame, { title: "CTI", allow: "autoplay" });
    Object.assign(frame.style, { display: "block", border: "0", width: "100%", height: "100%" });
    frame.src = address;
    found.append(frame);
    return frame;
  }

  function numberOf(href) {
    const text = href.replace(/^[a-z]+:(\/\/)?/i, "").replace(/;.*$/, "");
    try { return decodeURIComponent(text); } catch { return text; }
  }

  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function within(ms, message, start) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new CtiError(message)), ms);
      start((value) => { clearTimeout(timer); resolve(value); });
    });
  }

  window.CTI = Object.freeze({ version: VERSION, CtiError, connect: (options) => new Panel(options || {}) });
})();
