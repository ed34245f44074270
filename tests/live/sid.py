"""Programs of a small Debian sid in a folder of its own, which ``.ci/sid`` makes: Debian 12 has no Asterisk."""

import os
import tempfile
from pathlib import Path

from tests.peers import absent

ROOT = Path(os.environ.get("CTI_SID", "~/.cache/cti-gateway-peers/sid")).expanduser()
RUN = Path(__file__).with_name("servers") / "in_sid"


def in_sid(program: str) -> list[str]:
    """The command that runs ``program`` (a path) of the small Debian sid, or a skip (a failure in CI).

    The program sees the folder of temporary files, and runs in the folder in which it is started there.
    """
    if not (ROOT / program.lstrip("/")).exists():
        absent(f"there is no {program} in {ROOT}: make it with .ci/sid, as root (two minutes, 1 GB)")
    return [str(RUN), str(ROOT), tempfile.gettempdir(), program]
