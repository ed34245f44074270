"""What the main process does beside watching over its workers: work in long pieces that nobody waits for.

In a worker each piece would hold the interpreter, for which events would then wait again and again.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.config.tables import Config
from gateway.server.databases import database_of
from gateway.store.search.index import SearchIndex
from gateway.store.search.indexing import Indexer

NICENESS = 10
"""Of threads here: the processors are the workers' first."""


@contextmanager
def writing_search_index(config: Config, data: Path) -> Iterator[None]:
    """Keep the search index of the node's folder ``data`` up to date meanwhile."""
    database, index = database_of(config, data), SearchIndex(data)
    indexer = Indexer(database, index, on_start=give_way)
    indexer.start()
    try:
        yield
    finally:
        indexer.stop()
        index.close()
        database.close()


def give_way() -> None:
    """Have the calling thread run when others do not want the processor; on Linux, where threads have a niceness."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
