// Finds telephone numbers in a text: Brazilian ones as people write them, and international ones with +.
// Not prices, CPFs, CNPJs, CEPs, dates, cards or numbers of orders: of what is not clear nothing is said.

globalThis.ctiNumbers ??= (() => {
  "use strict";

  const LONGEST = 5000; // characters of a text that are looked at
  const MOST = 5; // numbers in one text
  const CANDIDATE = /(?:\+|\(\+?)?\d[\d().\-\s\u00a0]{5,22}\d/g;
  const DDDS = new Set(
    "11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55 61 62 63 64 65 66 67 68 69 71 73 74 75 77 79 81 82 83 84 85 86 87 88 89 91 92 93 94 95 96 97 98 99".split(" "),
  );
  const MONEY_BEFORE = /(?:R\$|US\$|[$€£¥]|BRL|USD|EUR)\s*$/i;
  const NO_PHONE_BEFORE = /(?:\b(?:cpf|cnpj|rg|ie|cep|pis|nis|cnh|nf-?e?|nota|pedido|protocolo|ticket|c[oó]d(?:igo)?|contrato|matr[ií]cula|conta|ag[eê]ncia|boleto|chave|serial|isbn|sku|id|order|invoice|factura|orden|n[uú]mero de s[eé]rie)\b[\s.:#nNº°o-]{0,6}|[#@])$/i;
  const NO_PHONES = [
    /^\d{3}\.\d{3}\.\d{3}-\d{2}$/, // CPF
    /^\d{2}\.\d{3}\.\d{3}/, // CNPJ, RG
    /^\d{5}-\d{3}$/, // CEP
    /^\d{1,2}[-./]\d{1,2}[-./](?:\d{2}|\d{4})\b/, // 30/11/2026
    /^\d{4}[-./]\d{1,2}[-./]\d{1,2}\b/, // 2026-11-30
    /^\d{1,3}(?:\.\d{3})+$/, // 1.234.567
    /^\d{1,3}(?:\.\d{1,3}){3}$/, // an IP address
    /^\d{4}[ -]\d{4}[ -]\d{4}/, // a card
    /^\d{2}\.\d{2}\.\d{4}/,
  ];

  /** The numbers in `text`: [{start, end, number}], `number` with digits and a leading + only. */
  function find(text) {
    const found = [];
    for (const match of text.slice(0, LONGEST).matchAll(CANDIDATE)) {
      for (const part of partsOf(match[0])) {
        const start = match.index + part.at;
        const number = numberOf(part.text, text.slice(Math.max(0, start - 24), start), text.slice(start + part.text.length));
        if (number) found.push({ start, end: start + part.text.length, number });
        if (found.length >= MOST) return found;
      }
    }
    return found;
  }

  /** What stands on other lines or behind wide gaps is told apart. */
  function partsOf(text) {
    const parts = [];
    for (const match of text.matchAll(/\S(?:(?!\s{2}|\n).)*/gs)) parts.push({ at: match.index, text: match[0].replace(/[\s.(-]+$/, "") });
    return parts;
  }

  function numberOf(written, before, after) {
    if (/[\w.,:/=&%*-]$/.test(before) && !/(?:^|\s)\w*[.:/]$/.test(before)) return null;
    if (/\d[.,:/]$/.test(before) || MONEY_BEFORE.test(before) || NO_PHONE_BEFORE.test(before)) return null;
    if (/^(?:[A-Za-z_%=@]|[.,:/-]\d)/.test(after)) return null;
    if (NO_PHONES.some((shape) => shape.test(written)) || !balanced(written)) return null;
    const digits = written.replace(/\D/g, "");
    if (/^\(?\+/.test(written)) return abroad(digits);
    return inBrazil(digits, written);
  }

  const balanced = (text) => (text.match(/\(/g) ?? []).length === (text.match(/\)/g) ?? []).length;

  const abroad = (digits) => {
    if (digits.startsWith("55")) return hasAreaCode(digits.slice(2)) ? `+${digits}` : null;
    return digits.length >= 8 && digits.length <= 15 && digits[0] !== "0" ? `+${digits}` : null;
  };

  function inBrazil(digits, written) {
    if (/^0(?:800|300|500|900|303)\d{6,7}$/.test(digits)) return digits;
    if (/^0/.test(digits)) { // 0 47 ..., 0 15 47 ... with the operator
      const rest = [digits.slice(1), digits.slice(3)].find(hasAreaCode);
      return rest && digits.length - rest.length <= 3 ? rest : null;
    }
    if (hasAreaCode(digits)) return plausible(digits, written) ? digits : null;
    if (/^55/.test(digits) && hasAreaCode(digits.slice(2)) && /\D/.test(written)) return `+${digits}`;
    if (/^(?:[345]00\d-?\s?\d{4})$/.test(written)) return digits; // 4004-1234
    return /^(?:9\d{4}|[2-5]\d{3})-\d{4}$/.test(written) ? digits : null; // local, only if written as one
  }

  /** DDD and number: a mobile one has nine digits and begins with 9, a fixed one eight and begins with 2 to 5. */
  const hasAreaCode = (digits) => /^\d{2}(?:9\d{8}|[2-5]\d{7})$/.test(digits) && DDDS.has(digits.slice(0, 2));

  /** Digits alone could also be a CPF; one with right check digits is taken for that unless it is a mobile's. */
  const plausible = (digits, written) => /\D/.test(written) || digits.length === 10 || digits[2] === "9";

  return { find };
})();
