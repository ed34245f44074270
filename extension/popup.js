// The small window behind the extension's button: dial, and have the numbers of the page at hand dialled.

import { ask, dial } from "./api.js";
import { patternOf, register, runIn, save, settings } from "./settings.js";
import { word } from "./texts.js";

const find = (selector) => document.querySelector(selector);

function say(text, good) {
  find("#told").textContent = text;
  find("#told").className = good ? "good" : "bad";
}

find("#dial").onsubmit = async (event) => {
  event.preventDefault();
  try {
    const { ok, message } = await dial(find("#number").value);
    say(message, ok);
  } catch (error) { say(error.message, false); }
};

async function showWho() {
  try {
    const me = await ask("/api/me");
    find("#who").textContent = word("connectedAs", me.name, me.extension, me.title);
  } catch (error) { find("#who").textContent = error.message; }
}

async function showHere() {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  const site = /^https?:/.test(tab?.url ?? "") ? new URL(tab.url).origin : null;
  if (!site) return;
  const { sites } = await settings();
  const on = sites.includes(site);
  Object.assign(find("#here"), { hidden: false, textContent: word(on ? "stopHere" : "startHere", site), onclick: () => toggle(site, on, tab.id) });
}

async function toggle(site, on, tabId) {
  if (!on && !(await chrome.permissions.request({ origins: [patternOf(site)] }))) return say(word("notAllowed", site), false);
  const { sites } = await settings();
  await save({ sites: on ? sites.filter((each) => each !== site) : [...sites, site] });
  await register();
  if (!on) await runIn(tabId);
  await showHere();
}

showWho();
showHere();
