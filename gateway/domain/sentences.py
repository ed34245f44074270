"""What each step of reading and dialling says to people, in English and Portuguese, by the rule's stable identifier.

``{}`` stands for what the step is about: the digits taken off, the area code put in front.
"""

from collections.abc import Mapping

from gateway.domain.numbering.reading import ReadingStep

SENTENCES: Mapping[str, tuple[str, str]] = {
    # From a text to its digits.
    "display-name": (
        "Took the address out of its angle brackets.",
        "Foi usado o endereço entre os sinais < e >.",
    ),
    "address": (
        "Took the user part of an address.",
        "Foi usada a parte do usuário de um endereço.",
    ),
    "channel": (
        "Took the line out of the name of an exchange's channel.",
        "Foi usada a linha que está no nome de um canal da central.",
    ),
    "carrier-blank": (
        "Left out XX, which stands for any operator's code.",
        "Foi retirado o XX, que representa o código de qualquer operadora.",
    ),
    "their-extension": (
        "Split off the extension at the other party's.",
        "Foi separado o ramal da outra parte.",
    ),
    "second-number": (
        "Took the first of several numbers.",
        "Foi usado o primeiro de vários números.",
    ),
    "plus": (
        "Took the + for 00, the access to international numbers.",
        "O + foi lido como 00, o acesso a números internacionais.",
    ),
    "noise": (
        "Left out everything that is not a digit.",
        "Foi retirado tudo o que não é dígito.",
    ),
    "decimal": (
        "Took off a decimal part of zeros, which a spreadsheet or a program had added.",
        "Foi retirada a parte decimal de zeros, que uma planilha ou um programa tinha acrescentado.",
    ),
    "exponent": (
        "Wrote out a number that a spreadsheet had given a power of ten (E+).",
        "Foi escrito por extenso um número que uma planilha tinha posto em notação científica (E+).",
    ),
    "shortened": (
        "Was shortened by a spreadsheet (E+): digits are missing.",
        "Foi abreviado por uma planilha (E+): faltam dígitos.",
    ),
    "date": (
        "Is a date or a time of day.",
        "É uma data ou um horário.",
    ),
    "embedded": (
        "Took the number out of the text around it.",
        "O número foi encontrado no meio de um texto.",
    ),
    # From the digits to a number.
    "extension": (
        "Is one of the tenant's extensions.",
        "É um dos ramais da empresa.",
    ),
    "feature-code": (
        "Is a code of the exchange itself, used like an extension.",
        "É um código da própria central, usado como um ramal.",
    ),
    "short": (
        "Is a public service or operator code, dialled as it is.",
        "É um código de serviço público ou de operadora, discado como está.",
    ),
    "special": (
        "Is a special number, which has no area code.",
        "É um número especial, que não tem DDD.",
    ),
    "needless-prefix": (
        "Took off an area code or 55 that does not belong before it.",
        "Foi retirado um DDD ou 55 que não deve vir antes dele.",
    ),
    "access": (
        "Took off {}, which leads to Brazil from abroad.",
        "Foi retirado {}, que leva ao Brasil a partir do exterior.",
    ),
    "country": (
        "Took off Brazil's country code ({}).",
        "Foi retirado o código do Brasil ({}).",
    ),
    "country-again": (
        "Took off Brazil's country code once more ({}).",
        "Foi retirado mais uma vez o código do Brasil ({}).",
    ),
    "trunk": (
        "Took off {}: the 0 of long-distance calls and the operator's code, if any.",
        "Foi retirado {}: o 0 de longa distância e o código da operadora, se houver.",
    ),
    "collect": (
        "Took off {}, which asks the called party to pay.",
        "Foi retirado {}, que pede que quem recebe a chamada pague (a cobrar).",
    ),
    "area-code": (
        "Put the area code {} in front: that of the tenant, or of the extension's branch.",
        "Foi acrescentado o DDD {}: o da empresa, ou o da filial do ramal.",
    ),
    "no-area-code": (
        "Lacks an area code, and the tenant has none configured.",
        "Falta o DDD, e a empresa não tem um configurado.",
    ),
    "ninth-digit": (
        "Put the 9 in front that every mobile number has had since 2016.",
        "Foi acrescentado o 9 que todo celular tem desde 2016.",
    ),
    "two-readings": (
        "Kept a second reading: 55 is an area code and the country's code.",
        "Foi mantida uma segunda leitura: 55 é um DDD e também o código do país.",
    ),
    "fixed": (
        "Is a fixed line: area code {} exists, and eight digits from 2 to 5 follow.",
        "É um telefone fixo: o DDD {} existe e vem seguido de oito dígitos que começam por 2 a 5.",
    ),
    "mobile": (
        "Is a mobile: area code {} exists, and nine digits from 9 on follow.",
        "É um celular: o DDD {} existe e vem seguido de nove dígitos que começam por 9.",
    ),
    "foreign": (
        "Is a valid number in another country.",
        "É um número válido em outro país.",
    ),
    "foreign-operator": (
        "Took off the operator's code {}; is a valid number in another country.",
        "Foi retirado o código da operadora ({}); é um número válido em outro país.",
    ),
    "stray-zeros": (
        "Took off leading zeros or a + that led nowhere.",
        "Foram retirados zeros ou um + que não levavam a lugar nenhum.",
    ),
    "unexplained": (
        "No rule explains it, so it stays as it came.",
        "Nenhuma regra o explica: fica como veio.",
    ),
    "withheld": (
        "The caller shows no number.",
        "Quem liga não mostra o número.",
    ),
    # From a number to what is dialled.
    "dial-extension": (
        "Dials an extension as it is, without a prefix.",
        "O ramal é discado como está, sem prefixo.",
    ),
    "dial-short": (
        "Dials a public service as it is, without a prefix.",
        "O serviço público é discado como está, sem prefixo.",
    ),
    "dial-there": (
        "Took off {}, which the plan puts in front and which was there already.",
        "Foi retirado {}, que o plano põe na frente e que já estava lá.",
    ),
    "dial-number": (
        "Dials the number; no prefix is configured.",
        "O número é discado; nenhum prefixo está configurado.",
    ),
    "dial-rule": (
        "Dials by the plan's rule {}.",
        "Discado pela regra do plano {}.",
    ),
    "dial-blocked": (
        "Does not dial: blocked by {}.",
        "Não é discado: bloqueado por {}.",
    ),
    "dial-prefix": (
        "Dials the number behind the prefix {}, once.",
        "O número é discado com o prefixo {} na frente, uma só vez.",
    ),
}


def step(rule: str, about: str = "") -> ReadingStep:
    """The step of ``rule`` with its English sentence. Raises ``KeyError`` for a rule without sentences."""
    return ReadingStep(rule, SENTENCES[rule][0].format(about), about)


def in_portuguese(step: ReadingStep) -> str:
    """What ``step`` says, for the people at the desk."""
    return SENTENCES[step.rule][1].format(step.about)
