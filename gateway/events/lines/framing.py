"""From bytes, in pieces as they come, to lines of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.events.lines.description import Framing

_BREAKS = b"\r\n\x0b\x0c"
_TO_BREAK = bytes.maketrans(_BREAKS, b"\n" * len(_BREAKS))
# Control characters that are no tab: bells, STX, ETX, noise of a serial line.
_DROPPED = bytes(code for code in range(32) if code not in b"\t\n\r\x0b\x0c") + b"\x7f"
_SEVEN_BITS = bytes(code & 0x7F for code in range(256))


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line as text without its end; ``offset`` is where it began in its stream, in bytes, and
    ``after`` where the next one begins. ``cut`` says that it was too long and only its beginning is here.
    """

    text: str
    offset: int
    after: int
    cut: bool = False


class LineCutter:
    """Cuts a stream into lines, whatever ends them: CR, LF, both in any order, form feeds. Holds one line at most.

    Blank lines and NULs are left out. With ``framing.length`` a line also ends after so many bytes.
    """

    def __init__(self, framing: Framing, offset: int = 0) -> None:
        self._framing = framing
        self._held = bytearray()
        self._offset = offset
        """Where what is held begins."""
        self._overlong = False

    @property
    def holds(self) -> bool:
        """Whether the beginning of a line came whose end did not."""
        return bool(self._held.strip(_BREAKS + b" \x00"))

    @property
    def held(self) -> str:
        """What came of that line."""
        return decoded(bytes(self._held), self._framing.charsets)

    def feed(self, data: bytes) -> Iterator[RawLine]:
        """Yield the lines that end in ``data``."""
        self._held += data.translate(_SEVEN_BITS) if self._framing.seven_bits else data
        parts = self._held.translate(_TO_BREAK).split(b"\n")
        begin = 0
        for part in parts[:-1]:
            yield from self._lines(bytes(self._held[begin : begin + len(part)]), len(part) + 1)
            begin += len(part) + 1
        del self._held[:begin]
        yield from self._bound()

    def flush(self) -> Iterator[RawLine]:
        """Yield what is held as a line though its end did not come."""
        data, self._held = bytes(self._held), bytearray()
        yield from self._lines(data, len(data))

    def _bound(self) -> Iterator[RawLine]:
        """Keep what is held within the longest line; the rest of an endless one is dropped."""
        length = self._framing.length
        while length and len(self._held) >= length:
            piece = bytes(self._held[:length])
            del self._held[:length]
            yield from self._lines(piece, length)
        if len(self._held) > self._framing.longest:
            data, self._held = bytes(self._held), bytearray()
            yield from self._lines(data, len(data), cut=True)
            self._overlong = True

    def _lines(self, data: bytes, size: int, *, cut: bool = False) -> Iterator[RawLine]:
        offset, self._offset = self._offset, self._offset + size
        if self._overlong:
            self._overlong = cut
            return
        cut = cut or len(data) > self._framing.longest
        text = decoded(data[: self._framing.longest].translate(None, _DROPPED), self._framing.charsets).lstrip("\ufeff")
        if text.strip():
            yield RawLine(text, offset, self._offset, cut)


def decoded(data: bytes, charsets: Sequence[str]) -> str:
    """Return ``data`` as text in the first of ``charsets`` that fits; with none, what does not fit is replaced."""
    for charset in charsets:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode(charsets[-1], "replace")
