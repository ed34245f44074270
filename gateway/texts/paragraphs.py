"""A help text by its paragraphs: each is a sentence of its own in the catalogues, so that few change together."""

import inspect
import re

AS_WRITTEN = "\b"
"""How click marks a paragraph whose lines stay as they are."""


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a docstring or a help text, each on one line unless its lines are to stay."""
    return [_joined(paragraph) for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)) if paragraph.strip()]


def _joined(paragraph: str) -> str:
    return paragraph if paragraph.startswith(AS_WRITTEN) else " ".join(paragraph.split())
