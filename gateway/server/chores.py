"""What a gateway's maintenance does now and then, as the configuration wants it."""

from collections.abc import Mapping, Sequence
from functools import partial

from gateway.config.tables import Config
from gateway.domain.tenant import Tenant
from gateway.maintenance import Chore, Maintenance
from gateway.server.retention import agent_states_ms, ages
from gateway.store.database import Database
from gateway.store.figures.summing import Summing
from gateway.store.ghosts import Ghosts
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.retention import LetterRetention
from gateway.store.partitions.ahead import PartitionsAhead
from gateway.store.partitions.counting import EventCounts
from gateway.store.retention import Retention
from gateway.store.shared.contract import Shared
from gateway.store.untold_notes import UntoldNotes
from gateway.store.writing.journal import Journal


def maintenance(
    config: Config,
    companies: Mapping[str, Tenant],
    database: Database,
    journal: Journal,
    outbox: Outbox,
    letters: LetterRetention,
    shared: Shared,
) -> Maintenance:
    """Return the maintenance of a gateway, which is not started yet; of several processes one does it."""
    return Maintenance(
        journal,
        outbox,
        _give_up_ms(config),
        ghosts=Ghosts(database.engine),
        untold=UntoldNotes(database.engine, journal, companies),
        audit_days=config.audit.keep_days,
        letters=letters,
        agent_states_ms=agent_states_ms(config),
        chores=_chores(config, companies, database, journal),
        lease=partial(shared.lease, "maintenance"),
    )


def _chores(config: Config, companies: Mapping[str, Tenant], database: Database, journal: Journal) -> Sequence[Chore]:
    engine, whole = database.engine, config.server.remove_whole_partitions
    teams = {name: company.teams for name, company in companies.items()}
    return [
        Chore("partitions", PartitionsAhead(engine).work),
        Chore("event_counts", EventCounts(engine).work),
        Chore("retention", Retention(engine, journal, ages(config), whole=whole).work),
        Chore("figures", Summing(engine, journal, config.tenants, teams=teams).work),
    ]


def _give_up_ms(config: Config) -> Mapping[str, int]:
    return {name: round(tenant.pairing.give_up_after_min * 60_000) for name, tenant in config.tenants.items()}
