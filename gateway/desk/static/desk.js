// The desk's own script: follows the events of this page's extension, and rings. Pieces of pages come rendered
// from the gateway, so that a page that is loaded anew shows just what it showed before.
"use strict";

(() => {
  const page = document.body.dataset;
  const KINDS = ["call_started", "call_ended", "call_lost", "account_chosen", "order_placed", "order_settled", "log", "reset", "pulse"];
  const SILENCE_MS = 20000; // a heart-beat comes every few seconds
  const RING_MS = 45000; // nobody lets it ring longer; afterwards the call is taken for a conversation
  const ORDER_MS = 120000; // an order that the exchange says no more of
  const STAY_MS = 90000; // how long a card stays when its call is over
  const MOST_OVER = 3;
  page.loaded = Date.now();
  const skew = Number(page.now) - Date.now();
  const now = () => Date.now() + skew;
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const cards = find("#cartoes");

  // ---- what this browser remembers -------------------------------------------------------------

  const key = (name) => `cti:${page.agent}:${name}`;
  const recall = (name) => { try { return localStorage.getItem(key(name)); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(key(name), value); } catch { /* private mode */ } };
  const dismissed = new Set();
  try {
    JSON.parse(sessionStorage.getItem(key("dispensadas")) || "[]").forEach((id) => dismissed.add(id));
  } catch { /* private mode */ }

  // ---- events ----------------------------------------------------------------------------------

  let source = null;
  let seq = page.seq;
  let heard = Date.now();
  let wait = 1000;
  let lostTimer = null;
  let retryTimer = null;

  function connect() {
    clearTimeout(retryTimer);
    if (source) source.close();
    heard = Date.now();
    const asked = new URLSearchParams({ last_event_id: seq });
    if (page.scope) asked.set("escopo", page.scope);
    source = new EventSource(`${page.events}?${asked}`);
    source.onopen = () => { wait = 1000; heard = Date.now(); sayConnection("live"); };
    source.onerror = () => {
      sayConnection("lost");
      if (source.readyState === EventSource.CLOSED) retry();
    };
    for (const kind of KINDS) source.addEventListener(kind, (event) => hear(kind, event));
  }

  function retry() {
    clearTimeout(retryTimer);
    retryTimer = setTimeout(async () => {
      await leaveIfLoggedOut();
      connect();
    }, wait * (0.7 + 0.6 * Math.random()));
    wait = Math.min(wait * 2, 20000);
  }

  async function leaveIfLoggedOut() {
    try {
      const answer = await fetch(page.me, { headers: { "X-Requested-With": "desk" } });
      if (answer.status === 401) location.assign(`${page.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
    } catch { /* the network is away: the next attempt will tell */ }
  }

  function hear(kind, event) {
    heard = Date.now();
    if (event.lastEventId) seq = event.lastEventId;
    if (kind === "pulse") return;
    if (kind === "reset") { startAfresh(); return; }
    const told = JSON.parse(event.data);
    tellLog();
    if (kind === "log") return;
    refreshRecent();
    // What is over, or was only heard again, must not bring up a card that is not there.
    const quiet = ["call_ended", "call_lost", "account_chosen"].includes(kind);
    if (!quiet) showCard(told.call_id, told.repeat ? "repeat" : kind);
    else if (find(`#ligacao-${told.call_id}`) || loading.has(told.call_id)) showCard(told.call_id, kind);
  }

  function startAfresh() {
    all(".card", cards).forEach((card) => showCard(Number(card.dataset.call), "reset"));
    fetchCards();
    refreshRecent();
    tellLog();
  }

  function sayConnection(state) {
    clearTimeout(lostTimer);
    // The gateway ends each stream now and then and the browser is back within a second: no reason to alarm anybody.
    const say = () => {
      const box = find("#conexao");
      box.dataset.state = state;
      find(".words", box).textContent = state === "live" ? page.wordLive : page.wordLost;
    };
    if (state === "live") say();
    else lostTimer = setTimeout(say, 2500);
  }

  function atMostEvery(ms, run) {
    let timer = null;
    let last = 0;
    return () => {
      if (timer) return;
      timer = setTimeout(() => { timer = null; last = Date.now(); run(); }, Math.max(0, last + ms - Date.now()));
    };
  }

  const tellLog = atMostEvery(1000, () => htmx.trigger(document.body, "cti:log"));
  const refreshRecent = atMostEvery(500, async () => {
    const box = find("#recentes");
    const text = box && await piece(page.recent);
    if (text) { box.innerHTML = text; htmx.process(box); }
  });

  async function piece(address) {
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.status === 401) await leaveIfLoggedOut();
      return answer.ok ? await answer.text() : null;
    } catch { return null; }
  }

  // ---- cards -----------------------------------------------------------------------------------

  const loading = new Map(); // call id -> whether to load once more

  async function showCard(id, kind) {
    if (dismissed.has(id)) return;
    if (loading.has(id)) { loading.set(id, true); return; }
    loading.set(id, false);
    const text = await piece(page.card.replace(/0$/, id));
    const again = loading.get(id);
    loading.delete(id);
    if (text) place(text, kind);
    if (again) showCard(id, kind);
  }

  async function fetchCards() {
    const text = await piece(page.cards);
    const box = document.createElement("template");
    box.innerHTML = text || "";
    all(".card", box.content).reverse().forEach((card) => {
      if (!find(`#${card.id}`) && !dismissed.has(Number(card.dataset.call))) put(card, null);
    });
    ring();
  }

  function place(text, kind) {
    const box = document.createElement("template");
    box.innerHTML = text;
    const card = find(".card", box.content);
    const old = find(`#${card.id}`);
    const typing = old && find(".attach input:focus", old);
    if (typing) { // what is being written must not vanish under the fingers
      typing.addEventListener("blur", () => setTimeout(() => showCard(Number(card.dataset.call), "repeat"), 500), { once: true });
      return;
    }
    put(card, old);
    if (!old || old.dataset.state !== card.dataset.state) announce(card);
    if (kind === "call_started" && rings(card)) notify(card);
    if (!rings(card)) hideNotice(card);
    ring();
  }

  // Whoever asks later why a call did not come up learns that it did: told once, when the page is really seen.
  const told = new Set();

  function tellShown(card) {
    const id = Number(card.dataset.call);
    if (document.hidden || told.has(id)) return;
    told.add(id);
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    fetch(`${page.card.replace(/0$/, id)}/mostrada`, { method: "POST", headers, keepalive: true }).catch(() => told.delete(id));
  }

  document.addEventListener("visibilitychange", () => all(".card", cards).forEach(tellShown));

  function put(card, old) {
    const focused = old && old.contains(document.activeElement);
    if (old) old.replaceWith(card);
    else { card.classList.add("arrives"); cards.prepend(card); }
    htmx.process(card);
    if (focused) card.focus();
    card.dataset.shown = Date.now();
    tellShown(card);
    all(".card", cards).filter(isOver).slice(MOST_OVER).forEach(remove);
  }

  const isOver = (card) => ["ended", "lost", "elsewhere", "refused", "unreachable"].includes(card.dataset.state);

  function mayGo(card) {
    const used = card.matches(":hover, :focus-within") || all("audio", card).some((audio) => !audio.paused);
    const limit = isOver(card) ? STAY_MS : ORDER_MS;
    const waits = isOver(card) || ["ordered", "accepted", "unknown"].includes(card.dataset.state);
    return waits && !used && Date.now() - Number(card.dataset.shown || page.loaded) > limit;
  }

  function remove(card) {
    hideNotice(card);
    card.remove();
    ring();
  }

  function dismiss(card) {
    dismissed.add(Number(card.dataset.call));
    try { sessionStorage.setItem(key("dispensadas"), JSON.stringify([...dismissed].slice(-50))); } catch { /* private mode */ }
    const next = card.contains(document.activeElement) && (card.nextElementSibling || card.previousElementSibling);
    remove(card);
    if (next) next.focus();
  }

  function announce(card) { find("#anuncio").textContent = card.dataset.said.replace(/\s+/g, " "); }

  function tick() {
    all(".card", cards).filter(mayGo).forEach(remove);
    for (const card of all(".card", cards)) {
      const elapsed = now() - Number(card.dataset.since);
      const clock = find("[data-elapsed]", card);
      if (clock) clock.textContent = duration(elapsed);
      if (card.dataset.state === "ringing" && elapsed > RING_MS) {
        card.dataset.state = "ongoing";
        card.classList.replace("ringing", "ongoing");
        find(".state .words", card).textContent = page.wordOngoing;
        hideNotice(card);
        ring();
      }
    }
    if (Date.now() - heard > SILENCE_MS && source) { sayConnection("lost"); connect(); }
  }

  function duration(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const two = (value) => String(value).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  // ---- ringing: title, sound, notification -------------------------------------------------------

  const title = document.title;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const notices = new Map();
  let ringer = null;
  let beats = 0;
  let audio = null;

  const rings = (card) => card.dataset.state === "ringing" && card.dataset.direction !== "outgoing";

  function ring() {
    const card = all(".card", cards).find(rings);
    if (!card) {
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
    const card = all(".card", cards).find(rings);
    if (!card) { ring(); return; }
    document.title = calm.matches || beats % 2 === 0 ? `☎ ${card.dataset.title}` : title;
    if (beats % 3 === 0 && recall("som") === "1") chime();
    beats += 1;
  }

  function chime() {
    audio = audio || new AudioContext();
    if (audio.state === "suspended") audio.resume();
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

  const canNotify = () => "Notification" in window && window.isSecureContext;

  function notify(card) {
    if (!canNotify() || Notification.permission !== "granted" || recall("notificacao") !== "1") return;
    const id = card.dataset.call;
    const notice = new Notification(`☎ ${card.dataset.title}`, { body: card.dataset.text, tag: key(id) });
    notice.onclick = () => { window.focus(); notice.close(); };
    notices.set(id, notice);
  }

  function hideNotice(card) {
    const notice = notices.get(card.dataset.call);
    if (notice) notice.close();
    notices.delete(card.dataset.call);
  }

  // ---- choices -----------------------------------------------------------------------------------

  function prepareChoices() {
    const sound = find("#som");
    const notice = find("#notificacao");
    const central = find("#central");
    if (sound) {
      sound.checked = recall("som") === "1";
      sound.onchange = () => { remember("som", sound.checked ? "1" : "0"); if (sound.checked) chime(); };
    }
    if (notice) prepareNotices(notice);
    if (central) {
      const known = recall("central");
      if (all("option", central).some((option) => option.value === known)) central.value = known;
      central.onchange = () => remember("central", central.value);
    }
  }

  function prepareNotices(box) {
    find("#sem-notificacao").hidden = canNotify();
    box.disabled = !canNotify();
    box.checked = canNotify() && Notification.permission === "granted" && recall("notificacao") === "1";
    box.onchange = async () => {
      const allowed = !box.checked || (await Notification.requestPermission()) === "granted";
      box.checked = box.checked && allowed;
      find("#notificacao-negada").hidden = allowed;
      remember("notificacao", box.checked ? "1" : "0");
    };
  }

  // ---- the page's own controls -------------------------------------------------------------------

  let noticeTimer = null;

  function say(text) {
    const [box, words] = [document.createElement("div"), document.createElement("p")];
    box.className = "notice refused";
    words.textContent = text;
    box.append(words);
    find("#aviso").replaceChildren(box);
    hideSoon(6000);
  }

  /** Copies the text of the element that the button names; without a clipboard (plain http) it is selected. */
  function copy(button) {
    const source = find(button.dataset.copy);
    if (navigator.clipboard) navigator.clipboard.writeText(source.textContent.trim());
    else getSelection().selectAllChildren(source);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  }

  function hideSoon(ms) {
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => find("#aviso").replaceChildren(), ms);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) dismiss(event.target.closest(".card"));
    if (event.target.closest("[data-dismiss-notice]")) find("#aviso").replaceChildren();
    if (event.target.closest("[data-copy]")) copy(event.target.closest("[data-copy]"));
    const menu = find("details.tools[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const notice = find("#aviso .notice");
    const card = document.activeElement.closest(".card") || find(".card", cards);
    if (notice) find("#aviso").replaceChildren();
    else if (card) dismiss(card);
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "aviso") return;
    clearTimeout(noticeTimer);
    if (find("#aviso .accepted")) hideSoon(6000);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "discagem" && event.detail.successful) event.detail.elt.reset();
  });
  for (const kind of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(kind, () => say(page.wordFailed));
  }
  addEventListener("pagehide", () => source && source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  addEventListener("online", connect);

  all(".card", cards).filter((card) => dismissed.has(Number(card.dataset.call))).forEach((card) => card.remove());
  if ("floating" in cards.dataset) fetchCards();
  all(".card", cards).forEach(tellShown);
  prepareChoices();
  connect();
  ring();
  setInterval(tick, 1000);
})();
