// The agent's calls over the page, in a shadow tree that the page's scripts and styles do not reach.

globalThis.ctiCards ??= (() => {
  "use strict";

  const MOST = 3;
  const STAY_MS = 15000; // of what has ended
  const LONGEST_MS = 4 * 3600 * 1000;
  const STYLE = `
    :host { all: initial; }
    .box { position: fixed; right: 16px; bottom: 16px; z-index: 2147483647; display: grid; gap: 10px; width: min(320px, calc(100vw - 32px)); font: 14px/1.4 system-ui, sans-serif; color-scheme: light dark; }
    article { background: light-dark(#fff, #1a2227); color: light-dark(#17212a, #e8eef1); border: 1px solid light-dark(#dde2e5, #2d393f); border-radius: 12px; box-shadow: 0 8px 28px rgb(0 0 0 / 25%); overflow: hidden; }
    header { display: flex; align-items: center; gap: 8px; padding: 4px 6px 4px 14px; font-weight: 600; color: light-dark(#12703c, #72d39a); background: light-dark(#e2f4e8, #173526); }
    article[data-state="ended"] header, .notice header { color: light-dark(#56636d, #a3b1b9); background: light-dark(#eef1f2, #222c32); }
    h2, p { margin: 0; overflow-wrap: anywhere; }
    h2 { font-size: 18px; line-height: 1.2; }
    div.body { display: grid; gap: 4px; padding: 10px 14px 12px; }
    .soft { color: light-dark(#56636d, #a3b1b9); }
    a { color: light-dark(#0b6e69, #5cc9bb); }
    nav { display: flex; gap: 14px; flex-wrap: wrap; margin-top: 4px; }
    button { all: unset; margin-left: auto; min-width: 32px; min-height: 32px; text-align: center; cursor: pointer; border-radius: 8px; color: inherit; }
    button:hover { background: rgb(0 0 0 / 8%); }
    button:focus-visible, a:focus-visible { outline: 2px solid light-dark(#1d5fae, #8bbcf5); }`;
  const STATES = { call_started: "rings", call_answered: "talks", call_ended: "ended" };
  const shown = new Map(); // call -> card
  const records = new Map(); // call -> address of the customer's record
  let box = null;

  const word = (name, ...facts) => chrome.i18n.getMessage(name, facts);

  function place() {
    if (box?.isConnected || box?.getRootNode().host?.isConnected) return box;
    const host = document.createElement("cti-cards");
    const root = host.attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    box = make("section", "box");
    box.setAttribute("aria-live", "polite");
    root.append(box);
    (document.body ?? document.documentElement).append(host);
    return box;
  }

  function make(name, kind = "", text = "") {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    if (text) made.textContent = text;
    return made;
  }

  /** An event of a call. What is over, or was only answered elsewhere, brings up no card that is not there. */
  function tell(kind, event, gateway) {
    const old = shown.get(event.call_id);
    if (!old && kind !== "call_started" && !(kind === "call_answered" && event.status === "talking")) return;
    const card = cardOf(kind, event, gateway);
    clearTimeout(old?.timer);
    if (old?.card.isConnected) old.card.replaceWith(card);
    else place().prepend(card);
    const timer = setTimeout(() => remove(event.call_id), kind === "call_ended" ? STAY_MS : LONGEST_MS);
    shown.set(event.call_id, { card, timer });
    [...shown.keys()].slice(0, -MOST).forEach(remove);
  }

  function remove(id) {
    const { card, timer } = shown.get(id) ?? {};
    clearTimeout(timer);
    card?.remove();
    shown.delete(id);
    records.delete(id);
  }

  /** Adds the link into the CRM to a card that is there. */
  function addLink(id, address) {
    const nav = /^https?:\/\//.test(address) && shown.get(id)?.card.querySelector("nav");
    if (!nav || records.has(id)) return;
    records.set(id, address);
    nav.prepend(link(address, word("openRecord")));
  }

  function cardOf(kind, event, gateway) {
    const card = make("article");
    card.dataset.state = STATES[kind];
    card.append(headOf(word(STATES[kind]), () => remove(event.call_id)));
    const body = make("div", "body");
    body.append(make("h2", "", nameOf(event)));
    if (event.contact) body.append(make("p", "", event.contact));
    if (event.direction !== "internal") body.append(make("p", "soft", shownNumber(event.number || "")));
    body.append(linksOf(event, gateway));
    card.append(body);
    return card;
  }

  function headOf(words, close) {
    const head = make("header", "", words);
    const button = make("button", "", "×");
    Object.assign(button, { type: "button", ariaLabel: word("dismiss"), title: word("dismiss"), onclick: close });
    head.append(button);
    return head;
  }

  function nameOf(event) {
    if (event.direction === "internal") return word("extension", event.number || "");
    return event.account_name || word(/[1-9]/.test(event.number || "") ? "unknownNumber" : "withheld");
  }

  function linksOf(event, gateway) {
    const links = make("nav");
    const record = records.get(event.call_id);
    if (record) links.append(link(record, word("openRecord")));
    links.append(link(`${gateway}/ligacoes/${Number(event.call_id)}`, word("seeCall")));
    return links;
  }

  function link(address, words) {
    const made = make("a", "", words);
    Object.assign(made, { href: address, target: "_blank", rel: "noopener noreferrer" });
    return made;
  }

  function shownNumber(number) {
    const [, area, first, last] = /^(\d\d)(\d{4,5})(\d{4})$/.exec(number) || [];
    return area ? `(${area}) ${first}-${last}` : number;
  }

  /** A sentence of what came of a click, which goes by itself. */
  function say(words) {
    const card = make("article", "notice");
    card.append(headOf(words, () => card.remove()));
    place().prepend(card);
    setTimeout(() => card.remove(), 6000);
  }

  return { tell, say, addLink };
})();
