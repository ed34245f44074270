// The page of one call: brought up to date in place when somebody says whose the call is, on whatever screen.

import { inUse, morph } from "./morph.js";
import { find } from "./page.js";
import { piece } from "./pieces.js";

export async function refreshCallPage(id) {
  const shown = find(`article.facts[data-call="${id}"]`);
  if (!shown || inUse(shown)) return;
  const { text } = await piece(location.href);
  const fresh = text && find(`article.facts[data-call="${id}"]`, new DOMParser().parseFromString(text, "text/html"));
  if (fresh && shown.isConnected) morph(shown, fresh);
}
