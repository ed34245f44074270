"""Asterisk's manager interface as a source: the connection around what understands its events."""

import socket
import time
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter

from adapters.ami import conversation
from adapters.ami.event_source import AmiEventSource
from adapters.ami.source_settings import AmiSourceConfig
from gateway.config import loader
from gateway.domain.messages import CallEnded, CallStarted
from gateway.errors import ConfigError, EventSourceError
from gateway.event_source import EventSource
from tests.events.ami_server import FULLY_BOOTED, AmiServer, event, hangups, in_background, listed, manager, ringing
from tests.events.compliance import SECRET, EventSourceCompliance
from tests.events.reports import CollectedReport, attempt, place, until


def source(port: int, **more: Any) -> AmiEventSource:
    settings = {"host": "127.0.0.1", "port": port, "username": "cti", "secret": SECRET, "timeout_s": 0.7} | more
    config = TypeAdapter(AmiSourceConfig).validate_python(settings)
    return AmiEventSource(config, place("ami"))


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "LOOK_S", 0.05)


class TestCompliance(EventSourceCompliance):
    kind = "ami"

    def source(self, port: int) -> EventSource:
        return source(port)

    def talk(self, connection: socket.socket) -> None:
        AmiServer(after_login=FULLY_BOOTED + ringing()).talk(connection)


def started(report: CollectedReport) -> list[CallStarted]:
    return [message for message in report.messages if isinstance(message, CallStarted)]


@pytest.mark.parametrize("auth", ["md5", "plain"])
def test_it_logs_in_and_keeps_the_secret_out_of_the_traffic_log(auth: str) -> None:
    server = AmiServer(after_login=FULLY_BOOTED + ringing())
    with manager(server) as port, attempt(source(port, auth=auth)) as made:
        until(lambda: bool(started(made.report)), "the call rings")
    login = next(action for action in server.actions if action["action"] == "Login")
    assert login["events"] == "system,call,agent,user"
    hidden = {SECRET, login.get("key", SECRET)}
    assert hidden <= set(made.report.hidden)
    assert bytes(made.report.said_bytes).startswith(b"Action: ")
    assert b"Authentication accepted" in made.report.heard_bytes


def test_a_call_from_outside_is_told_with_its_number_and_line() -> None:
    server = AmiServer(after_login=FULLY_BOOTED + ringing())
    with manager(server) as port, attempt(source(port)) as made:
        until(lambda: bool(started(made.report)), "the call rings")
    (call,) = started(made.report)
    assert (call.ramal, call.telefone, call.call_ref) == ("3501", "47999990016", "1796007130.7")
    assert call.origin.client == f"127.0.0.1:{port}"


def test_a_refused_login_is_told_and_not_tried_again_soon() -> None:
    with manager(AmiServer(secret="another")) as port, attempt(source(port)) as made:
        assert made.ended()
    assert isinstance(made.error, EventSourceError)
    assert made.error.pause_s == 180
    assert "Authentication failed" in str(made.error)
    assert made.report.connections == 0


def test_what_goes_on_is_asked_for_when_the_exchange_is_ready() -> None:
    server = AmiServer(after_login="")
    with manager(server) as port, attempt(source(port)) as made:
        until(lambda: server.logins == 1, "it is logged in")
        assert "CoreShowChannels" not in server.names()
        server.say(FULLY_BOOTED)
        until(lambda: "ParkedCalls" in server.names(), "it asks")
    assert [name for name in server.names() if name in ("CoreShowChannels", "QueueStatus", "ParkedCalls")] == [
        "CoreShowChannels",
        "QueueStatus",
        "ParkedCalls",
    ]
    assert made.report.problems == []


def test_what_goes_on_is_asked_for_without_the_right_to_hear_of_the_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "BOOT_WAIT_S", 0.1)
    server = AmiServer(after_login="")
    with manager(server) as port, attempt(source(port)):
        until(lambda: "CoreShowChannels" in server.names(), "it asks")


def test_a_call_that_rings_already_is_taken_up() -> None:
    with manager(AmiServer(channels=listed())) as port, attempt(source(port)) as made:
        until(lambda: bool(started(made.report)), "it is told")
        assert started(made.report)[0].ramal == "3501"


def test_a_call_that_ended_meanwhile_is_closed_also_by_another_process() -> None:
    server = AmiServer(after_login=FULLY_BOOTED + ringing())
    first = CollectedReport()
    with manager(server) as port, attempt(source(port), first):
        until(lambda: bool(first.memory), "the call is remembered")
    second = CollectedReport(memory=first.memory)
    with manager(AmiServer()) as port, attempt(source(port), second):
        until(lambda: any(isinstance(message, CallEnded) for message in second.messages), "its end is told")
    (end,) = [message for message in second.messages if isinstance(message, CallEnded)]
    assert end.call_ref == "1796007130.7"


def test_calls_go_on_over_a_lost_connection() -> None:
    server = AmiServer(after_login=FULLY_BOOTED + ringing())
    with manager(server) as port:
        pabx = source(port)
        with attempt(pabx) as first:
            until(lambda: bool(started(first.report)), "the call rings")
            server.cut()
            assert first.ended()
            assert isinstance(first.error, EventSourceError)
        server.after_login, server.channels = FULLY_BOOTED, listed()
        with attempt(pabx) as second:
            until(lambda: server.names().count("ParkedCalls") == 2, "what goes on is asked for")
            server.say(hangups())
            until(lambda: any(isinstance(each, CallEnded) for each in second.report.messages), "the end is told")
            assert started(second.report) == []


