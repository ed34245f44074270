// Puts a small telephone behind each number of a page. The page's own texts are left as they are, so that frameworks
// that keep hold of them go on working. Works in small slices, and no more than so much on one page.

globalThis.ctiMarks ??= (() => {
  "use strict";

  const MOST_MARKS = 2000;
  const MOST_WAITING = 500; // pieces of the page; more, and the page is gone through once as a whole
  const SLICE = 300; // texts looked at in one go
  const SKIP = "script, style, noscript, textarea, input, select, option, button, code, pre, svg, iframe, cti-call, cti-cards, [contenteditable=''], [contenteditable='true'], a[href^='tel:' i], a[href^='callto:' i]";
  const STYLE = `
    button { all: unset; box-sizing: border-box; display: inline-grid; place-items: center; width: 1.25em; height: 1.25em; margin: 0 .2em; border-radius: .3em; vertical-align: -.2em; cursor: pointer; color: #0b6e69; background: #e3f2f0; }
    button:hover { background: #0b6e69; color: #fff; }
    button:focus-visible { outline: 2px solid #1d5fae; outline-offset: 1px; }
    button[data-state="busy"] { opacity: .5; cursor: progress; }
    button[data-state="done"] { background: #12703c; color: #fff; }
    button[data-state="failed"] { background: #b3261e; color: #fff; }
    svg { width: .85em; height: .85em; fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round; }`;
  const PHONE = "M6.2 3.5h2.6l1.7 4.6-2.2 1.8a12.6 12.6 0 0 0 5.8 5.8l1.8-2.2 4.6 1.7v2.6a2.2 2.2 0 0 1-2.3 2.2A15.6 15.6 0 0 1 4 5.8a2.2 2.2 0 0 1 2.2-2.3z";
  const marksOf = new WeakMap(); // text -> its marks
  const queue = [];
  let sheet = null;
  let walker = null;
  let scheduled = false;
  let count = 0;
  let dial = null;

  function begin(how) {
    dial = how;
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    document.addEventListener("click", clicked, true);
    new MutationObserver(changed).observe(document.documentElement, { childList: true, characterData: true, subtree: true });
    wait(document.body);
  }

  // ---- what changes -----------------------------------------------------------------------------

  function changed(records) {
    for (const { type, target, addedNodes, removedNodes } of records) {
      if (type === "characterData") wait(target);
      for (const node of addedNodes) if (node.nodeType === Node.TEXT_NODE || (node.nodeType === Node.ELEMENT_NODE && node.localName !== "cti-call")) wait(node);
      for (const node of removedNodes) if (node.nodeType === Node.TEXT_NODE) unmark(node);
    }
  }

  function wait(root) {
    if (!root) return;
    if (queue.length >= MOST_WAITING) queue.splice(0, queue.length, document.body);
    else queue.push(root);
    if (!scheduled) { scheduled = true; requestIdleCallback(work, { timeout: 1000 }); }
  }

  function work(idle) {
    scheduled = false;
    for (let done = 0; done < SLICE && (idle.didTimeout || idle.timeRemaining() > 1); done += 1) {
      const text = next();
      if (!text) return;
      look(text);
    }
    scheduled = true;
    requestIdleCallback(work, { timeout: 1000 });
  }

  /** The next text to look at; null when there is none. */
  function next() {
    for (;;) {
      const node = walker?.nextNode();
      if (node) return node;
      walker = null;
      const root = queue.shift();
      if (!root) return null;
      if (!root.isConnected || (root.nodeType === Node.TEXT_NODE ? root.parentElement : root)?.closest(SKIP)) { if (root.nodeType === Node.TEXT_NODE) unmark(root); continue; }
      if (root.nodeType === Node.TEXT_NODE) return root;
      walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (each) => {
        if (each.nodeType === Node.TEXT_NODE) return NodeFilter.FILTER_ACCEPT;
        return each.matches(SKIP) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
      });
    }
  }

  // ---- marks ------------------------------------------------------------------------------------

  function look(text) {
    const numbers = text.data.length < 8 ? [] : globalThis.ctiNumbers.find(text.data).map((found) => found.number);
    const before = marksOf.get(text) ?? [];
    if (before.map((mark) => mark.dataset.number).join() === numbers.join() && before.every((mark) => mark.isConnected)) return;
    unmark(text);
    if (!numbers.length || count + numbers.length > MOST_MARKS) return;
    const marks = numbers.map(markFor);
    count += marks.length;
    marksOf.set(text, marks);
    text.after(...marks);
  }

  function unmark(text) {
    const marks = marksOf.get(text) ?? [];
    marks.forEach((mark) => mark.remove());
    count -= marks.length;
    marksOf.delete(text);
  }

  function markFor(number) {
    const mark = document.createElement("cti-call");
    mark.dataset.number = number;
    const root = mark.attachShadow({ mode: "closed" });
    root.adoptedStyleSheets = [sheet];
    const button = document.createElement("button");
    const words = chrome.i18n.getMessage("dialNumber", number);
    Object.assign(button, { type: "button", title: words, ariaLabel: words });
    button.append(icon());
    button.addEventListener("click", (event) => {
      if (!event.isTrusted) return; // the page's script, not the agent
      event.preventDefault();
      event.stopPropagation();
      place(number, button, words);
    });
    root.append(button);
    return mark;
  }

  function icon() {
    const [svg, path] = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", PHONE);
    svg.append(path);
    return svg;
  }

  async function place(number, button, words) {
    if (button.dataset.state === "busy") return;
    button.dataset.state = "busy";
    const { ok, message } = await dial(number);
    button.dataset.state = ok ? "done" : "failed";
    button.title = message;
    setTimeout(() => { delete button.dataset.state; button.title = words; }, 6000);
  }

  function clicked(event) {
    const link = event.isTrusted && event.composedPath().find((each) => each.localName === "a" && /^(?:tel|callto):/i.test(each.getAttribute("href") ?? ""));
    if (!link) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    dial(numberIn(link.getAttribute("href")));
  }

  function numberIn(href) {
    const text = href.replace(/^[a-z]+:(\/\/)?/i, "").replace(/[;?].*$/, "");
    try { return decodeURIComponent(text); } catch { return text; }
  }

  return { begin };
})();
