"""What every error is: a code, a status, whose fault it is, and two texts, rendered for whoever reads them."""

from typing import ClassVar, Literal

from gateway.texts.languages import DEFAULT, Language
from gateway.texts.rendering import render
from gateway.texts.text import Text, verbatim


class GatewayError(Exception):
    """The root: every error this product raises on purpose.

    ``text`` says what came and what was expected, ``advice`` what to do; a plain string is nobody's to translate.
    ``str()`` is both in ``spoken``, the language of those who read logs and stored messages of this kind of error.
    """

    code: ClassVar[int] = 0
    http_status: ClassVar[int] = 500
    side: ClassVar[Literal["client", "server"]] = "server"
    spoken: ClassVar[Language] = DEFAULT

    def __init__(self, text: Text | str, *, hint: Text | str = "") -> None:
        super().__init__(text)
        self.text = text if isinstance(text, Text) else verbatim(text)
        self.advice = hint if isinstance(hint, Text) else verbatim(hint)

    @property
    def whole(self) -> Text:
        """What happened and what to do, as one text, to stand within another."""
        return Text("{text} {advice}", text=self.text, advice=self.advice) if self.has_advice else self.text

    @property
    def has_advice(self) -> bool:
        """Whether there is anything to say of what to do."""
        return bool(str(self.advice))

    def said(self, language: Language) -> str:
        """Return what happened and what to do, in ``language``."""
        return render(self.whole, language)

    @property
    def message(self) -> str:
        """What happened, in the language of ``str()``."""
        return render(self.text, self.spoken)

    @property
    def hint(self) -> str:
        """What to do, in the language of ``str()``; empty where there is nothing to say."""
        return render(self.advice, self.spoken)

    def __str__(self) -> str:
        return self.said(self.spoken)
