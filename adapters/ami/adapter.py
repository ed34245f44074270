"""Asterisk, and exchanges built on it, by the manager interface over TCP (AMI), without its web server.

Each order is a connection of its own: login, one ``Originate``, close. A connection that is kept would have to be read
all the time, since Asterisk closes the session of a reader that stalls, and a login costs a few milliseconds.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from adapters.ami.session import AmiSession, Block, LoginFailed, login_actions, written
from adapters.ami.settings import AmiConfig
from adapters.http.client import UNCHECKED
from adapters.http.connection import Attempt
from adapters.http.outcomes import OF_CERTIFICATE, Failed, FailureCode, advised, built
from adapters.http.templates import DIAL_FIELDS, Template
from adapters.sentences import Sentences
from gateway.adapter import Delivery, Outcome, Outgoing, Probe, WireRequest, defect_of
from gateway.errors import AdapterError
from gateway.texts.text import Text

LOGIN_OPENINGS = {
    Outcome.REFUSED: Text("The appliance {name!r} refused the login"),
    Outcome.UNREACHABLE: Text("The appliance {name!r} did not complete the login and nothing was ordered"),
}
REASONS = {
    "0": Text("the extension is not registered, does not exist or refused (OriginateResponse, Reason {code})"),
    "1": Text("the extension refused (OriginateResponse, Reason {code})"),
    "3": Text("the extension did not answer (OriginateResponse, Reason {code})"),
    "5": Text("the extension is busy (OriginateResponse, Reason {code})"),
    "8": Text("the extension has no free line (OriginateResponse, Reason {code})"),
}
"""Why Asterisk could not ring the extension: the reasons of its event OriginateResponse."""
OTHER_REASON = Text("the extension could not be called (OriginateResponse, Reason {code})")
CHECK_TLS = Text("check port and tls: the TLS port of manager.conf is tlsbindaddr")
ADVICE: Mapping[FailureCode, Text] = {
    FailureCode.NO_SUCH_HOST: Text("check the name, or this machine's DNS"),
    FailureCode.CONNECTION_REFUSED: Text(
        "nothing listens at this address and port: check port and, in manager.conf, enabled and bindaddr"
    ),
    FailureCode.TLS_FAILED: CHECK_TLS,
    FailureCode.OLD_TLS: CHECK_TLS,
    FailureCode.NO_TLS: CHECK_TLS,
    FailureCode.NO_ROUTE: Text("check the address and the route"),
    FailureCode.CONNECT_TIMEOUT: Text("check the address and the firewalls on the way"),
    FailureCode.ANSWER_TIMEOUT: Text(
        "it accepts connections and does not answer: it hangs, expects TLS (tls = true), or is another service"
    ),
    FailureCode.CONNECTION_LOST: Text("something else may listen on this port, or it expects TLS (tls = true)"),
}
"""What an administrator can do, by what went wrong."""
PING = written(("Action", "Ping"))
_SEPARATORS = re.compile(r'([\\,"])')
NAMES = DIAL_FIELDS | {"kind", "id"}


class AmiAdapter:
    """Rings the extension's channel; Asterisk dials the number in ``context`` when it answers.

    The channel's id (Uniqueid, so the Linkedid of the whole call) is made of the order's. *Accepted* says that Asterisk
    has queued the order, and that within ``watch_s`` no news came that the extension cannot be rung.
    """

    Config: ClassVar[type[Any]] = AmiConfig
    can_hang_up = True
    only_dials = True

    def __init__(self, config: AmiConfig, *, name: str) -> None:
        """Compile the templates. Raises ``AdapterError`` when one cannot be used."""
        self._config = config
        self.longest_s = config.timeout_s
        self._say = Sentences(name, [config.secret.get_secret_value()])
        self._trust = config.trust() if config.tls else None
        self._number = self._template("{{ number }}", "number")
        self._channel = self._template(config.channel, "channel")
        self._caller_id = self._template(config.caller_id, "caller_id")
        self._variables = {
            variable: self._template(text, f"variables.{variable}") for variable, text in config.variables.items()
        }

    def probe(self) -> Probe:
        """Log in and ``Ping``, which rings nobody. Whether the user may originate is not seen by it."""
        try:
            with self._session() as session:
                session.log_in()
                answer = session.ask(PING)
        except Failed as failed:
            return self._unfit(failed)
        if not answer.get("ping"):
            return self._say.probe(False, answer.refusal)
        unchecked = self._config.tls and self._config.tls_verify is False
        well = Text("{peer} speaks AMI and accepted the login", peer=self._config.peer)
        return self._say.probe(True, advised(well, UNCHECKED if unchecked else None))

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        """Return the login's actions, then the order's. What answers a challenge is known only when it has been given.

        Raises ``AdapterError``.
        """
        action = built(lambda: self._action(message))
        *first, login = login_actions(self._config)
        note = Text("the Key answers the appliance's Challenge") if first else ""
        return [*map(self._shown, first), replace(self._shown(login), note=note), self._shown(action)]

    def deliver(self, message: Outgoing) -> Delivery:
        """Have Asterisk ring the extension, by an ``Originate`` that it only queues."""
        return self._delivered(message, self._order)

    def hangup(self, message: Outgoing) -> Delivery:
        """End the call by the id of its channel."""
        return self._delivered(message, self._hang_up)

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _template(self, source: str, place: str) -> Template:
        return Template(source, secrets={}, names=NAMES, place=place)

    def _shown(self, action: bytes) -> WireRequest:
        return WireRequest(self._config.peer, action, (self._config.secret.get_secret_value(),))

    def _session(self) -> AmiSession:
        return AmiSession(self._config, Attempt(self._config.timeout_s), self._trust, self._say)

    def _delivered(self, message: Outgoing, ask: Callable[[AmiSession, str, bytes], Delivery]) -> Delivery:
        try:
            action = built(lambda: self._action(message))
        except AdapterError as error:
            return self._say.unbuilt(error)
        asked = False
        try:
            with self._session() as session:
                session.log_in()
                asked = True
                return ask(session, channel_id(message), action)
        except Failed as failed:
            opening = LOGIN_OPENINGS[failed.outcome] if isinstance(failed, LoginFailed) else None
            return self._say.delivery(failed.outcome, failed.reason, opening=opening)
        except Exception as error:  # a defect of ours: whether the order may have been sent counts all the same
            outcome = Outcome.UNKNOWN if asked else Outcome.UNREACHABLE
            return self._say.delivery(outcome, Text("the adapter has a defect ({defect})", defect=defect_of(error)))

    def _order(self, session: AmiSession, channel: str, action: bytes) -> Delivery:
        answer, news = session.ask_and_watch(action, self._config.watch_s, lambda block: _is_about(block, channel))
        if news is not None and not news.succeeded:
            code = news.get("reason")
            return self._say.delivery(Outcome.REFUSED, Text(REASONS.get(code, OTHER_REASON).id, code=code))
        return self._judged(answer, channel)

    def _hang_up(self, session: AmiSession, channel: str, action: bytes) -> Delivery:
        return self._judged(session.ask(action), channel)

    def _judged(self, answer: Block, channel: str) -> Delivery:
        if answer.succeeded:
            return self._say.delivery(Outcome.ACCEPTED, ref=channel)
        if answer.get("response") == "Error":
            return self._say.delivery(Outcome.REFUSED, answer.refusal)
        return self._say.delivery(Outcome.UNKNOWN, self._say.quoted(answer.raw.decode("utf-8", "replace")))

    def _action(self, message: Outgoing) -> bytes:
        """Return the one action that does what ``message`` asks for. Raises ``AdapterError``."""
        return self._hangup(message) if message.kind == "hangup" else self._originate(message)

    def _originate(self, message: Outgoing) -> bytes:
        config, channel = self._config, channel_id(message)
        caller_id = self._caller_id.render(message)
        return written(
            ("Action", "Originate"),
            ("ActionID", channel),
            ("Channel", config.channels.get(message.fields["extension"]) or self._channel.render(message)),
            ("Context", config.context),
            ("Exten", self._number.render(message)),
            ("Priority", str(config.priority)),
            *([("CallerID", caller_id)] if caller_id else []),
            ("Timeout", str(config.ring_timeout_s * 1000)),
            *(("Variable", f"{name}={_escaped(text.render(message))}") for name, text in self._variables.items()),
            ("ChannelId", channel),
            # Without it Asterisk answers only when the phone did (recorded from 22.10.1).
            ("Async", "true"),
        )

    def _hangup(self, message: Outgoing) -> bytes:
        return written(
            ("Action", "Hangup"),
            ("ActionID", f"{channel_id(message)}-end"),
            ("Channel", message.fields.get("peer_ref") or channel_id(message)),
        )

    def _unfit(self, failed: Failed) -> Probe:
        return self._say.probe(False, advised(failed.reason, self._advice(failed.code)))

    def _advice(self, code: FailureCode) -> Text | None:
        """Return what an administrator can do about what went wrong."""
        if code in OF_CERTIFICATE:
            return self._config.advice_to_pin(self._config.address, self._config.port)
        return ADVICE.get(code)


def channel_id(message: Outgoing) -> str:
    """Return the id that the order's channel gets: Asterisk may serve several companies, whose order ids are equal."""
    return f"gw-{message.fields['tenant']}-{message.fields['order_id']}"


def _is_about(block: Block, channel: str) -> bool:
    return block.get("event") == "OriginateResponse" and channel in (block.get("actionid"), block.get("uniqueid"))


def _escaped(value: str) -> str:
    """Return ``value`` as it stands in a line ``Variable``, which may set several: Asterisk splits it at commas."""
    return _SEPARATORS.sub(r"\\\1", value)
