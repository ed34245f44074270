"""Tables of the sums of figures: what the calls of whole hours come to, and which hours are to be summed anew."""

from sqlalchemy import BigInteger, Column, Integer, Table

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import metadata

figure_sums = Table(
    "figure_sums",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("kind", FittedString(8), primary_key=True, comment="quarter, person or queue"),
    Column(
        "begins_at",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="of a quarter of an hour; of people and queues, of the hour",
    ),
    Column("name", FittedString(255), primary_key=True, comment="login or extension of a person, name of a queue"),
    *(
        Column(name, kind, nullable=False)
        for name, kind in (
            ("received", Integer()),
            ("answered", Integer()),
            ("missed", Integer()),
            ("placed", Integer()),
            ("reached", Integer()),
            ("waits", Integer()),
            ("waited_s", BigInteger()),
            ("longest_s", BigInteger()),
            ("talked_s", BigInteger()),
        )
    ),
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
