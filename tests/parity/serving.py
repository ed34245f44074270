"""Our envelopes as a PHP SoapServer of the same WSDL reads them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parity.compare import Verdict
from tests.parity.php import Php


@dataclass(frozen=True)
class Arrived:
    """What became of one envelope: ``arrived`` as given, ``as PHP's`` own would, ``otherwise`` or ``refused``."""

    operation: str
    kind: str
    why: str = ""


def arrival(path: Path, built: Verdict, php: Php) -> Arrived:
    """Hand the envelope of ``built`` to a server, and hold what it reads against what was given."""
    came = _received(path, built, built.envelope.decode(), php)
    if came == (built.operation.lower(), _plain(built.given)):
        return Arrived(built.operation, "arrived")
    if built.php and came == _received(path, built, built.php, php):
        return Arrived(built.operation, "as PHP's")
    kind = "otherwise" if came[0] else "refused"
    return Arrived(built.operation, kind, f"{came[0]} {came[1]}, given {_plain(built.given)}")


def _received(path: Path, built: Verdict, envelope: str, php: Php) -> tuple[str, Any]:
    """The operation and its arguments; without an operation what the server says."""
    answer = php.ask(serve=str(path), version=built.version, operation=built.operation, envelope=envelope)
    return answer.get("operation", "").lower(), _plain(answer.get("arguments", answer.get("refused")))


def _plain(value: Any) -> Any:
    """Values as they compare: numbers by their value, nothing and empty structures alike."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()} or None
    if isinstance(value, list):
        return [_plain(each) for each in value] or None
    return value if isinstance(value, bool) or value is None else _number(value)


def _number(value: Any) -> Any:
    try:
        return float(value)
    except ValueError:
        return value