def test_a_user_who_may_not_ask_is_told_what_is_missing() -> None:
    server = AmiServer(after_login=FULLY_BOOTED + ringing(), denied={"CoreShowChannels", "Filter"})
    with manager(server) as port, attempt(source(port)) as made:
        until(lambda: bool(made.report.problems), "it is told")
        until(lambda: bool(started(made.report)), "calls are told all the same")
    assert "write=reporting" in str(made.report.problems[0])


def test_an_exchange_that_never_says_what_goes_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "SNAPSHOT_WITHIN_S", 0.1)
    with manager(AmiServer(mute={"CoreShowChannels"})) as port, attempt(source(port)) as made:
        until(lambda: bool(made.report.problems), "it is told")


def test_a_silent_exchange_is_asked_whether_it_is_there() -> None:
    server = AmiServer()
    with manager(server) as port, attempt(source(port, ping_every_s=0.1)) as made:
        until(lambda: server.names().count("Ping") >= 3, "it pings")
        assert not made.ended(within_s=0.1)


def test_an_exchange_that_vanished_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "ANSWER_WITHIN_S", 0.2)
    with manager(AmiServer(mute={"Ping"})) as port, attempt(source(port, ping_every_s=0.1)) as made:
        assert made.ended()
    assert "Ping" in str(made.error)


def test_a_shutdown_is_told_as_one() -> None:
    server = AmiServer()
    with manager(server) as port, attempt(source(port)) as made:
        until(lambda: bool(server.there), "it is logged in")
        server.say(event("Shutdown", Shutdown="Cleanly", Restart="False"))
        until(lambda: b"Event: Shutdown" in made.report.heard_bytes, "it is heard")
        server.cut()
        assert made.ended()
    assert str(made.error) == str(EventSourceError(conversation.SHUT_DOWN))


def test_only_what_is_needed_is_asked_for_where_it_may_be() -> None:
    server = AmiServer()
    with manager(server) as port, attempt(source(port)):
        until(lambda: "Filter" in server.names(), "it asks for less")
    (asked,) = [action for action in server.actions if action["action"] == "Filter"]
    assert asked["filter"].startswith("Event: (")
    for name in ("Newchannel", "DialBegin", "BridgeEnter", "Hangup", "QueueCallerJoin", "FullyBooted"):
        assert name in asked["filter"]
    with manager(server := AmiServer()) as port, attempt(source(port, filter_events=False)):
        until(lambda: "ParkedCalls" in server.names(), "it asks what goes on")
    assert "Filter" not in server.names()


def test_it_reads_no_further_than_is_written_down() -> None:
    """So that a slow disk makes the exchange wait (TCP), instead of filling our memory."""
    server, report = AmiServer(), CollectedReport()
    report.open_gate.clear()
    sent: list[int] = []

    def flood() -> None:
        connection = server.there[0]
        with suppress(OSError):
            for number in range(100_000):
                connection.sendall(ringing(f"1796{number:06}.7").replace("\n", "\r\n").encode())
                sent.append(number)

    with manager(server) as port, attempt(source(port), report) as made:
        until(lambda: bool(server.there), "it is logged in")
        thread = in_background(flood)
        until(lambda: bool(sent), "the flood has begun")
        last = -1
        while last != len(sent):
            last = len(sent)
            time.sleep(0.3)
        assert len(made.report.heard_bytes) < 1_000_000
        server.cut()
        report.stop.set()
        thread.join(10)


def test_a_probe_says_what_the_user_may_not() -> None:
    with manager(AmiServer(denied={"CoreShowChannels"})) as port:
        found = source(port).probe()
    assert found.ok
    assert "write=reporting" in str(found.note)


def test_a_probe_of_another_service_says_so() -> None:
    with manager(AmiServer(banner=b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        found = source(port).probe()
    assert not found.ok
    assert "SSH-2.0" in found.detail


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"phones": "("}, "phones = '(' is no regular expression"),
        ({"host": "pbx:5038"}, "the port is a key of its own"),
        ({"username": ""}, "must not be empty"),
        ({"secret": "a\nb"}, "secret has a control character"),
        ({"ring_wait_ms": -1}, "greater than or equal to 0"),
        ({"trunk": ["x"]}, "Did you mean 'trunks'?"),
    ],
)
def test_a_mistake_in_the_settings_is_told(settings: dict[str, Any], problem: str) -> None:
    table = {"kind": "ami", "host": "pbx", "username": "cti", "secret": "segredo"} | settings
    with pytest.raises(ConfigError) as wrong:
        loader.parse({"tenants": {"acme": {"sources": {"pabx": table}}}}, source="gateway.toml")
    assert problem in str(wrong.value)
    assert "segredo" not in str(wrong.value)


def test_the_settings_say_what_names_of_channels_mean() -> None:
    config = AmiSourceConfig(
        host="pbx",
        username="cti",
        secret=SecretStr("s"),
        phones="ramal-(35..)",
        endpoints={"sala": "3510"},
        trunks=("3599",),
        recording_url="https://pbx/{{ name }}",
    )
    rules = config.interpreter_settings(place("ami")).rules
    assert rules.read("PJSIP/ramal-3501-0000001a").extension == "3501"
    assert rules.read("PJSIP/sala-0000001a").extension == "3510"
    assert not rules.read("PJSIP/3599-0000001a").extension
