// The extension's own page: the connection to the gateway, and the pages where numbers are dialled.

import { ask } from "./api.js";
import { connectionIn, patternOf, register, save, settings, siteIn } from "./settings.js";
import { word } from "./texts.js";

const find = (selector) => document.querySelector(selector);
const say = (text) => { find("#problem").textContent = text; };

async function guarded(work) {
  say("");
  try { await work(); } catch (error) { say(error.message); }
  await show();
}

/** Asked for in the click itself: browsers allow it nowhere else. Throws when the user says no. */
async function request(site) {
  if (!(await chrome.permissions.request({ origins: [patternOf(site)] }))) throw new Error(word("notAllowed", site));
}

find("#connect").onsubmit = (event) => {
  event.preventDefault();
  guarded(async () => {
    const connection = connectionIn(find("#address").value);
    await request(new URL(connection.gateway).origin);
    await ask("/api/me", null, connection);
    await save(connection);
    find("#address").value = "";
  });
};

find("#disconnect").onclick = () => guarded(() => save({ token: "" }));

find("#add").onsubmit = (event) => {
  event.preventDefault();
  guarded(async () => {
    const site = siteIn(find("#site").value);
    await request(site);
    const { sites } = await settings();
    await save({ sites: [...new Set([...sites, site])] });
    await register();
    find("#site").value = "";
  });
};

const remove = (site) => guarded(async () => {
  const { sites, gateway } = await settings();
  await save({ sites: sites.filter((each) => each !== site) });
  if (!gateway.startsWith(site)) await chrome.permissions.remove({ origins: [patternOf(site)] });
  await register();
});

async function show() {
  const { gateway, token, sites } = await settings();
  find("#disconnect").hidden = !token;
  find("#sites").replaceChildren(...sites.map(lineOf));
  const who = find("#who");
  try {
    const me = token ? await ask("/api/me") : null;
    who.textContent = me ? word("connectedAs", me.name, me.extension, gateway) : word("notConnected");
    who.className = me ? "good" : "soft";
  } catch (error) {
    who.textContent = error.message;
    who.className = "bad";
  }
}

function lineOf(site) {
  const [line, name, button] = ["li", "span", "button"].map((each) => document.createElement(each));
  name.textContent = site;
  Object.assign(button, { type: "button", textContent: word("remove"), onclick: () => remove(site) });
  line.append(name, button);
  return line;
}

show();
