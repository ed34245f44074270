// Requests to the gateway, with the session's token. Nothing but the gateway's address is ever sent it.

import { settings } from "./settings.js";

const PATIENCE_MS = 20000;

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The JSON that the gateway answers. Throws `Refused` with a sentence for people. */
export async function ask(path, body = null, connection = null) {
  const { gateway, token } = connection ?? (await settings());
  if (!gateway || !token) throw new Refused(chrome.i18n.getMessage("notConnected"), 401);
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const how = { headers, method: body ? "POST" : "GET", body: body && JSON.stringify(body), credentials: "omit", cache: "no-store", redirect: "error" };
  let answer = null;
  try {
    answer = await fetch(gateway + path, { ...how, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch { throw new Refused(chrome.i18n.getMessage("noAnswer", gateway), 0); }
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) throw new Refused(chrome.i18n.getMessage("revoked"), 401);
  if (!answer.ok) throw new Refused(told.message || chrome.i18n.getMessage("noAnswer", gateway), answer.status);
  return told;
}

export const dial = (number) => ask("/api/dial", { number, request_id: crypto.randomUUID() });
