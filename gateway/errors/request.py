"""Errors 200 to 299: what came in cannot be understood."""

from collections.abc import Sequence
from difflib import get_close_matches

from gateway.errors.root import GatewayError
from gateway.texts.text import Fact, Listing, Text

LONGEST_SHOWN = 80


class RequestError(GatewayError):
    """What came in cannot be understood."""

    code = 200
    http_status = 400
    side = "client"


class MissingParameter(RequestError):
    """A required parameter is absent or empty."""

    code = 210

    def __init__(self, name: str, *, expected: Fact = "") -> None:
        hint = Text("Send {name}={expected}.", name=name, expected=expected) if expected else ""
        super().__init__(Text("required parameter missing or empty: {name}.", name=name), hint=hint)
        self.name, self.value, self.expected = name, "", expected


class UnknownParameter(RequestError):
    """A parameter that this address does not take: ignoring it would answer another question than was asked."""

    code = 215

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        super().__init__(Text("unknown parameter: {name!r}.", name=name[:LONGEST_SHOWN]), hint=_parameters(name, known))
        self.name = name


def _parameters(name: str, known: Sequence[str]) -> Text:
    """Return which parameters there are, the nearest to ``name`` first."""
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    if near:
        return Text("Did you mean {near!r}? Parameters here: {known}.", near=near[0], known=", ".join(known))
    if known:
        return Text("Parameters here: {known}.", known=", ".join(known))
    return Text("This address has no parameters.")


class BadParameter(RequestError):
    """A parameter has a value that cannot be used."""

    code = 220

    def __init__(self, name: str, value: str, *, expected: Fact) -> None:
        super().__init__(
            Text(
                "parameter {name} invalid: received {value!r}, expected {expected}.",
                name=name,
                value=_shortened(value),
                expected=expected,
            )
        )
        self.name, self.value, self.expected = name, value, expected


class UnknownOperation(RequestError):
    """The operation (or path) asked for does not exist."""

    code = 230
    http_status = 404

    def __init__(self, name: str, *, known: list[str]) -> None:
        hint = Text("Operations: {known}.", known=", ".join(known))
        super().__init__(Text("unknown operation: {name!r}.", name=name), hint=hint)


class UnknownEventSource(RequestError):
    """No source of events of the company has this name, which stands in the address."""

    code = 275
    http_status = 404

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        near = get_close_matches(name, known, n=1)
        hint = Text("Did you mean {near!r}?", near=near[0]) if near else Text("Configure it: docs/webhooks.md.")
        super().__init__(Text("there is no source {name!r} of events.", name=name[:LONGEST_SHOWN]), hint=hint)


class MalformedRequest(RequestError):
    """The body is not what the protocol asks for."""

    code = 240


class WrongEnvelope(RequestError):
    """The SOAP envelope is of a version that is neither 1.1 nor 1.2; both answer that with status 500."""

    code = 245
    http_status = 500

    def __init__(self, namespace: str, *, known: tuple[str, ...]) -> None:
        shown = _shortened(namespace)
        super().__init__(
            Text("unknown version of SOAP: the envelope is in the namespace {shown!r}.", shown=shown),
            hint=Text("Send an envelope in the namespace {known}.", known=Listing(known)),
        )


class NotUnderstood(RequestError):
    """The SOAP request has header blocks that must be understood, and are not; ``names`` are their qualified names.

    Both versions of SOAP answer that with status 500.
    """

    code = 247
    http_status = 500

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        shown = ", ".join(repr(name[:LONGEST_SHOWN]) for name in names[:3])
        hint = Text('Send it without, or with mustUnderstand="0", or set must_understand in [tenants.NAME.listener].')
        text = Text("the SOAP header {shown} has to be understood (mustUnderstand) and is not.", shown=shown)
        super().__init__(text, hint=hint)


class TooLarge(RequestError):
    """The body exceeds the limit."""

    code = 250
    http_status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(Text("the request's body is larger than the limit of {limit} bytes.", limit=limit))


