"""Who may send to a source."""

from gateway.traffic.told import tell
from gateway.wire.auth import query_token
from gateway.wire.intake import REPLAY_OF
from gateway.wire.sites import Site
from gateway.wire.transport import Environ


def admit(environ: Environ, site: Site) -> None:
    """Let a request in by its client's address or the company's token, in a header or the query, as for all events.

    What an agent sends again was let in before. Raises ``AddressNotAllowed`` and ``ForeignPage``.
    """
    token = query_token(environ)
    tell(environ, [token])
    if not environ.get(REPLAY_OF):
        site.gate.admit_event(environ, token)
