"""How far somebody has seen the events of a company: what pages, streams and ``Last-Event-ID`` hold."""

from typing import NamedTuple

LONGEST = 17
"""Digits of either part; what is longer was not given out by a gateway."""


class Position(NamedTuple):
    """Everything of one company up to ``seq`` was seen. Positions of different companies cannot be compared.

    ``epoch`` grows when the database may have lost events that were shown already (a standby took over, another
    database was put in its place): ``seq`` then begins again somewhere before. As text it is ``SEQ`` in epoch 0, as
    version 0.1.0 wrote it, and ``EPOCH.SEQ`` from then on.
    """

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}" if self.epoch else str(self.seq)

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """Return the position that ``text`` is, None for any other text."""
        epoch, _, seq = text.rpartition(".")
        parts = (epoch, seq) if "." in text else ("0", seq)
        if not all(part.isascii() and part.isdigit() and len(part) < LONGEST for part in parts):
            return None
        return cls(int(parts[0]), int(parts[1]))
