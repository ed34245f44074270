"""A gateway that serves writes the search index behind the events by itself, and ends with it."""

from pathlib import Path

import pytest

from gateway.config.tables import Config
from gateway.domain.calls.search_terms import Field, Term
from gateway.domain.messages import CallEnded, CallStarted, Origin
from gateway.server.bootstrap import build
from gateway.store.calls import CallFilter
from gateway.store.search import indexing
from gateway.store.search.index import SearchIndex
from tests.waiting import until

HERE = Origin("get", "127.0.0.1")


def test_the_index_follows_the_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_EVERY_S", "OLD_MS"):
        monkeypatch.setattr(indexing, name, 0.01)
    index = SearchIndex(tmp_path)
    with build(Config(), tmp_path) as gateway:
        gateway.indexer.start()
        told = gateway.core.handle(CallStarted("default", "3501", "4732100123", HERE, 1))
        gateway.core.handle(CallEnded("default", "3501", "4732100123", HERE, 2))
        until(lambda: (found := index.progress()) is not None and found.seq == gateway.events.newest("default").seq)
        found = gateway.finder.find("default", CallFilter(terms=(Term(Field.ANY, "32100"),)))
        assert [call.id for call in found.calls] == [told.call_id]
    index.close()
