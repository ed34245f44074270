// The desk's own script: follows the events of this page's extension, and rings. What each module does stands at its top.

import { refreshCallPage } from "./callpage.js";
import { heardOf, prepareCards, refreshCards, removeDismissed, tick } from "./cards.js";
import { prepareChoices } from "./choices.js";
import { tickClocks } from "./clocks.js";
import { sayConnection } from "./connection.js";
import { prepareControls, tellLog } from "./controls.js";
import { Link } from "./link.js";
import { callsChanged, missedChanged, prepareMissed } from "./missed.js";
import { prepareNotes } from "./notes.js";
import { atMostEvery, find, formHeaders, page } from "./page.js";
import { oneAtATime, surely } from "./pieces.js";
import { mayOpen, prepareRecords } from "./records.js";
import { canSound, prepareSound, spoken } from "./ringing.js";
import { leave, watchSession } from "./session.js";

const refreshRecent = atMostEvery(500, oneAtATime(async (wanted) => {
  const box = find("#recentes");
  const text = box && await surely(page.recent, wanted);
  if (text) { box.innerHTML = text; htmx.process(box); }
}));

function told(kind, event) {
  if (kind === "missed_changed" || kind === "reset") missedChanged();
  if (kind === "missed_changed") return;
  document.dispatchEvent(new CustomEvent("cti:told", { detail: { kind, event } })); // see panel.js
  tellLog();
  callsChanged();
  if (event.kind === "account_chosen") refreshCallPage(event.call_id);
  if (kind === "log" || kind === "agent_state_changed") return;
  refreshRecent();
  if (kind === "reset") refreshCards();
  else heardOf(kind, event);
}

function follow() {
  const place = { events: page.events, me: page.me, session: page.session, token: formHeaders()["X-CSRF-Token"] };
  Object.assign(place, { worker: page.worker, channel: `cti:events:${page.worker}:${page.session}` });
  const hooks = { told, stated: sayConnection, left: leave, spoken: chosen };
  return new Link(place, page.seq, page.scope === "tenant", hooks);
}

/** `speaker` is the tab that makes sound, notifies and opens the CRM for all. */
function chosen(speaker) {
  spoken(speaker, link?.id);
  mayOpen(Boolean(speaker) && speaker.id === link?.id);
}

let link = null;
prepareRecords();
prepareControls();
prepareCards();
prepareChoices();
prepareMissed();
prepareNotes();
watchSession();
link = follow();
prepareSound((sounds) => link.describe({ sounds }));
link.describe({ sounds: canSound(), visible: !document.hidden, focused: document.hasFocus() ? Date.now() : 0 });

document.addEventListener("visibilitychange", () => {
  link.describe({ visible: !document.hidden });
  if (!document.hidden) link.hurry();
});
addEventListener("focus", () => link.describe({ focused: Date.now() }));
addEventListener("online", () => link.hurry());
addEventListener("pagehide", () => link.pause());
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  removeDismissed();
  link.resume();
});
find("#tentar-agora").addEventListener("click", () => link.hurry());
setInterval(tick, 1000);
setInterval(tickClocks, 1000);
