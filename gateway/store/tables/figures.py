"""Tables of the sums of figures: what the calls of whole hours come to, and which hours are to be summed anew."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, Integer, Table

from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import metadata

LONGEST_SCOPE = 32
"""Characters of the name of a scope."""


def _kept_by() -> Iterator[Column[object]]:
    """Yield the columns that say what a sum is of."""
    yield Column(
        "kind", FittedString(8), primary_key=True, comment="quarter, person or queue; person24 or queue24 of a day"
    )
    yield Column(
        "begins_at",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="of a quarter of an hour; of people and queues, of the hour, or of the day in UTC",
    )
    yield Column("name", FittedString(255), primary_key=True, comment="login or extension of a person, name of a queue")


def _figures() -> Iterator[Column[object]]:
    for name in ("received", "answered", "missed", "placed", "reached", "waits"):
        yield Column(name, Integer(), nullable=False)
    for name in ("waited_s", "longest_s", "talked_s"):
        yield Column(name, BigInteger(), nullable=False)


figure_sums = Table(
    "figure_sums",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    *_kept_by(),
    *_figures(),
    comment="Figures of whole hours (store/figures), of those with calls.",
)

figures_summed = Table(
    "figures_summed",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("since", BigInteger, nullable=False, comment="from when on hours are summed; older ones are added"),
    Column("until", BigInteger, nullable=False, comment="up to when hours are summed"),
    Column(
        "watched_until",
        BigInteger,
        nullable=False,
        comment="of calls that were logged before, each change is noted in figures_changed",
    ),
    Column("version", BigInteger, nullable=False, comment="moved on by each change of the tenant's sums"),
    Column("days_since", BigInteger, comment="from when on days are summed, too; null: none is"),
    Column("days_version", BigInteger, comment="the same as version: nobody has written hours and left out their days"),
    comment="How far each tenant's hours are summed.",
)

figures_changed = Table(
    "figures_changed",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("hour_at", BigInteger, primary_key=True, autoincrement=False),
    Column("changes", BigInteger, nullable=False, comment="so that a change while it is summed shows"),
    comment="Hours whose calls changed since they were summed: triggers of calls write it.",
)

figure_scopes = Table(
    "figure_scopes",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("scope", FittedString(LONGEST_SCOPE), primary_key=True, comment="made of the definition"),
    Column("definition", FittedText, nullable=False, comment="which calls may be seen, as JSON (store/figures/scopes)"),
    Column("since", BigInteger, nullable=False, comment="from when on hours are summed for it"),
    Column("until", BigInteger, nullable=False, comment="up to when"),
    Column(
        "version",
        BigInteger,
        nullable=False,
        comment="that of figures_summed; another one: something else has written sums, and none of its is good",
    ),
    Column("asked_at", BigInteger, nullable=False, comment="when its figures were asked for last, by the day"),
    comment="For whom figures of a part of the calls are summed, and how far: supervisors who look at them.",
)

figure_scope_sums = Table(
    "figure_scope_sums",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("scope", FittedString(LONGEST_SCOPE), primary_key=True),
    *_kept_by(),
    *_figures(),
    comment="Figures of whole hours, of the calls that a scope of figure_scopes admits.",
)
