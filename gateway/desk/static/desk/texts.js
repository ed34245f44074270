// Sentences in the reader's language. They stand in the code in English, and the page has their translations (desk.html).

const { lang } = document.documentElement;
const sentences = JSON.parse(document.querySelector("#sentences").content.textContent);
const plurals = new Intl.PluralRules(lang);
const filled = (text, facts) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);

/** The sentence `id`, with `facts` in the place of {name}. */
export const gettext = (id, facts = {}) => filled(sentences[id] ?? id, facts);

/** The sentence for `count`, which stands in it as {count}. */
export function ngettext(one, many, count) {
  const [single, several] = sentences[one] ?? [one, many];
  return filled(plurals.select(count) === "one" ? single : several, { count: count.toLocaleString(lang) });
}

export const clockTime = (moment) => moment.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
