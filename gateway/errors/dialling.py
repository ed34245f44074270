"""Errors 500 to 599: a call cannot be placed, or not be ended from here."""

from gateway.domain.numbering.reading import ReadingStep
from gateway.errors.root import GatewayError
from gateway.texts.text import Fact, Text

LONGEST_SHOWN = 80


class DialError(GatewayError):
    """A call cannot be placed."""

    code = 500
    http_status = 422
    side = "client"


class NoAppliance(DialError):
    """The tenant has no appliance that could dial."""

    code = 510

    def __init__(self, tenant: str) -> None:
        super().__init__(
            Text("the company {tenant!r} has no appliance configured.", tenant=tenant),
            hint=Text("Configure [tenants.{tenant}.appliances.NAME].", tenant=tenant),
        )


class UnknownAppliance(DialError):
    """The appliance asked for is not one of the tenant's."""

    code = 520

    def __init__(self, name: str, *, known: list[str]) -> None:
        hint = Text("Appliances: {known}.", known=", ".join(known) or Text("no appliance"))
        super().__init__(Text("unknown appliance: {name!r}.", name=name), hint=hint)


class NotDiallable(DialError):
    """There is nothing in the number that could be dialled; ``why`` says what stands against it, if anything does."""

    code = 530

    def __init__(self, number: str, *, why: Fact = "") -> None:
        shown = number[:LONGEST_SHOWN]
        because = Text("{number!r} cannot be dialled: {why}.", number=shown, why=why)
        text = because if why else Text("there is nothing to dial in {number!r}.", number=shown)
        super().__init__(text, hint=Text("Give an area code and a number, or an extension."))


class KeyTaken(DialError):
    """The asker's own key of the order was given before, to another call."""

    code = 540

    def __init__(self, key: str) -> None:
        super().__init__(
            Text("the order {key!r} was used already for another call.", key=key[:LONGEST_SHOWN]),
            hint=Text("Send a new id_pedido with each call, and the same one only to repeat the same call."),
        )


class NothingToHangUp(DialError):
    """The call cannot be ended from here: it is over, was not placed by us, or its appliance cannot."""

    code = 550

    def __init__(self, call_id: int, why: Fact) -> None:
        super().__init__(Text("the call {call_id} cannot be ended from here: {why}.", call_id=call_id, why=why))


class NumberBlocked(DialError):
    """The dial plan forbids the number; ``by`` is the setting that does, with its note; ``steps`` lead there."""

    code = 560

    def __init__(self, number: str, by: str, steps: tuple[ReadingStep, ...] = ()) -> None:
        super().__init__(
            Text("the dial plan does not allow calls to {number!r} ({by}).", number=number[:LONGEST_SHOWN], by=by),
            hint=Text("If the call is needed, talk to whoever administers the telephones."),
        )
        self.steps = steps
