// A card made of what the event itself says, shown until the gateway's own card comes.

import { find, page, unturned } from "./page.js";
import { gettext } from "./texts.js";

const template = find("#cartao-provisorio");
const STATES = {
  call_started: "ringing", call_answered: "talking", call_held: "held", call_resumed: "talking", call_transferred: "ended", call_ended: "ended", call_lost: "lost",
  order_placed: "ordered",
};

/** What the event says a call is doing; undefined when it says nothing of that. */
export function stateOf(told) {
  if (told.kind === "call_ended" && told.status === "elsewhere") return told.status;
  return told.kind === "order_settled" ? told.outcome : STATES[told.kind];
}

const WORDS = {
  ringing: gettext("Ringing"),
  talking: gettext("Answered"),
  held: gettext("On hold"),
  ongoing: gettext("In progress"),
  ordered: gettext("Calling"),
  accepted: gettext("Call accepted"),
  refused: gettext("Refused"),
  unreachable: gettext("Appliance unreachable"),
  unknown: gettext("No clear answer — it will not be redialled"),
  ended: gettext("Ended"),
  lost: gettext("No end reported"),
  elsewhere: gettext("Answered at another extension"),
};

export const wordsOf = (state) => WORDS[state] || "";

export function standIn(told) {
  const card = template.content.cloneNode(true).querySelector(".card");
  const state = stateOf(told);
  card.id = `ligacao-${told.call_id}`;
  card.classList.add(state);
  const [name, other, contact] = [nameOf(told), numberText(otherEnd(told)), told.contact].map(unturned);
  const said = `${find(`[data-of="${told.direction}"]`, card)?.textContent.trim()}: ${name}, ${other}.`;
  Object.assign(card.dataset, { call: told.call_id, state, direction: told.direction, since: sinceOf(told) });
  Object.assign(card.dataset, { title: [contact, name].filter(Boolean).join(" — "), text: other, said });
  fill(card, told, { name, other, contact, state });
  return card;
}

function fill(card, told, { name, other, contact, state }) {
  for (const box of card.querySelectorAll("[data-of]")) if (box.dataset.of !== told.direction) box.remove();
  find(".state .words", card).textContent = wordsOf(state);
  find("h2", card).textContent = name;
  find("h2", card).classList.toggle("nobody", !told.account_name && told.direction !== "internal");
  find(".contact span", card).textContent = contact;
  find(".contact", card).hidden = !contact;
  find(".plain", card).textContent = other || gettext("Withheld number");
  find("a", card).href = page.call.replace(/0$/, told.call_id);
}

export const sinceOf = (told) => (told.kind === "call_held" && (told.held_at || told.at)) || (told.status === "talking" && told.answered_at) || told.started_at || told.at;
const mine = () => page.extension;
const otherEnd = (told) => (told.direction === "internal" && told.number === mine() ? told.extension : told.number) || "";
const canBeCalled = (number) => /[1-9]/.test(number) && !/[^\d+()./\s*#-]/.test(number);

function nameOf(told) {
  if (told.direction === "internal") return gettext("Extension {extension}", { extension: otherEnd(told) });
  return told.account_name || (canBeCalled(told.number || "") ? gettext("Unknown number") : gettext("Withheld number"));
}

/** `(47) 99999-8888` of a Brazilian number with its area code; any other text as it is. */
function numberText(number) {
  const [, area, first, last] = /^(\d\d)(\d{4,5})(\d{4})$/.exec(number) || [];
  return area ? `(${area}) ${first}-${last}` : number;
}
