"""What each step of reading and dialling says to people, by the rule's stable identifier.

``{about}`` stands for what the step is about: the digits taken off, the area code put in front.
"""

from collections.abc import Mapping

from gateway.domain.numbering.reading import ReadingStep
from gateway.texts.text import Text

SENTENCES: Mapping[str, Text] = {
    # From a text to its digits.
    "display-name": Text("Took the address out of its angle brackets."),
    "address": Text("Took the user part of an address."),
    "channel": Text("Took the line out of the name of an exchange's channel."),
    "carrier-blank": Text("Left out XX, which stands for any operator's code."),
    "their-extension": Text("Split off the extension at the other party's."),
    "second-number": Text("Took the first of several numbers."),
    "plus": Text("Took the + for 00, the access to international numbers."),
    "noise": Text("Left out everything that is not a digit."),
    "decimal": Text("Took off a decimal part of zeros, which a spreadsheet or a program had added."),
    "exponent": Text("Wrote out a number that a spreadsheet had given a power of ten (E+)."),
    "shortened": Text("Was shortened by a spreadsheet (E+): digits are missing."),
    "date": Text("Is a date or a time of day."),
    "embedded": Text("Took the number out of the text around it."),
    # From the digits to a number.
    "extension": Text("Is one of the tenant's extensions."),
    "feature-code": Text("Is a code of the exchange itself, used like an extension."),
    "short": Text("Is a public service or operator code, dialled as it is."),
    "special": Text("Is a special number, which has no area code."),
    "needless-prefix": Text("Took off an area code or 55 that does not belong before it."),
    "access": Text("Took off {about}, which leads to Brazil from abroad."),
    "country": Text("Took off Brazil's country code ({about})."),
    "country-again": Text("Took off Brazil's country code once more ({about})."),
    "trunk": Text("Took off {about}: the 0 of long-distance calls and the operator's code, if any."),
    "collect": Text("Took off {about}, which asks the called party to pay."),
    "area-code": Text("Put the area code {about} in front: that of the tenant, or of the extension's branch."),
    "no-area-code": Text("Lacks an area code, and the tenant has none configured."),
    "ninth-digit": Text("Put the 9 in front that every mobile number has had since 2016."),
    "two-readings": Text("Kept a second reading: 55 is an area code and the country's code."),
    "fixed": Text("Is a fixed line: area code {about} exists, and eight digits from 2 to 5 follow."),
    "mobile": Text("Is a mobile: area code {about} exists, and nine digits from 9 on follow."),
    "foreign": Text("Is a valid number in another country."),
    "foreign-operator": Text("Took off the operator's code {about}; is a valid number in another country."),
    "stray-zeros": Text("Took off leading zeros or a + that led nowhere."),
    "unexplained": Text("No rule explains it, so it stays as it came."),
    "withheld": Text("The caller shows no number."),
    # From a number to what is dialled.
    "dial-extension": Text("Dials an extension as it is, without a prefix."),
    "dial-short": Text("Dials a public service as it is, without a prefix."),
    "dial-there": Text("Took off {about}, which the plan puts in front and which was there already."),
    "dial-number": Text("Dials the number; no prefix is configured."),
    "dial-rule": Text("Dials by the plan's rule {about}."),
    "dial-blocked": Text("Does not dial: blocked by {about}."),
    "dial-prefix": Text("Dials the number behind the prefix {about}, once."),
}


def step(rule: str, about: str = "") -> ReadingStep:
    """Return the step of ``rule``. Raises ``KeyError`` for a rule without a sentence."""
    return ReadingStep(rule, SENTENCES[rule], about)
