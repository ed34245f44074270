"""PHP's SOAP in a process of its own, started again whenever it dies; it reaches no network."""

import json
import selectors
import shutil
import subprocess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("soap.php")
LIMIT_S = 20
"""For one job; PHP takes milliseconds."""
_COMMAND = (
    *("-d", "allow_url_fopen=0", "-d", "default_socket_timeout=2", "-d", "memory_limit=512M"),
    *("-d", "soap.wsdl_cache_enabled=0", str(SCRIPT)),
)


class Php:
    """Takes jobs as ``soap.php`` describes them."""

    def __init__(self, program: str = "") -> None:
        """``program`` is PHP's path. Raises ``FileNotFoundError`` where there is none."""
        self._program = program or shutil.which("php") or ""
        if not self._program:
            raise FileNotFoundError("PHP's command line is not installed (Debian: apt-get install php-cli php-soap)")
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, **job: Any) -> dict[str, Any]:
        """Return PHP's answer; ``{"refused": ...}`` too where it dies or takes too long, twice.

        The first time it may have been about to end: SoapServer ends its process where it cannot read an envelope.
        """
        answer = self._asked(job) or self._asked(job)
        return answer or {"refused": f"PHP died, or took more than {LIMIT_S} s"}

    def _asked(self, job: dict[str, Any]) -> dict[str, Any] | None:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._line(process))
        except (OSError, ValueError):
            self.close()
            return None
        return answer

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        # select() knows no descriptor above 1,023.
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            return process.stdout.readline() if waiting.select(LIMIT_S) else b""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(
                [self._program, *_COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._process

    def close(self) -> None:
        """End PHP."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> "Php":
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()
