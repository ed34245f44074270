"""Errors 400 to 499: try again later."""

from typing import ClassVar

from gateway.errors.root import GatewayError
from gateway.texts.text import Text


class BusyError(GatewayError):
    """Try again later; nothing was acknowledged."""

    code = 400
    http_status = 503
    retry_after_s: ClassVar[int] = 1


class QueueFull(BusyError):
    """More is waiting to be written than the queue may hold."""

    code = 410

    def __init__(self, limit: int) -> None:
        hint = Text("Nothing was stored; send it again in a moment.")
        super().__init__(Text("the write queue is full ({limit}).", limit=limit), hint=hint)


class StoreUnavailable(BusyError):
    """The database refused the write, or did not take it in time: nothing of it is stored."""

    code = 420

    def __init__(self) -> None:
        super().__init__(Text("the database did not confirm the write."), hint=Text("Send it again in a moment."))


class StoreUnclear(StoreUnavailable):
    """The database took the write and did not confirm it in time: it may be stored after all."""

    code = 422

    def __init__(self) -> None:
        BusyError.__init__(
            self,
            Text("the database has not confirmed the write yet: it is unclear whether it was stored."),
            hint=Text("It may be there already. Look, or send it again in a moment."),
        )


class DatabaseAway(BusyError):
    """The database does not answer who reads: its server is gone, hangs or is just replaced by another."""

    code = 424

    def __init__(self) -> None:
        super().__init__(
            Text("the database does not answer."), hint=Text("Nothing was changed; try again in a moment.")
        )


class StoreReplaced(BusyError):
    """The database's file was deleted or replaced while it was open; what is written now would be lost."""

    code = 425
    retry_after_s = 30

    def __init__(self, name: str) -> None:
        super().__init__(
            Text("the file {name} was deleted or replaced while the gateway was running.", name=name),
            hint=Text("Nothing was confirmed. Put the file back, or restart the gateway with what is there."),
        )
        self.name = name


class Stopping(BusyError):
    """The gateway is being stopped."""

    code = 430

    def __init__(self) -> None:
        hint = Text("Nothing was stored; send it again in a moment.")
        super().__init__(Text("the gateway is stopping."), hint=hint)


class TooManyScreens(BusyError):
    """As many screens are open as ``server.max_screens`` allows."""

    code = 440
    retry_after_s = 30

    def __init__(self, limit: int) -> None:
        hint = Text("Raise server.max_screens.")
        super().__init__(Text("the limit of {limit} open screens is reached.", limit=limit), hint=hint)


class LoginsBusy(BusyError):
    """As many logins are being verified as may be at once, of all or of this address; this one was not looked at."""

    code = 445
    retry_after_s = 2

    def __init__(self) -> None:
        hint = Text("Nothing was done; try again in a moment.")
        super().__init__(Text("too many logins at the same time."), hint=hint)


class TooManyConnections(BusyError):
    """One client has more connections to the lenient port than its share, and as many waiting as may."""

    code = 450

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text("too many connections from this address: {limit} are served at the same time.", limit=limit),
            hint=Text("Nothing was stored; close connections without use and send it again in a moment."),
        )


class TooManyOrders(BusyError):
    """As many orders wait for their appliance as threads may be spent on them; this one was not written down."""

    code = 460
    retry_after_s = 3

    def __init__(self, appliance: str, limit: int) -> None:
        super().__init__(
            Text(
                "{limit} orders wait already for the appliance {appliance!r} or for others.",
                limit=limit,
                appliance=appliance,
            ),
            hint=Text("Nothing was dialled; try again in a moment."),
        )


class TooManyRequests(BusyError):
    """One address has more requests under way on the main port than ``server.requests_per_address`` allows."""

    code = 470

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text("too many requests from this address: {limit} are under way already.", limit=limit),
            hint=Text("Nothing was stored; wait for the answers and send it again."),
        )


class NothingKept(BusyError):
    """A source has no mapping yet, and the traffic log is off: of its request nothing would be left."""

    code = 480
    retry_after_s = 60

    def __init__(self, name: str) -> None:
        text = Text("the source {name!r} has no mapping, and no traffic log keeps its requests.", name=name)
        hint = Text("Nothing was stored. Give it a preset or a mapping, or set traffic.record to true.")
        super().__init__(text, hint=hint)
