"""Parameters that a request has more than once: the first value that is not empty counts, and the log says so."""

from collections.abc import Collection, Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from typing import Any

import structlog

log = structlog.get_logger()


def log_repeats(names: Collection[str], environ: Mapping[str, Any]) -> None:
    """Log which parameters a request gave several values, in one line; not the values, for one may be secret."""
    if names:
        facts = {"tenant": environ.get("cti.tenant"), "client": environ.get("cti.client")}
        log.warning("parameter_given_twice", parameters=sorted(names), **facts)


def keep_first(found: MutableMapping[str, str], name: str, text: str, repeated: set[str]) -> None:
    """Keep ``text`` where ``found`` has none yet; ``name`` is ``repeated`` where there is another one."""
    if not text:
        return
    first = found.get(name)
    if not first:
        found[name] = text
    elif text != first:
        repeated.add(name)


class FirstValues(dict[str, str]):
    """Parameters as they are found; ``repeated`` has the names of those that came with different values."""

    repeated: AbstractSet[str] = frozenset()

    def keep(self, name: str, text: str) -> None:
        """Keep ``text`` where there is none yet."""
        repeated: set[str] = set()
        keep_first(self, name, text, repeated)
        if repeated:
            self.repeated |= repeated
