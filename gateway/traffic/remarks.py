"""What there is to say of an entry of the traffic log, in a reader's language."""

from collections.abc import Mapping, Sequence

from gateway.store.traffic import Remark, RemarkCode, TrafficEntry
from gateway.texts.languages import DEFAULT, Language
from gateway.texts.rendering import render
from gateway.texts.text import Text

SENTENCES: Mapping[RemarkCode, Text] = {
    RemarkCode.ADDRESS: Text("{address}"),
    RemarkCode.REPAIRED: Text("mended: {repairs}"),
    RemarkCode.REPLAYED: Text("replay of {entry} by {by}"),
    RemarkCode.UNPACKED: Text("body unpacked"),
    RemarkCode.CONVERTED: Text("body converted to UTF-8"),
    RemarkCode.CUT: Text("cut: {size} bytes, {kept} kept"),
    RemarkCode.BODY_CUT: Text("cut: body of {size} bytes, {kept} kept"),
    RemarkCode.UNPACKED_CUT: Text("cut: {kept} bytes of it kept"),
    RemarkCode.BODY_HIDDEN: Text(
        "cut: body and parameters not kept, for they hold a password written in a way that is not found in them"
    ),
    RemarkCode.TEXTS_HIDDEN: Text("cut: texts of the body masked, for no operation read it to its end"),
    RemarkCode.NOT_MAPPED: Text("not understood: {problem}"),
    RemarkCode.ANSWER_CUT: Text("answer cut: {size} bytes, {kept} kept"),
    RemarkCode.SECRET_MISSING: Text("not proven: the secret is missing ({place})"),
    RemarkCode.SECRET_WRONG: Text("not proven: the secret is wrong ({place})"),
    RemarkCode.SIGNATURE_MISSING: Text("not proven: the signature is missing ({place})"),
    RemarkCode.SIGNATURE_WRONG: Text(
        "not proven: the signature in {place} is not that of this request to {url}; compare the secret and public_url"
    ),
    RemarkCode.TIMESTAMP_MISSING: Text("not proven: the time of signing is missing, or no time ({place})"),
    RemarkCode.TIMESTAMP_OFF: Text("not proven: the time of signing is {seconds} s away from this machine's clock"),
    RemarkCode.NOT_COVERED: Text("not proven: the signature does not cover what the request says"),
    RemarkCode.EVENT_UNKNOWN: Text("not proven: it is not known how the event {event!r} is signed"),
    RemarkCode.TOKEN_WRONG: Text("not proven: the token in {place} is none that the secret has signed"),
    RemarkCode.BODY_CHANGED: Text("not proven: the body is not the one whose digest {place} has"),
    RemarkCode.TOO_MANY_GUESSES: Text("not looked at: too many wrong secrets from this address"),
}


def note_of(remarks: Sequence[Remark], language: Language = DEFAULT) -> str:
    """Return ``remarks`` as one line."""
    if not remarks:
        return ""  # of every event that is kept as it came
    return "; ".join(render(Text(SENTENCES[each.code].id, **each.facts), language) for each in remarks)


def said(entry: TrafficEntry, language: Language) -> str:
    """Return what there is to say of ``entry``; of one that an earlier version wrote, what it wrote."""
    return entry.note if entry.remarks is None else note_of(entry.remarks, language)
