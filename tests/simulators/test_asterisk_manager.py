"""The simulated manager interface over TCP: held against what Asterisk 22.10.1 was recorded to say, and dialled on."""

import socket
from contextlib import closing, contextmanager
from hashlib import md5
from pathlib import Path

import pytest
import requests
from pydantic import TypeAdapter

from gateway.adapter import Outcome, Outgoing, config_class, load
from gateway.simulators.asterisk_manager import AsteriskManager
from tests.simulators.peers import running, steps, told

PEM = Path(__file__).parents[1] / "adapters" / "localhost.pem"
LOGIN = "Action: Login\nUsername: gateway\nSecret: secret\nEvents: off"
ORIGINATE = (
    "Action: Originate\nActionID: 4\nChannel: PJSIP/3505\nContext: from-internal\nExten: 047999990016\nPriority: 1\n"
    "ChannelId: cti-90-3505\nAsync: true"
)
ORDER = Outgoing(
    "dial",
    "17",
    {"extension": "3501", "number": "04799998888", "order_id": "17", "call_id": "18", "tenant": "acme"},
)


@contextmanager
def connected(appliance):
    """A reader and a writer of blocks, behind the greeting."""
    with socket.create_connection(("127.0.0.1", appliance.manager_port), timeout=5) as connection:
        stream = connection.makefile("rb")

        def ask(action: str) -> str:
            connection.sendall((action.replace("\n", "\r\n") + "\r\n\r\n").encode())
            return block()

        def block() -> str:
            lines = iter(lambda: stream.readline().decode(), "")
            found = []
            for line in lines:
                assert line.endswith("\r\n")
                if line == "\r\n":
                    break
                found.append(line[:-2])
            return "\n".join(found)

        ask.block, ask.raw, ask.greeting = block, connection.sendall, stream.readline()
        yield ask


def test_the_server_speaks_first_and_takes_a_plain_login():
    with running(AsteriskManager) as appliance, connected(appliance) as ask:
        assert ask.greeting == b"Asterisk Call Manager/11.0.0\r\n"
        assert ask("Action: Ping") == "Response: Error\nMessage: Permission denied"
        assert ask(LOGIN) == "Response: Success\nMessage: Authentication accepted"
        assert ask("Action: Ping").startswith("Response: Success\nPing: Pong\nTimestamp: ")
        assert ask("Action: Logoff") == "Response: Goodbye\nMessage: Thanks for all the fish."
        assert ask.block() == ""


def test_a_challenge_is_answered_by_its_md5_and_by_no_other():
    with running(AsteriskManager) as appliance, connected(appliance) as ask:
        challenge = ask("Action: Challenge\nAuthType: MD5").removeprefix("Response: Success\nChallenge: ")
        key = md5(f"{challenge}secret".encode()).hexdigest()
        assert "accepted" in ask(f"Action: Login\nAuthType: MD5\nUsername: gateway\nKey: {key}")
    with running(AsteriskManager) as appliance, connected(appliance) as ask:
        without_challenge = md5(b"secret").hexdigest()
        refused = ask(f"Action: Login\nAuthType: MD5\nUsername: gateway\nKey: {without_challenge}")
        assert refused == "Response: Error\nMessage: Authentication failed"
        assert ask.block() == ""
        assert steps(appliance) == ["Login: Authentication failed"]


def test_an_order_is_queued_with_the_recorded_answer_and_its_call_has_the_wanted_id():
    with running(AsteriskManager) as appliance, connected(appliance) as ask:
        ask(LOGIN)
        assert ask(ORIGINATE) == "Response: Success\nActionID: 4\nMessage: Originate successfully queued"
        assert told(appliance) == [("3505", "047999990016")]
        assert appliance.received[0].call_id == "cti-90-3505"
        assert ask("Action: Hangup\nChannel: cti-90-3505") == "Response: Success\nMessage: Channel Hungup"
        assert ask("Action: Hangup\nChannel: cti-90-3505") == "Response: Error\nMessage: No such channel"


def test_an_extension_that_cannot_be_rung_is_an_event_as_recorded():
    with running(AsteriskManager, fail="rejected") as appliance, connected(appliance) as ask:
        ask(LOGIN.replace("off", "call"))
        assert "queued" in ask(ORIGINATE)
        lines = ask.block().split("\n")
    recorded = ("Response: Failure", "Channel: PJSIP/3505", "Reason: 0", "Uniqueid: cti-90-3505", "ActionID: 4")
    assert lines[0] == "Event: OriginateResponse"
    assert set(recorded) <= set(lines)