class WrongMethod(RequestError):
    """The HTTP method is not served here."""

    code = 260
    http_status = 405

    def __init__(self, method: str, *, allowed: tuple[str, ...]) -> None:
        hint = Text("Use {allowed}.", allowed=Listing(allowed))
        super().__init__(Text("method {method} not accepted here.", method=method), hint=hint)
        self.allowed = allowed


class WrongContentType(RequestError):
    """The body's media type is not one this address understands."""

    code = 265
    http_status = 415


class UnknownTenant(RequestError):
    """No tenant answers to this host name or path."""

    code = 270
    http_status = 404

    def __init__(self, asked: str) -> None:
        super().__init__(
            Text("unknown company: {asked!r}.", asked=asked),
            hint=Text("Check the host name, or use the path /t/COMPANY/."),
        )


class NotReplayable(RequestError):
    """An entry of the traffic log that cannot be sent again: no event, not whole, or too old a layout."""

    code = 280
    http_status = 409

    def __init__(self, what: Fact) -> None:
        super().__init__(
            Text("{what} cannot be sent again.", what=what),
            hint=Text("Only call events that were received, and kept whole, can be."),
        )


class OwnerChanged(RequestError):
    """Somebody else has said meanwhile whose a number, or (``of_call``) a call, is; ``seen`` names what they said, for
    who says it again.

    ``added``: the account has the number only because somebody said so at the desk. ``account_id`` is 0 where they said
    that the call is nobody's. Times are milliseconds.
    """

    code = 290
    http_status = 409

    def __init__(
        self,
        *,
        account_id: int,
        account: str,
        by: str | None,
        at: int | None,
        added: bool,
        seen: str,
        of_call: bool = False,
    ) -> None:
        super().__init__(_changed(by or Text("The directory"), account if account_id else "", of_call=of_call))
        self.account_id, self.account, self.by, self.at = account_id, account, by, at
        self.added, self.seen, self.of_call = added, seen, of_call


def _changed(who: Text | str, account: str, *, of_call: bool) -> Text:
    if not of_call:
        return Text("{who} gave this number to the account {account} meanwhile.", who=who, account=account)
    if not account:
        return Text("{who} left this call without an account meanwhile.", who=who)
    return Text("{who} gave this call to the account {account} meanwhile.", who=who, account=account)


class MissedClaimed(RequestError):
    """Somebody else (``name``, with ``login``) calls this customer back, since ``at`` (milliseconds)."""

    code = 292
    http_status = 409

    def __init__(self, *, name: str, login: str, at: int) -> None:
        super().__init__(
            Text("{who} is calling this customer back already.", who=name or login),
            hint=Text("Take another one, or wait until that has ended."),
        )
        self.name, self.login, self.at = name, login, at


class MissedCleared(RequestError):
    """The missed call is not in the list any more: somebody has spoken with the customer, or taken it off."""

    code = 294
    http_status = 409

    def __init__(self, call_id: int) -> None:
        super().__init__(
            Text("the missed call {id} has been dealt with already.", id=call_id),
            hint=Text("Load the list of missed calls again."),
        )


class NoteChanged(RequestError):
    """Somebody else has written in the note of a call meanwhile: ``content``, as ``revision``."""

    code = 296
    http_status = 409

    def __init__(self, text: str, outcome: str | None, follow_up_at: int | None, by: str, revision: int) -> None:
        super().__init__(
            Text("{who} has written in this note meanwhile.", who=by),
            hint=Text("Look at both texts, and save what shall stay with revision {revision}.", revision=revision),
        )
        self.content, self.outcome, self.follow_up_at = text, outcome, follow_up_at
        self.by, self.revision = by, revision


def _shortened(value: str) -> str:
    return value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 3] + "..."


class LastAdministrator(RequestError):
    """After this nobody could administer the company."""

    code = 293
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            Text("this is the company's only administrator."),
            hint=Text("Make somebody else an administrator first."),
        )


class NoSuchAgent(RequestError):
    """There is no such agent (any more)."""

    code = 298
    http_status = 404

    def __init__(self) -> None:
        super().__init__(Text("there is no such agent (any more)."), hint=Text("Load the list of agents again."))
