"""The main process of a gateway writes the search index behind the events, and ends with it."""

import os
import sys
import threading
from pathlib import Path

import pytest

from gateway.config.tables import Config
from gateway.domain.calls.search_terms import Field, Term
from gateway.domain.messages import CallEnded, CallStarted, Origin
from gateway.server.background import NICENESS, writing_search_index
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
    with build(Config(), tmp_path) as gateway, writing_search_index(Config(), tmp_path):
        told = gateway.core.handle(CallStarted("default", "3501", "4732100123", HERE, 1))
        gateway.core.handle(CallEnded("default", "3501", "4732100123", HERE, 2))
        until(lambda: (found := index.progress()) is not None and found.seq == gateway.events.newest("default").seq)
        found = gateway.finder.find("default", CallFilter(terms=(Term(Field.ANY, "32100"),)))
        assert [call.id for call in found.calls] == [told.call_id]
    index.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness of their own")
def test_its_thread_gives_way_to_all_others(tmp_path: Path) -> None:
    with build(Config(), tmp_path), writing_search_index(Config(), tmp_path):
        (thread,) = (each for each in threading.enumerate() if each.name == "indexer")
        until(lambda: os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == NICENESS)
        assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < NICENESS
    assert "indexer" not in {each.name for each in threading.enumerate()}
