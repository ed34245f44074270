"""Which gateways run on a data folder: each holds a lock, so that none clears away what another one uses."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import ConfigError
from gateway.store.private_files import open_private
from gateway.store.shared.files import FOLDER
from gateway.texts.text import Text

LOCK = "running.lock"
METRICS = "metrics"


class GatewayRun:
    """One gateway's time on a data folder, from its start until it ends, in whatever way."""

    def __init__(self, data: Path) -> None:
        self._file = open_private(data / LOCK)
        self.is_alone = self._try_alone()
        """Whether no other gateway ran on the folder when this one began."""
        fcntl.flock(self._file, fcntl.LOCK_SH)
        self._metrics = data / METRICS / str(os.getpid())

    def _try_alone(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def metrics_folder(self) -> Path:
        """Make an empty folder for the counters that this gateway's workers share."""
        shutil.rmtree(self._metrics, ignore_errors=True)
        self._metrics.mkdir(parents=True)
        return self._metrics

    def end(self) -> None:
        """Leave nothing behind but what others use."""
        shutil.rmtree(self._metrics, ignore_errors=True)
        os.close(self._file)


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Keep gateways from starting on ``data`` during a block. Raises ``ConfigError`` where one runs."""
    file = open_private(data / LOCK)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError(
            Text("a gateway runs on the data in {folder}.", folder=str(data)), hint=Text("Stop it first.")
        ) from None
    finally:
        os.close(file)


def clear(data: Path) -> None:
    """Remove what gateways that ended have left. How appliances were doing before is no news to a gateway that was
    started anew, perhaps because they were mended.
    """
    for name in (FOLDER, METRICS):
        shutil.rmtree(data / name, ignore_errors=True)
