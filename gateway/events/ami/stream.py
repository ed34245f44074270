"""The stream of AMI: bytes in, blocks of lines out.

The server's first line is a banner; then blocks of ``Name: value`` lines come, each ended by an empty line. Names may
repeat (``ChanVariable``). Text is UTF-8; older versions pass on what a caller sent in Latin-1.
"""

import re

LONGEST_LINE = 65_536
"""Bytes; what a longer line has beyond is left out. Asterisk's own lines have a few thousand at most."""
MOST_LINES = 2_000
"""Of one block; further lines are left out."""
BANNER = b"Asterisk Call Manager"
_SECRET = re.compile(rb"(?im)^((?:Secret|Key|Challenge)[ \t]*:[ \t]*)[^\r\n]+")
MASK = rb"\1****"


class AmiBlock:
    """An event or an answer: its lines by name, whatever the case of the names."""

    __slots__ = ("lines",)

    def __init__(self, lines: dict[str, list[str]]) -> None:
        self.lines = lines

    def __repr__(self) -> str:
        return f"AmiBlock({self.event or self.get('Response')!r})"

    def get(self, name: str) -> str:
        """Return the first value of the lines called ``name``; empty when there is none."""
        found = self.lines.get(name.lower())
        return found[0] if found else ""

    def all(self, name: str) -> list[str]:
        """Return the values of all lines called ``name``, in their order."""
        return self.lines.get(name.lower(), [])

    @property
    def event(self) -> str:
        """The event's name; empty for an answer."""
        return self.get("event")

    @property
    def is_response(self) -> bool:
        """Whether it answers an action: the event OriginateResponse has a line ``Response`` as well."""
        return "response" in self.lines and "event" not in self.lines

    @property
    def action_id(self) -> str:
        return self.get("actionid")


def block_of(*lines: tuple[str, str]) -> AmiBlock:
    """Return the block that has ``lines``: name and value."""
    found: dict[str, list[str]] = {}
    for name, value in lines:
        found.setdefault(name.lower(), []).append(value)
    return AmiBlock(found)


class AmiStream:
    """Cuts what was read into blocks; what is incomplete waits for more. It never raises and keeps a bounded rest."""

    def __init__(self) -> None:
        self.banner = ""
        self._rest = bytearray()
        self._lines: list[tuple[str, str]] = []

    def feed(self, data: bytes) -> list[AmiBlock]:
        """Return the blocks that ``data`` completes, in their order."""
        *whole, rest = (bytes(self._rest) + data).split(b"\n")
        blocks = [block for line in whole if (block := self._take(line)) is not None]
        self._rest = bytearray(rest[:LONGEST_LINE])
        return blocks

    def _take(self, line: bytes) -> AmiBlock | None:
        line = line.rstrip(b"\r")[:LONGEST_LINE]
        if not line:
            return self._completed()
        if line.startswith(BANNER) and not self._lines:
            self.banner = decoded(line)
        elif len(self._lines) < MOST_LINES:
            name, _, value = decoded(line).partition(":")
            self._lines.append((name.strip(), value.strip()))
        return None

    def _completed(self) -> AmiBlock | None:
        lines, self._lines = self._lines, []
        return block_of(*lines) if lines else None


def decoded(line: bytes) -> str:
    """Return ``line`` as text: UTF-8, else Latin-1, in which every byte is a letter."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def masked(data: bytes) -> bytes:
    """Return what was said or heard without the secret, the challenge and the key that answers it."""
    return _SECRET.sub(MASK, data)
