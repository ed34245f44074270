"""Errors 300 to 399: who asks may not."""

from gateway.errors.root import GatewayError
from gateway.texts.text import Fact, Text


class AccessError(GatewayError):
    """Who asks may not."""

    code = 300
    http_status = 403
    side = "client"


class AddressNotAllowed(AccessError):
    """The client's address may not send events and it gave no valid token."""

    code = 310

    def __init__(self, address: str, proxy: Fact = "") -> None:
        """Make the error; ``proxy`` names the proxy that passed the request on, if one did."""
        by_proxy = Text(
            "Check server.trusted_proxies and the X-Forwarded-For that the proxy sends, or send the company's token."
        )
        direct = Text("Put it into events.allow, or send the company's token.")
        super().__init__(
            Text("the address {named} may not send events to this company.", named=_named(address, proxy)),
            hint=by_proxy if proxy else direct,
        )


class MetricsNotAllowed(AccessError):
    """The client's address may not read the metrics."""

    code = 315

    def __init__(self, address: str, proxy: Fact = "") -> None:
        """Make the error; ``proxy`` names the proxy that passed the request on, if one did."""
        by_proxy = Text("Check server.trusted_proxies and the X-Forwarded-For that the proxy sends.")
        direct = Text("Put it into server.metrics_allow.")
        super().__init__(
            Text("the address {named} may not read the metrics.", named=_named(address, proxy)),
            hint=by_proxy if proxy else direct,
        )


def _named(address: str, proxy: Fact) -> Fact:
    return Text("{address} ({proxy})", address=address, proxy=proxy) if proxy else address


class CredentialsNeeded(AccessError):
    """Nothing identifies who asks."""

    code = 320
    http_status = 401

    def __init__(self, *, by_token: bool = True) -> None:
        """Make the error; ``by_token`` says whether the company's token would do as well as an agent's login."""
        either = Text("Send an agent's user name and password (HTTP Basic), or the company's token.")
        login = Text("Send an agent's user name and password (HTTP Basic).")
        super().__init__(Text("credentials missing."), hint=either if by_token else login)


class BadCredentials(AccessError):
    """What was given to identify who asks is wrong; it does not say which part."""

    code = 330
    http_status = 401

    def __init__(self) -> None:
        super().__init__(Text("invalid user name, password or token."))


class TooManyAttempts(AccessError):
    """Too many wrong passwords in a short time."""

    code = 340
    http_status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(Text("too many attempts."), hint=Text("Try again in {seconds} s.", seconds=retry_after_s))
        self.retry_after_s = retry_after_s


class ForeignPage(AccessError):
    """A browser says that a page of another site makes this request, and it gave no valid token."""

    code = 350

    def __init__(self, header: str) -> None:
        super().__init__(
            Text("events are not accepted from pages of other sites ({header}).", header=header),
            hint=Text("Send them from the exchange itself, or with the company's token."),
        )


class NotProven(AccessError):
    """A request does not prove that the source whose address it came to sent it; the traffic log says why."""

    code = 360

    def __init__(self, source: str) -> None:
        super().__init__(
            Text("this request does not prove that {source!r} sent it.", source=source),
            hint=Text("Check the secret there and in the configuration; the traffic log says what is wrong."),
        )


class LoginNotProven(NotProven):
    """The same, where HTTP Basic is the proof: a client may be asked for its login."""

    code = 365
    http_status = 401


class PasswordToChange(AccessError):
    """Who asks has a first password, which somebody else knows."""

    code = 375

    def __init__(self) -> None:
        super().__init__(
            Text("the password was given by somebody else."),
            hint=Text("Log in at the desk and choose one of your own first."),
        )


class RightMissing(AccessError):
    """Who asks is logged in, in a role that may not do this."""

    code = 370

    def __init__(self, role: Text) -> None:
        super().__init__(
            Text("your login has the role {role}, which may not do this.", role=role),
            hint=Text("An administrator can give it another role: cti-gateway agent role LOGIN ROLE."),
        )


class OnsiteKeyRefused(AccessError):
    """A gateway on site shows a key that opens nothing: it was revoked, replaced, or never made here."""

    code = 380
    http_status = 401

    def __init__(self) -> None:
        super().__init__(
            Text("the key of this gateway on site is not valid."),
            hint=Text("Make a new one on the main gateway: cti-gateway onsite add NAME --renew."),
        )


class OnsiteKeyInUse(AccessError):
    """Two gateways on site have one key, such as a copy on another machine: both would fetch the same orders."""

    code = 385
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            Text("another gateway on site waits for orders with this key."),
            hint=Text(
                "Give each a key of its own: cti-gateway onsite add NAME. Where that one is gone, wait half a minute."
            ),
        )
