// A card brought up to date in place: what the agent has open in it, typed, found or scrolled stays.

const typed = (field) => field.matches?.("input, textarea") && field.value !== field.defaultValue;
const written = (form) => form.matches?.("form[data-note].dirty");
const found = (box) => box.matches?.("[id^=contas-]") && box.childElementCount > 0;

export function morph(old, card) {
  const focused = old.contains(document.activeElement);
  Idiomorph.morph(old, card, {
    morphStyle: "outerHTML",
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (node) => !(node.nodeType === Node.ELEMENT_NODE && (typed(node) || found(node) || written(node))),
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
    },
  });
  htmx.process(old);
  if (focused && !old.contains(document.activeElement)) old.focus();
}

/** Whether the agent is at something in the card that must not be taken away. */
export const inUse = (card) => card.querySelector("details.attach[open], details.others[open]") !== null || card.querySelector("form[data-note].dirty") !== null || [...card.querySelectorAll("input")].some(typed);
