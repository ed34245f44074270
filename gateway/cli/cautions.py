"""What a configuration may say and yet is better changed: ``check`` and ``serve`` warn of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.config.former_names import FORMER_NAMES

if TYPE_CHECKING:
    from gateway.config.tables import Config

OPEN_LOOPBACK = (
    "open_loopback is on: click-to-call needs no credentials from this machine, nor from anybody whom a reverse proxy "
    "on this machine passes on without a word. Set open_loopback = false in [tenants.{}.click_to_call] and have "
    "programs on this machine send a token or a login."
)


def cautions(config: "Config") -> Iterator[tuple[str, str]]:
    """Yield what each is about (a tenant or a table) and a sentence."""
    for former in config.former_names:
        yield f"[{former}]", f"This table is called [{FORMER_NAMES[former]}] now; the old name goes on working."
    for name, tenant in config.tenants.items():
        if tenant.click_to_call.open_loopback:
            yield name, OPEN_LOOPBACK.format(name)
