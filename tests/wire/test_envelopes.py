"""An envelope that is filled in is the one that lxml would have written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.handlers import Reply
from gateway.wire.guard import printable
from gateway.wire.operations import OPERATIONS
from gateway.wire.soap.encoded import ENCODED
from gateway.wire.soap.endpoint import LITERAL, Style, texts_of
from gateway.wire.soap.envelopes import LATIN_1, MEDIA_TYPES, UTF_8, AnswerTemplate, to_bytes

OPERATION = OPERATIONS["ClickToCall"]


def written_anew(style: Style, version: str, texts: dict[str, str], charset: str) -> bytes:
    envelope = style.response(OPERATION, version)
    for element in envelope.iter():
        if (element.text or "").startswith("@"):
            element.text = texts[element.text.strip("@")]
    return to_bytes(envelope, charset)


@pytest.mark.parametrize("charset", [UTF_8, LATIN_1])
@pytest.mark.parametrize("version", MEDIA_TYPES)
@pytest.mark.parametrize("style", [LITERAL, ENCODED], ids=["literal", "encoded"])
@given(message=st.text().map(printable))
def test_an_answer_is_the_same_bytes_whether_it_is_filled_in_or_written_anew(
    style: Style, version: str, charset: str, message: str
) -> None:
    texts = {"status": "OK", "mensagem": message, "id": "7"}
    form = AnswerTemplate(style.response(OPERATION, version))
    assert form.filled(texts, charset) == written_anew(style, version, texts, charset)


def test_a_text_that_looks_like_a_place_is_none() -> None:
    form = AnswerTemplate(LITERAL.response(OPERATION, next(iter(MEDIA_TYPES))))
    document = form.filled({"status": "@id@", "mensagem": "<b>@status@</b>", "id": "7"}, UTF_8)
    texts = [element.text for element in etree.fromstring(document).iter() if not len(element)]
    assert texts == ["@id@", "<b>@status@</b>", "7"]


def test_an_answer_says_only_what_xml_can_hold() -> None:
    assert texts_of(Reply(True, "a\x01b\ufffe", 7), "pt-BR") == {"status": "OK", "mensagem": "a?b?", "id": "7"}
    assert texts_of(Reply(False, "", 0), "pt-BR")["status"] == "ERRO"
