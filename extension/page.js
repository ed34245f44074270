// Runs in the pages that the user named: joins the marks and the cards with the service worker.

if (!globalThis.ctiPage) {
  globalThis.ctiPage = true;
  (() => {
    "use strict";

    const AWAKE_MS = 20000; // the service worker sleeps after 30 s of silence
    const AGAIN_MS = 2000;
    const DIAL_MS = 30000;
    const waiting = new Map();
    let port = null;
    let next = 1;

    function connect() {
      if (!chrome.runtime?.id) return; // the extension was removed or updated: this script is an orphan
      try { port = chrome.runtime.connect({ name: "page" }); } catch { return; }
      port.onMessage.addListener(heard);
      port.onDisconnect.addListener(() => { port = null; setTimeout(connect, AGAIN_MS); });
    }

    function heard(message) {
      if (message.type === "dialled") waiting.get(message.id)?.(message);
      if (message.type === "link" && window === window.top) globalThis.ctiCards.addLink(message.id, message.link);
      if (message.type === "event" && window === window.top) globalThis.ctiCards.tell(message.kind, message.event, message.gateway);
    }

    async function dial(number) {
      const id = next++;
      const answer = await new Promise((done) => {
        const failed = { ok: false, message: chrome.i18n.getMessage("notConnected") };
        if (!port) { done(failed); return; }
        waiting.set(id, done);
        setTimeout(() => done(failed), DIAL_MS);
        port.postMessage({ type: "dial", id, number });
      });
      waiting.delete(id);
      globalThis.ctiCards.say(answer.message);
      return answer;
    }

    setInterval(() => port?.postMessage({ type: "awake" }), AWAKE_MS);
    addEventListener("pageshow", (event) => event.persisted && !port && connect());
    connect();
    globalThis.ctiMarks.begin(dial);
  })();
}
