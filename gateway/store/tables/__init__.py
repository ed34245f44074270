"""The tables. Every time (``…_at``) is milliseconds since 1970-01-01 UTC; every row belongs to one tenant.

A change here needs a migration in ``migrations/versions``; a test compares the two. What is written, shown and told of
a column is said here too, in its ``info`` (``columns.py``): the lists of columns elsewhere are made of it.
"""

from gateway.store.tables.agent_notes import agent_notes
from gateway.store.tables.audit import audit
from gateway.store.tables.calls import agent_states, calls, legs, notes, source_marks
from gateway.store.tables.captures import forward_captures
from gateway.store.tables.columns import metadata
from gateway.store.tables.directory import accounts, choices, identifiers, imports, phones
from gateway.store.tables.event_sources import event_sources
from gateway.store.tables.events import counters, events
from gateway.store.tables.figures import (
    figure_scope_sums,
    figure_scopes,
    figure_sums,
    figures_changed,
    figures_summed,
)
from gateway.store.tables.heads import call_ids, epoch_starts, heads, order_ids, writers
from gateway.store.tables.missed import missed_claims
from gateway.store.tables.nodes import nodes
from gateway.store.tables.onsite import onsite_orders, onsite_sites, onsite_spools
from gateway.store.tables.orders import attempts, orders
from gateway.store.tables.outbox import outbox
from gateway.store.tables.partitions import call_ranges
from gateway.store.tables.people import agents, sessions
from gateway.store.tables.removals import removals
from gateway.store.tables.search import saved_filters

__all__ = [
    "accounts",
    "agent_notes",
    "agent_states",
    "agents",
    "attempts",
    "audit",
    "call_ids",
    "call_ranges",
    "calls",
    "choices",
    "counters",
    "epoch_starts",
    "event_sources",
    "events",
    "figure_scope_sums",
    "figure_scopes",
    "figure_sums",
    "figures_changed",
    "figures_summed",
    "forward_captures",
    "heads",
    "identifiers",
    "imports",
    "legs",
    "metadata",
    "missed_claims",
    "nodes",
    "notes",
    "onsite_orders",
    "onsite_sites",
    "onsite_spools",
    "order_ids",
    "orders",
    "outbox",
    "phones",
    "removals",
    "saved_filters",
    "sessions",
    "source_marks",
    "writers",
]
