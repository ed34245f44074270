// The sentences of a page of the extension, in the browser's language.

export const word = (name, ...facts) => chrome.i18n.getMessage(name, facts);

document.documentElement.lang = chrome.i18n.getUILanguage();
document.title = word("name");
for (const each of document.querySelectorAll("[data-text]")) each.textContent = word(each.dataset.text);
