"""What the reader of a request tells the traffic log, by way of the request's environ."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Environ = dict[str, Any]
SECRETS = "cti.secrets"
UNREAD = "cti.unread"


def tell(environ: Environ, texts: Iterable[str]) -> None:
    """Tell that ``texts`` are secrets, each as often as it stands in the request."""
    if secrets := [text for text in texts if text]:
        environ.setdefault(SECRETS, Counter()).update(secrets)


def told(environ: Environ) -> Mapping[str, int]:
    """Return the secrets of a request, and how often each of them was read."""
    found: Mapping[str, int] = environ.get(SECRETS, {})
    return found


def tell_unread(environ: Environ) -> None:
    """Tell that a part of the body has no reader, so that nobody knows which of its texts are secrets."""
    environ[UNREAD] = True


def is_part_unread(environ: Environ) -> bool:
    """Return whether a part of the body, which may hold secrets, has no reader."""
    return bool(environ.get(UNREAD))


def is_unread(environ: Environ) -> bool:
    """Return whether nothing of the body has a reader."""
    return "cti.operation" not in environ
