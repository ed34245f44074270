"""An agent asks for a call, ends it, or says that it is over, on a page or by a script."""

from gateway.desk.context import Visit
from gateway.domain.messages import HangUp, PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.errors import AccessError, MissingParameter
from gateway.handlers import Reply
from gateway.store.calls import LoggedCall
from gateway.store.drafts import Over, Recorded
from gateway.texts.text import Text


def place(visit: Visit, number: str, *, extension: str = "", appliance: str = "", key: str = "") -> Reply:
    """Let the agent's own extension call ``number``. Raises ``MissingParameter``, ``AccessError`` and ``DialError``."""
    if not number.strip():
        raise MissingParameter("number", expected=Text("area code + number, or an extension"))
    if extension and not _is_own(visit, extension):
        hint = Text("Dial from extension {extension}.", extension=visit.me.extension)
        raise AccessError(Text("extension {extension} is not yours.", extension=extension[:32]), hint=hint)
    order = PlaceCall(
        tenant=visit.tenant,
        extension=visit.me.extension,
        number=number.strip()[:255],
        origin=visit.origin,
        received_at=visit.at,
        appliance=appliance or None,
        requested_by=visit.me.login,
        request_key=(key or visit.request.headers.get("Idempotency-Key", "").strip().strip('"'))[:255] or None,
    )
    return visit.services.core.handle(order)


def _is_own(visit: Visit, extension: str) -> bool:
    """Return whether ``extension`` is the agent's own, also as programs write it (``3501.0``)."""
    own = visit.me.extension
    return extension == own or read(extension, visit.services.core.tenant(visit.tenant).numbers).national == own


def hang_up(visit: Visit, call: LoggedCall) -> Reply:
    """End a call of the agent's own extension. Raises ``AccessError`` and ``NothingToHangUp``."""
    if call.extension != visit.me.extension:
        hint = Text("You are at extension {extension}.", extension=visit.me.extension)
        raise AccessError(Text("call {id} is not one of your extension.", id=call.id), hint=hint)
    return visit.services.core.handle(HangUp(visit.tenant, call.id, visit.origin, visit.me.login))


def mark_over(visit: Visit, call: LoggedCall) -> bool:
    """Have it written down that ``call`` is over; False when it was already, or somebody was quicker."""
    done: Recorded = visit.services.decide(Over(visit.tenant, call.id, visit.me.login, visit.at))
    return not done.repeated
