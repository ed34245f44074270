// What the agent chooses for this browser: sound, notifications, the appliance to dial by.

import { all, find, recall, remember } from "./page.js";
import { canNotify, chime, openSound } from "./ringing.js";

export function prepareChoices() {
  prepareSoundSwitch(find("#som"));
  prepareNotices(find("#notificacao"));
  prepareCentral(find("#central"));
  prepareLinks(find("#usar-links"));
}

/** Browsers take such a page for tel: links only, and from https pages (or this machine's) only. */
function prepareLinks(button) {
  if (!button || !navigator.registerProtocolHandler || !window.isSecureContext) return;
  button.hidden = false;
  button.onclick = () => navigator.registerProtocolHandler("tel", location.origin + button.dataset.address);
}

function prepareSoundSwitch(box) {
  const show = () => { if (box) box.checked = recall("som") === "1"; };
  show();
  addEventListener("storage", () => { show(); openSound(); });
  if (!box) return;
  box.onchange = () => {
    remember("som", box.checked ? "1" : "0");
    if (box.checked) chime();
    openSound();
  };
}

function prepareNotices(box) {
  if (!box) return;
  const allowed = () => canNotify() && Notification.permission === "granted";
  find("#sem-notificacao").hidden = canNotify();
  box.disabled = !canNotify();
  const show = () => { box.checked = allowed() && recall("notificacao") === "1"; };
  show();
  addEventListener("storage", show);
  box.onchange = async () => {
    const may = !box.checked || (await Notification.requestPermission()) === "granted";
    box.checked = box.checked && may;
    find("#notificacao-negada").hidden = may;
    remember("notificacao", box.checked ? "1" : "0");
  };
}

function prepareCentral(box) {
  if (!box) return;
  const known = recall("central");
  if (all("option", box).some((option) => option.value === known)) box.value = known;
  box.onchange = () => remember("central", box.value);
}