@pytest.mark.parametrize(("size", "answers"), [(1020, 1), (1023, 2)])
def test_a_line_that_is_too_long_makes_two_answers_of_one_action(size, answers):
    with running(AsteriskManager) as appliance, connected(appliance) as ask:
        ask(LOGIN)
        long = "Variable: A=" + "x" * (size - len("Variable: A="))
        said = [ask(f"{ORIGINATE}\n{long}\nPriority: 1")]
        said += [ask.block() for _ in range(answers - 1)]
    expected = ["Response: Error\nMessage: Failed to parse message: line too long"]
    expected.append("Response: Error\nMessage: Missing action in request")
    assert said == (expected if answers == 2 else [said[0]])
    assert len(told(appliance)) == (answers == 1)


def test_the_page_is_on_a_port_of_its_own_and_hides_the_secret():
    with running(AsteriskManager) as appliance, connected(appliance) as ask:
        ask(LOGIN.replace("secret", "s3nha"))
        page = requests.get(appliance.address, timeout=5).text
        assert "Authentication failed" in page
        assert "s3nha" not in page


@contextmanager
def dialling(appliance, **more):
    table = {**appliance.tables()["asterisk-manager"], **more}
    settings = {key: value for key, value in table.items() if key != "adapter"}
    config = TypeAdapter(config_class("ami", settings)).validate_python(settings)
    with closing(load("ami")(config, name="simulada")) as made:
        yield made


CASES = [
    ("", "accepted", True, "aceitou"),
    ("auth", "refused", False, "recusou o login"),
    ("privilege", "refused", False, "write=originate"),
    ("busy", "refused", False, "está ocupado"),
    ("congestion", "refused", False, "não tem linha livre"),
    ("rejected", "refused", False, "não está registrado"),
    ("absent", "refused", False, "não existe no context"),
    ("fault", "refused", False, "Too many lines"),
    ("no-answer", "accepted", False, "aceitou"),
]
"""Failure, outcome, whether a call was made, and what is said. That nobody answers is known half a minute later."""


def test_every_failure_has_its_case():
    assert {case[0] for case in CASES} == {"", *AsteriskManager.failures}


@pytest.mark.parametrize("auth", ["md5", "plain"])
@pytest.mark.parametrize(("failure", "outcome", "taken", "said"), CASES)
def test_each_failure_comes_to_its_outcome(failure, outcome, taken, said, auth):
    with running(AsteriskManager, fail=failure) as appliance, dialling(appliance, auth=auth) as adapter:
        delivery = adapter.deliver(ORDER)
        assert (delivery.outcome, len(appliance.received)) == (Outcome(outcome), int(taken)), delivery.detail
        assert said in delivery.detail
        if taken:
            assert told(appliance) == [("3501", "04799998888")]


def test_a_busy_extension_is_accepted_where_nobody_watches():
    with running(AsteriskManager, fail="busy") as appliance, dialling(appliance, watch_s=0) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED


def test_an_order_that_was_taken_and_not_answered_is_unknown():
    with running(AsteriskManager, drop=True) as appliance, dialling(appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.UNKNOWN
        assert len(appliance.received) == 1


def test_a_call_is_hung_up_by_the_id_that_the_order_gave_it_and_a_probe_rings_nobody():
    with running(AsteriskManager) as appliance, dialling(appliance) as adapter:
        assert adapter.probe().ok
        assert appliance.received == []
        ref = adapter.deliver(ORDER).peer_ref
        assert (ref, appliance.received[0].call_id) == ("gw-acme-17", "gw-acme-17")
        ended = Outgoing("hangup", "17", {**ORDER.fields, "peer_ref": ref})
        assert adapter.hangup(ended).outcome is Outcome.ACCEPTED
        again = adapter.hangup(ended)
        assert (again.outcome, "No such channel" in again.detail) == (Outcome.REFUSED, True)


def test_it_speaks_tls_with_its_own_certificate_and_no_other_is_trusted():
    appliance = AsteriskManager(certificate=PEM).start()
    try:
        with dialling(appliance) as adapter:
            assert adapter.deliver(ORDER).outcome is Outcome.ACCEPTED
        with dialling(appliance, tls_pin="sha256:" + "0" * 64) as adapter:
            assert adapter.deliver(ORDER).outcome is Outcome.UNREACHABLE
        with dialling(appliance, tls_pin="") as adapter:
            pin = appliance.pinned()["tls_pin"]
            assert pin in adapter.probe().detail
    finally:
        appliance.stop()
