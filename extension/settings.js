// What this browser keeps: the gateway's address, the token of its session, and the pages where numbers are dialled.

const FILES = ["numbers.js", "marks.js", "cards.js", "page.js"];
const SCRIPT = "cti-pages";

/** `gateway` such as "https://cti.acme.com.br", `token`, `sites` such as "https://crm.example". */
export async function settings() {
  const { gateway = "", token = "", sites = [] } = await chrome.storage.local.get(["gateway", "token", "sites"]);
  return { gateway, token, sites };
}

export const save = (changed) => chrome.storage.local.set(changed);

/** What the desk's page gives to paste: the gateway's address, and behind # the token. Throws on anything else. */
export function connectionIn(text) {
  let url = null;
  try { url = new URL(text.trim()); } catch { /* told below */ }
  const token = url?.hash.slice(1) ?? "";
  if (!url || !/^https?:$/.test(url.protocol) || !/^ctix_[\w-]{40,60}$/.test(token)) throw new Error(chrome.i18n.getMessage("notAConnection"));
  return { gateway: url.origin + url.pathname.replace(/\/+$/, ""), token };
}

/** Scheme and host of `text`, as the browser's address line has them. Throws on anything else. */
export function siteIn(text) {
  const written = text.trim();
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(written) ? written : `https://${written}`);
    if (/^https?:$/.test(url.protocol)) return url.origin;
  } catch { /* told below */ }
  throw new Error(chrome.i18n.getMessage("notASite", written));
}

export const patternOf = (site) => `${site}/*`;

/** Has the scripts run in the named pages, and in no others. One at a time: a page and the service worker may both ask. */
export const register = () => navigator.locks.request(SCRIPT, registerNow);

async function registerNow() {
  const { sites } = await settings();
  const matches = [];
  for (const site of sites) if (await chrome.permissions.contains({ origins: [patternOf(site)] })) matches.push(patternOf(site));
  const known = await chrome.scripting.getRegisteredContentScripts({ ids: [SCRIPT] });
  if (known.length) await chrome.scripting.unregisterContentScripts({ ids: [SCRIPT] });
  if (matches.length) await chrome.scripting.registerContentScripts([{ id: SCRIPT, matches, js: FILES, runAt: "document_idle", allFrames: true }]);
}

/** Has the scripts run in a page that is open already. */
export const runIn = (tabId) => chrome.scripting.executeScript({ target: { tabId, allFrames: true }, files: FILES });
