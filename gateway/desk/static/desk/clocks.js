// Clocks of lists: how long it is since the moment that an element names in data-clock.

import { duration } from "./cards.js";
import { all, now } from "./page.js";

export function tickClocks() {
  for (const clock of all("[data-clock]")) clock.textContent = duration(now() - Number(clock.dataset.clock));
}
