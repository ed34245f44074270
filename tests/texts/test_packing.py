"""Sentences are kept as id and facts, and come back as they were, for readers of any language."""

import pytest

from gateway.orders.dispatcher import abandoned
from gateway.texts.packing import pack, unpack
from gateway.texts.rendering import render
from gateway.texts.text import Listing, Quantity, Span, Text, counted, in_context, verbatim

ACCEPTED = Text("The appliance {name!r} accepted the order.", name="pbx")
LATER = Text("a sentence of a later version {n}", n=1)


@pytest.mark.parametrize(
    "text",
    [
        ACCEPTED,
        verbatim("Ocupado {x}"),
        Text("{last} Before: {before}", last=ACCEPTED, before=abandoned("acme", 1, 1).delivery.text),
        counted("{count} phone answers", "{count} phones answer", count=3),
        Text(
            "connection refused", a=Quantity(1.5), b=Span(60), c=Listing(("x", ACCEPTED), joined_by="and"), d=None, e=7
        ),
    ],
)
def test_a_sentence_comes_back_as_it_was_kept(text: Text) -> None:
    assert unpack(pack(text), words="never") == text


def test_what_the_words_mean_is_kept_too() -> None:
    assert '"context":"verb"' in pack(in_context("verb", "call"))


@pytest.mark.parametrize(
    "packed", [None, "", "{}", "3", "[1]", "{", '{"id":3}', '{"facts":{}}', '{"id":"x","facts":[]}']
)
def test_a_row_that_has_only_words_shows_them(packed: str | None) -> None:
    assert unpack(packed, words="A central recusou.") == verbatim("A central recusou.")


@pytest.mark.parametrize("text", [LATER, Text("{last} Before: {before}", last=ACCEPTED, before=LATER)])
def test_a_sentence_that_this_version_does_not_know_shows_its_words(text: Text) -> None:
    assert render(unpack(pack(text), words="como foi escrito"), "es") == "como foi escrito"
