"""The fastest of a few set-ups for PHP on this machine, so that it is not beaten by a badly chosen one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.load import Load, apply
from bench.php import PhpServer, Tuning, php_server

USUAL_CHILDREN = 4
OTHER_CHILDREN = (2, 8, 16)
"""Never one alone: it waits for no lock and is quick on a fast disk, but one slow request would stop every exchange."""


def tune(load: Load, folder: Path, wsdl: bytes) -> Tuning:
    """Try connections first, then sizes of the pool, each with ``load``; says what it finds."""
    kept = _fastest((Tuning(USUAL_CHILDREN, persistent) for persistent in (True, False)), load, folder, wsdl)
    sizes = (Tuning(children, kept[1].persistent) for children in OTHER_CHILDREN)
    return max(kept, _fastest(sizes, load, folder, wsdl), key=lambda pair: pair[0])[1]


def _fastest(tunings: Iterable[Tuning], load: Load, folder: Path, wsdl: bytes) -> tuple[float, Tuning]:
    return max(((_try(tuning, load, folder, wsdl), tuning) for tuning in tunings), key=lambda pair: pair[0])


def _try(tuning: Tuning, load: Load, folder: Path, wsdl: bytes) -> float:
    with _throw_away(folder, wsdl, tuning) as server:
        outcome = apply(load, server.url, seed=0)
    print(f"  PHP {load.wire}, {tuning}: {outcome.per_second:,.0f}/s", flush=True)
    return outcome.per_second


@contextmanager
def _throw_away(folder: Path, wsdl: bytes, tuning: Tuning) -> Iterator[PhpServer]:
    with (
        TemporaryDirectory(dir=folder) as place,
        php_server(Path(place) / "php", tuning, wsdl=wsdl) as server,
    ):
        yield server
