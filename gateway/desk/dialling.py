"""An agent asks for a call, ends it, or says that it is over, on a page or by a script."""

from gateway.desk.context import Visit
from gateway.domain.messages import HangUp, PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.domain.roles import Right
from gateway.errors import AccessError, MissingParameter
from gateway.handlers import Reply
from gateway.store.calls import LoggedCall
from gateway.store.writing.drafts import Over, Recorded
from gateway.texts.text import Text


def place(visit: Visit, number: str, *, extension: str = "", appliance: str = "", key: str = "") -> Reply:
    """Let the agent's own extension call ``number``, for a program any ``extension``. Raises ``MissingParameter``,
    ``AccessError`` and ``DialError``.
    """
    if not number.strip():
        raise MissingParameter("number", expected=Text("area code + number, or an extension"))
    for_others = visit.may(Right.DIAL_FOR_OTHERS)
    if extension and not for_others and not _is_own(visit, extension):
        hint = Text("Dial from extension {extension}.", extension=visit.me.extension)
        raise AccessError(Text("extension {extension} is not yours.", extension=extension[:32]), hint=hint)
    order = PlaceCall(
        tenant=visit.tenant,
        extension=(extension.strip()[:32] if for_others else "") or _seat(visit),
        number=number.strip()[:255],
        origin=visit.origin,
        received_at=visit.at,
        appliance=appliance or None,
        requested_by=visit.me.login,
        request_key=(key or visit.request.headers.get("Idempotency-Key", "").strip().strip('"'))[:255] or None,
    )
    return visit.services.core.handle(order)


def _seat(visit: Visit) -> str:
    """Return the visitor's extension. Raises ``MissingParameter``."""
    if not visit.me.extension:
        raise MissingParameter("extension", expected=Text("the extension to call from"))
    return visit.me.extension


def number_of(visit: Visit, call_id: str, account_id: str = "", place: str = "") -> str:
    """Return the telephone of a call that the visitor sees, or the one at ``place`` of an account: who may not see it
    in full dials it so. Empty where there is none such.
    """
    if call_id.isascii() and call_id.isdigit() and len(call_id) < 16 and (call := visit.calls.get(int(call_id))):
        return visit.other_end(visit.calls.whole(call))
    if not (account_id.isascii() and account_id.isdigit() and place.isascii() and place.isdigit()):
        return ""
    account = visit.services.directory.account(visit.tenant, int(account_id[:15]))
    phones = account.phones if account and visit.may(Right.SEE_ACCOUNTS) else ()
    return phones[int(place)][0] if int(place[:6]) < len(phones) else ""


def _is_own(visit: Visit, extension: str) -> bool:
    """Return whether ``extension`` is the agent's own, also as programs write it (``3501.0``)."""
    own = visit.me.extension
    return extension == own or read(extension, visit.services.core.tenant(visit.tenant).numbers).national == own


def hang_up(visit: Visit, call: LoggedCall) -> Reply:
    """End a call of the agent's own extension. Raises ``AccessError`` and ``NothingToHangUp``."""
    if call.extension != visit.me.extension and not visit.may(Right.DIAL_FOR_OTHERS):
        hint = Text("You are at extension {extension}.", extension=visit.me.extension)
        raise AccessError(Text("call {id} is not one of your extension.", id=call.id), hint=hint)
    return visit.services.core.handle(HangUp(visit.tenant, call.id, visit.origin, visit.me.login))


def mark_over(visit: Visit, call: LoggedCall) -> bool:
    """Have it written down that ``call`` is over; False when it was already, or somebody was quicker."""
    done: Recorded = visit.services.decide(Over(visit.tenant, call.id, visit.me.login, visit.at))
    return not done.repeated
