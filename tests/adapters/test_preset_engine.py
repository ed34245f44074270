"""How a preset's steps are taken: logins and their end, outcomes before and after the dialling, values on the wire."""

import json
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from hashlib import md5
from pathlib import Path
from textwrap import dedent
from typing import Any
from xmlrpc.client import Fault, dumps

import pytest
from pydantic import TypeAdapter

from adapters.http.client import HttpAnswer
from adapters.http.settings import PeerConfig
from adapters.presets import run as preset_run
from adapters.presets.adapter import PresetAdapter
from adapters.presets.answers import AnswerReading
from adapters.presets.files import Catalogue
from adapters.presets.language import AnswerPlace
from adapters.presets.schema import Preset
from adapters.presets.settings import config_class_of
from adapters.presets.trials import failures
from gateway.adapter import Limits, Outcome, overheard
from gateway.config.loader import parse
from gateway.errors import AdapterError, ConfigError
from gateway.server.bootstrap import build
from tests.adapters.bad_peers import BAD, LOGIN_PAGE, Peer, free_port, hang, serving
from tests.adapters.dialects import DIAL

VERIFIED = '[verified]\nhow = "template"\nsources = ["this test"]\n'
HOST = """
[parameters.host]
type = "host"
help = "Where."
[parameters.password]
type = "secret"
default = "s3nha"
help = "It."
"""
LOGIN = """
[[login]]
get = "/login?pw={{ password }}"
success = "^welcome"
refused = "^wrong"
capture.session = { matches = "welcome (\\\\S+)" }
"""
DIALS = """
[dial]
get = "/dial?n={{ number }}&s={{ session }}"
success = "^yes"
refused = "^no"
expired = "^log in"
ref = { matches = "id=(\\\\d+)" }
"""
LOGOUT = '[[logout]]\nget = "/logout?s={{ session }}"\n'
SESSION = "[session]\nlifetime_s = 600\n"


def preset(*parts: str, top: str = "") -> Preset:
    head = 'title = "A PBX"\naddress = "http://{{ host }}"\n' + top
    return Preset.model_validate(tomllib.loads(head + VERIFIED + HOST + "\n".join(parts)))


def adapter(chosen: Preset, host: str, **more: Any) -> PresetAdapter:
    settings = {"preset": "x", "host": host, "timeout_s": 10, **more}
    return PresetAdapter(TypeAdapter(config_class_of(chosen)).validate_python(settings), name="pabx")


class Exchange:
    """Answers by path; what is asked for is in ``asked``. An answer is a body, or a behaviour of a bad peer."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []

    def __call__(self, peer: Peer, connection: Any) -> bool:
        target = peer.requests[-1].split()[1].decode()
        self.asked.append(target)
        answer = self.answers[target.partition("?")[0]]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if callable(answer):
            return bool(answer(peer, connection))
        body = answer.encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        return True


@contextmanager
def running(exchange: Exchange, chosen: Preset, **more: Any) -> Iterator[PresetAdapter]:
    with serving(exchange) as peer, closing(adapter(chosen, f"127.0.0.1:{peer.port}", **more)) as pabx:
        yield pabx


def test_an_order_logs_in_dials_and_logs_out():
    exchange = Exchange({"/login": "welcome abc123", "/dial": "yes id=77", "/logout": "bye"})
    with running(exchange, preset(LOGIN, DIALS, LOGOUT)) as pabx:
        delivery = pabx.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, "77")
    assert exchange.asked == ["/login?pw=s3nha", "/dial?n=04799998888&s=abc123", "/logout?s=abc123"]


def test_it_logs_out_after_a_refusal_too():
    exchange = Exchange({"/login": "welcome abc123", "/dial": "no, busy", "/logout": "bye"})
    with running(exchange, preset(LOGIN, DIALS, LOGOUT)) as pabx:
        delivery = pabx.deliver(DIAL)
    assert delivery.outcome is Outcome.REFUSED
    assert "no, busy" in delivery.detail
    assert len(exchange.asked) == 3


def test_a_kept_login_serves_many_orders_and_ends_with_the_gateway():
    exchange = Exchange({"/login": "welcome abc123", "/dial": "yes", "/logout": "bye"})
    with serving(exchange) as peer:
        pabx = adapter(preset(LOGIN, DIALS, LOGOUT, SESSION), f"127.0.0.1:{peer.port}", timeout_s=10)
        with ThreadPoolExecutor(8) as threads:
            outcomes = {each.outcome for each in threads.map(pabx.deliver, [DIAL] * 20)}
        pabx.close()
    assert outcomes == {Outcome.ACCEPTED}
    paths = [target.partition("?")[0] for target in exchange.asked]
    assert (paths.count("/login"), paths.count("/dial"), paths.count("/logout")) == (1, 20, 1)
    assert paths[-1] == "/logout"


def test_a_login_that_is_over_is_made_anew_once_and_the_order_goes_out():
    exchange = Exchange({"/login": ["welcome old111", "welcome new222"], "/dial": ["yes", "log in again", "yes"]})
    with running(exchange, preset(LOGIN, DIALS, SESSION)) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.ACCEPTED
        assert pabx.deliver(DIAL).outcome is Outcome.ACCEPTED
    assert [target[-6:] for target in exchange.asked if target.startswith("/dial")] == ["old111", "old111", "new222"]


def test_a_login_that_another_thread_made_meanwhile_is_not_given_up():
    exchange = Exchange({"/login": ["welcome old111", "welcome new222"], "/dial": "yes"})
    with running(exchange, preset(LOGIN, DIALS, SESSION)) as pabx:
        pabx.deliver(DIAL)
        sessions = pabx._runner._sessions
        old = sessions.kept
        sessions.forget(old)
        pabx.deliver(DIAL)
        sessions.forget(old)
        assert sessions.kept.values == {"session": "new222"}


def test_a_login_that_another_order_made_meanwhile_and_that_is_over_too_is_a_refusal():
    others = []

    def another_order_meanwhile(peer, connection):
        with ThreadPoolExecutor(1) as thread:
            others.append(thread.submit(pabx.deliver, DIAL).result())
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nlog in again")
        return True

    dials = ["yes", another_order_meanwhile, "log in again", "yes", "log in again"]
    exchange = Exchange({"/login": ["welcome old111", "welcome new222"], "/dial": dials})
    with running(exchange, preset(LOGIN, DIALS, SESSION)) as pabx:
        deliveries = [pabx.deliver(DIAL) for _ in range(2)]
    assert [each.outcome for each in (*deliveries, *others)] == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED]
    assert exchange.answers == {"/login": [], "/dial": []}


@pytest.mark.parametrize("name", ["captured", "range", "message"])
def test_a_capture_may_have_any_name_that_is_not_reserved(name):
    login = LOGIN.replace("capture.session", f"capture.{name}")
    dials = DIALS.replace("{{ session }}", f"{{{{ {name} }}}}").replace('"^no"', '"^NO"')
    exchange = Exchange({"/login": "welcome abc123", "/dial": ["yes", "NO abc123"]})
    with running(exchange, preset(login, dials)) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.ACCEPTED
        assert "NO ****" in pabx.deliver(DIAL).detail
    assert exchange.asked[1] == "/dial?n=04799998888&s=abc123"


def test_hanging_up_makes_a_login_anew_that_is_over():
    ends = '[[hangup]]\nget = "/end?id={{ ref }}&s={{ session }}"\nsuccess = "^yes"\nexpired = "^log in"\n'
    exchange = Exchange(
        {"/login": ["welcome old111", "welcome new222"], "/dial": "yes", "/end": ["log in again", "yes"]}
    )
    with running(exchange, preset(LOGIN, DIALS, ends, SESSION)) as pabx:
        pabx.deliver(DIAL)
        order = replace(DIAL, kind="hangup", fields={**DIAL.fields, "peer_ref": "77"})
        assert pabx.hangup(order).outcome is Outcome.ACCEPTED
    assert exchange.asked[-1] == "/end?id=77&s=new222"


def test_a_logout_that_hangs_does_not_hold_the_answer_back(monkeypatch):
    monkeypatch.setattr(preset_run, "SENT_S", 0.2)
    exchange = Exchange({"/login": "welcome abc123", "/dial": "yes", "/logout": hang})
    with running(exchange, preset(LOGIN, DIALS, LOGOUT), timeout_s=60) as pabx:
        began = time.monotonic()
        assert pabx.deliver(DIAL).outcome is Outcome.ACCEPTED
        assert time.monotonic() - began < 30


def test_an_appliance_that_always_wants_a_login_is_not_asked_for_ever():
    exchange = Exchange({"/login": "welcome abc123", "/dial": "log in again"})
    with running(exchange, preset(LOGIN, DIALS, SESSION)) as pabx:
        deliveries = [pabx.deliver(DIAL) for _ in range(2)]
    assert {each.outcome for each in deliveries} == {Outcome.REFUSED}, "expired says that nothing was done"
    assert 'respondeu "log in again"' in deliveries[0].detail
    assert len(exchange.asked) == 5


@pytest.mark.parametrize("session", [SESSION, ""])
@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('expired = "^over"', 'respondeu "over, no line"'),
        ('expired = "^over"\nsuccess = "line"', 'respondeu "over, no line"'),
        ('expired = "^over"\nreason = { matches = "no .*" }', 'respondeu "no line"'),
        ('expired = { status = true, matches = "^500$" }', "HTTP 500"),
    ],
)
def test_a_fresh_login_that_is_over_is_a_refusal(rules, said, session):
    def broken(peer, connection):
        connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
        return True

    answer = broken if "status" in rules else "over, no line"
    rules += "" if "success" in rules else '\nsuccess = "^yes"'
    dial = f'[dial]\nget = "/dial?s={{{{ session }}}}"\n{rules}\n'
    with running(Exchange({"/login": "welcome abc123", "/dial": answer}), preset(LOGIN, dial, session)) as pabx:
        delivery = pabx.deliver(DIAL)
    assert (delivery.outcome, said in delivery.detail) == (Outcome.REFUSED, True), delivery.detail


def test_a_step_after_the_order_that_finds_the_login_over_leaves_the_call_unknown():
    after = '[[after]]\nget = "/confirm"\nexpired = "^log in"\n'
    exchange = Exchange({"/login": "welcome abc123", "/dial": "yes", "/confirm": "log in again"})
    with running(exchange, preset(LOGIN, DIALS, after)) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("session", ["", SESSION])
def test_a_login_that_says_yes_and_lacks_what_is_captured_dials_nothing(session):
    exchange = Exchange({"/login": "welcome", "/dial": "yes"})
    with running(exchange, preset(LOGIN, DIALS, session)) as pabx:
        delivery = pabx.deliver(DIAL)
        assert not pabx.probe().ok
    assert delivery.outcome is Outcome.UNREACHABLE
    assert delivery.detail == "A central 'pabx' não concluiu o login e nada foi discado: a resposta não tem 'session'."
    assert not any(target.startswith("/dial") for target in exchange.asked)


def test_a_login_need_not_say_how_long_it_lives():
    login = LOGIN + 'capture.seconds = { matches = "for (\\\\d+)" }\n'
    session = '[session]\nlifetime_s = 600\nlifetime_from = "seconds"\n'
    with running(Exchange({"/login": "welcome abc123", "/dial": "yes"}), preset(login, DIALS, session)) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.ACCEPTED


def test_a_login_lives_as_long_as_the_appliance_says_at_most():
    lifetime = 'capture.seconds = { matches = "for (\\\\d+)" }\n'
    session = '[session]\nlifetime_s = 600\nlifetime_from = "seconds"\n'
    exchange = Exchange({"/login": "welcome abc123 for 1", "/dial": "yes"})
    with serving(exchange) as peer:
        chosen = preset(LOGIN + lifetime, DIALS, session)
        with closing(adapter(chosen, f"127.0.0.1:{peer.port}", timeout_s=5)) as pabx:
            sessions = pabx._runner._sessions
            pabx.deliver(DIAL)
            assert sessions._login is not None
            sessions._login = replace(sessions._login, ends=sessions._login.ends - 1)  # a second later
            pabx.deliver(DIAL)
    assert sum(target.startswith("/login") for target in exchange.asked) == 2


def later(sessions, seconds: float) -> None:
    """Let a kept login be so much older."""
    sessions._login = replace(sessions._login, ends=sessions._login.ends - seconds)
    sessions._used -= seconds


@pytest.mark.parametrize(
    ("session", "answer", "logins"),
    [
        ("idle_s = 60", "yes", 1),
        ("idle_s = 60", "no", 1),
        ("idle_s = 60", hang, 2),
        ("idle_s = 50", "yes", 3),
        ("idle_s = 60\nlifetime_s = 90", "yes", 2),
        ("lifetime_s = 60", "yes", 2),
    ],
)
def test_a_login_may_live_from_its_last_use_that_was_answered(session, answer, logins):
    """Orders 40 seconds apart; what is left of a lifetime is not used to its last 15 seconds."""
    exchange = Exchange({"/login": "welcome abc123", "/dial": ["yes", answer, "yes"]})
    with running(exchange, preset(LOGIN, DIALS, f"[session]\n{session}\n"), timeout_s=0.5) as pabx:
        for place in range(3):
            if place:
                later(pabx._runner._sessions, 40)
            pabx.deliver(DIAL)
    assert sum(target.startswith("/login") for target in exchange.asked) == logins


@pytest.mark.parametrize("behaviour", BAD)
def test_whatever_goes_wrong_at_the_login_nothing_was_dialled(behaviour):
    """So it is never unknown: another appliance may be tried."""
    exchange = Exchange({"/login": BAD[behaviour][0], "/dial": "yes"})
    with running(exchange, preset(LOGIN, DIALS), timeout_s=0.4) as pabx:
        delivery = pabx.deliver(DIAL)
        assert not pabx.probe().ok
    assert delivery.outcome is (Outcome.REFUSED if BAD[behaviour][1] == "refused" else Outcome.UNREACHABLE)
    assert not any(target.startswith("/dial") for target in exchange.asked)
    assert "'pabx'" in delivery.detail


@pytest.mark.parametrize("behaviour", BAD)
def test_whatever_goes_wrong_after_the_order_was_sent_comes_to_its_outcome(behaviour):
    exchange = Exchange({"/dial": BAD[behaviour][0]})
    with running(exchange, preset(DIALS.replace("&s={{ session }}", "")), timeout_s=0.4) as pabx:
        delivery = pabx.deliver(DIAL)
    assert delivery.outcome == BAD[behaviour][1]
    assert sum(target.startswith("/dial") for target in exchange.asked) == 1


def test_an_appliance_that_is_not_there_is_unreachable():
    with closing(adapter(preset(LOGIN, DIALS), f"127.0.0.1:{free_port()}")) as pabx:
        delivery = pabx.deliver(DIAL)
        assert (delivery.outcome, "conexão recusada" in delivery.detail) == (Outcome.UNREACHABLE, True)


def test_a_wrong_password_is_refused_in_the_appliance_s_words():
    with running(Exchange({"/login": "wrong password"}), preset(LOGIN, DIALS)) as pabx:
        delivery, probe = pabx.deliver(DIAL), pabx.probe()
    assert delivery.detail == "A central 'pabx' recusou o login: respondeu \"wrong password\"."
    assert probe.detail == delivery.detail


def test_a_probe_logs_in_and_out_and_orders_nothing():
    exchange = Exchange({"/login": "welcome abc123", "/logout": "bye", "/status": "fine"})
    asks = '[[probe]]\nget = "/status?s={{ session }}"\nsuccess = "fine"\n'
    with running(exchange, preset(LOGIN, DIALS, LOGOUT, asks)) as pabx:
        assert pabx.probe().ok
    assert exchange.asked == ["/login?pw=s3nha", "/status?s=abc123", "/logout?s=abc123"]


AFTER = '[[after]]\nget = "/confirm?id={{ ref }}"\nsuccess = "^fine"\n'


@pytest.mark.parametrize(
    ("must", "answer", "outcome"),
    [
        ("true", "fine", Outcome.ACCEPTED),
        ("true", "what?", Outcome.UNKNOWN),
        ("true", hang, Outcome.UNKNOWN),
        ("false", hang, Outcome.ACCEPTED),
    ],
)
def test_a_call_that_a_further_step_must_confirm_is_only_then_accepted(must, answer, outcome, monkeypatch):
    dial = DIALS.replace("&s={{ session }}", "")
    exchange = Exchange({"/dial": "yes id=77", "/confirm": answer})
    monkeypatch.setattr(preset_run, "SENT_S", 0.3)
    with running(exchange, preset(dial, AFTER, f"must_answer = {must}\n"), timeout_s=2) as pabx:
        delivery = pabx.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (outcome, "77")
    assert exchange.asked[-1] == "/confirm?id=77"


def test_what_was_captured_is_not_quoted_to_people():
    with running(
        Exchange({"/login": "welcome abc123", "/dial": "no, abc123 s3nha may not"}), preset(LOGIN, DIALS)
    ) as pabx:
        assert 'respondeu "no, **** **** may not"' in pabx.deliver(DIAL).detail


def test_what_was_captured_is_a_secret_for_the_wire_log_from_its_first_answer_on():
    heard = []
    exchange = Exchange({"/login": "welcome abc123", "/dial": "yes id=77", "/logout": "bye"})
    with running(exchange, preset(LOGIN, DIALS, LOGOUT)) as pabx, overheard(heard.append):
        pabx.deliver(DIAL)
    assert len(heard) == 3
    assert all({"abc123", "s3nha"} <= set(each.request.secrets) for each in heard)


def test_a_dry_run_names_what_only_an_answer_will_tell():
    hashed = DIALS.replace("{{ session }}", "{{ (session ~ password) | md5 }}")
    with closing(adapter(preset(LOGIN, DIALS, LOGOUT), "192.0.2.1")) as pabx:
        shown = [(str(each.note), each.data.split()[1].decode()) for each in pabx.preview(DIAL)]
    assert shown == [
        ("login", "/login?pw=s3nha"),
        ("dial", "/dial?n=04799998888&s=__session__"),
        ("logout", "/logout?s=__session__"),
    ]
    with closing(adapter(preset(LOGIN, hashed), "192.0.2.1")) as pabx:
        assert b"&s=__md5__ " in pabx.preview(DIAL)[1].data, "the hash of a secret would tell it"
        assert "s3nha" not in pabx.preview(DIAL)[0].shown()


def test_a_challenge_is_answered_with_its_hash():
    hashed = DIALS.replace("{{ session }}", "{{ (session ~ password) | md5 }}")
    exchange = Exchange({"/login": "welcome abc123", "/dial": "yes"})
    with running(exchange, preset(LOGIN, hashed)) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.ACCEPTED
    assert exchange.asked[1].endswith(f"&s={md5(b'abc123s3nha').hexdigest()}")


@pytest.mark.parametrize(
    "value", ["2000\r\nX: y", "2000 XML default", "../../admin", "2000}{a=b", "2000&park()", "\uff12\uff10"]
)
def test_an_extension_that_is_none_is_never_sent(value):
    dial = DIALS.replace("&s={{ session }}", "").replace("/dial?n=", "/dial/{{ extension }}?n=")
    order = replace(DIAL, fields={**DIAL.fields, "extension": value})
    exchange = Exchange({"/dial": "yes"})
    with running(exchange, preset(dial)) as pabx:
        assert pabx.deliver(order).outcome is Outcome.UNREACHABLE
        with pytest.raises(AdapterError):
            pabx.preview(order)
    assert exchange.asked == []


@pytest.mark.parametrize(
    ("accepts", "extension", "said"),
    [
        ('extension = "35(0[1-9]|1[0-9]|20)"', "2000", "o ramal '2000' não é dos que esta central aceita"),
        ('number = "[1-9][0-9]*"', "2000", "o número '04799998888' não é dos que esta central aceita"),
        ('number = "[0-9 ]*"', "2 0", "o ramal tem caracteres que esta central não aceita"),
    ],
)
def test_an_extension_that_the_appliance_does_not_have_is_told_so_and_nothing_is_sent(accepts, extension, said):
    exchange = Exchange({"/dial": "yes"})
    own = f"[accepts]\n{accepts}\n"
    order = replace(DIAL, fields={**DIAL.fields, "extension": extension})
    with running(exchange, preset(DIALS.replace("&s={{ session }}", ""), own)) as pabx:
        delivery = pabx.deliver(order)
    assert (delivery.outcome, said in delivery.detail) == (Outcome.UNREACHABLE, True), delivery.detail
    assert exchange.asked == []


def test_a_value_from_origins_cannot_leave_its_place():
    origin = '[origin.line]\nrule = "{{ extension }}"\nhelp = "The line."\n'
    dial = DIALS.replace("&s={{ session }}", "").replace("/dial?n=", "/dial/{{ line }}?n=")
    with closing(adapter(preset(origin, dial), "192.0.2.1", origins={"2000": "a/../b?x=1#&y"})) as pabx:
        assert pabx.preview(DIAL)[0].data.split()[1] == b"/dial/a%2F..%2Fb%3Fx%3D1%23%26y?n=04799998888"
    with closing(adapter(preset(origin, dial), "192.0.2.1", origins={"2000": ".."})) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.UNREACHABLE


PHONE = """
title = "Phones"
address = "http://{{ phone }}"
[origin.phone]
host = true
help = "The phone."
[[hangup]]
get = "/end"
success = "^yes"
[dial]
get = "/dial&n={{ number }}"
success = "^yes"
"""


def test_each_extension_may_be_a_phone_at_an_address_of_its_own():
    phones = Preset.model_validate(tomllib.loads(PHONE + VERIFIED))
    first, second = (Exchange({"/dial&n=04799998888": "yes", "/end": "yes"}) for _ in range(2))
    with serving(first) as one, serving(second) as other:
        origins = {"2000": f"127.0.0.1:{one.port}", "2001": {"phone": f"localhost:{other.port}"}}
        settings = {"preset": "x", "origins": origins, "connect_timeout_s": 0.5, "timeout_s": 0.5}
        made = TypeAdapter(config_class_of(phones)).validate_python(settings)
        with closing(PresetAdapter(made, name="phones")) as adapter:
            assert adapter.deliver(DIAL).outcome is Outcome.ACCEPTED
            assert adapter.preview(DIAL)[0].data.startswith(b"GET /dial&n=04799998888 HTTP/1.1\r\nHost: 127.0.0.1:")
            fields = {**DIAL.fields, "extension": "2001", "peer_ref": ""}
            assert adapter.hangup(replace(DIAL, kind="hangup", fields=fields)).outcome is Outcome.ACCEPTED
            absent = adapter.deliver(replace(DIAL, fields={**DIAL.fields, "extension": "evil.example.com"}))
            assert (absent.outcome, "origins" in absent.detail) == (Outcome.UNREACHABLE, True)
    assert (first.asked, second.asked) == (["/dial&n=04799998888"], ["/end"])


def test_a_check_asks_every_phone_and_names_those_that_are_away():
    phones = Preset.model_validate(tomllib.loads(PHONE + VERIFIED))
    page = Exchange({"/": "the phone's page"})
    with serving(page) as one:
        good = {str(2000 + place): f"127.0.0.1:{one.port}" for place in range(3)}
        for origins, ok, said in (
            (good, True, "3 aparelhos respondem"),
            (good | {"2009": f"127.0.0.1:{free_port()}"}, False, "Aparelhos com problema: 1 de 4, ramais 2009."),
            ({}, False, "nenhum ramal tem aparelho em origins"),
        ):
            settings = {"preset": "x", "origins": origins, "connect_timeout_s": 0.5, "timeout_s": 5}
            made = TypeAdapter(config_class_of(phones)).validate_python(settings)
            with closing(PresetAdapter(made, name="phones")) as adapter:
                probe = adapter.probe()
            assert (probe.ok, said in probe.detail) == (ok, True), probe.detail
    assert page.asked == ["/"] * 6


@pytest.mark.parametrize("host", ["evil.com/x?", "a b", "user@host", "{{ extension }}", "http://x"])
def test_a_phone_s_address_is_a_host_and_nothing_else(host):
    phones = Preset.model_validate(tomllib.loads(PHONE + VERIFIED))
    with pytest.raises(ValueError, match="phone: expected a host name"):
        TypeAdapter(config_class_of(phones)).validate_python({"preset": "x", "origins": {"2000": host}})


def test_no_rule_can_choose_a_host():
    ruled = PHONE.replace("host = true", 'host = true\nrule = "{{ extension }}"')
    with pytest.raises(ValueError, match="a host has no rule"):
        Preset.model_validate(tomllib.loads(ruled + VERIFIED))


def test_a_login_of_the_extension_s_own_cannot_be_probed_but_the_appliance_is_found():
    origin = '[origin.pin]\nhelp = "The PIN."\nsecret = true\n'
    exchange = Exchange({"/": "hello"})
    with running(exchange, preset(origin, LOGIN.replace("{{ password }}", "{{ pin }}"), DIALS)) as pabx:
        assert pabx.probe().ok
    assert exchange.asked == ["/"]


def test_every_setting_of_a_connection_is_heeded():
    given = {"headers": {"X-A": "b"}, "connect_timeout_s": 1, "timeout_s": 2, "tls_pin": "sha256:" + "ab" * 32}
    given |= {"tls_minimum": "1.0", "tls_ciphers": "DEFAULT@SECLEVEL=0", "public_only": True}
    assert set(given) | {"secrets", "tls_verify"} == {each.name for each in fields(PeerConfig)}
    connection = adapter(preset(DIALS.replace("&s={{ session }}", "")), "192.0.2.1", **given)._connection()
    for name in set(given) - {"headers"}:
        assert getattr(connection, name) == given[name], name
    assert connection.headers["X-A"].get_secret_value() == "b"
    unchecked = adapter(preset(DIALS.replace("&s={{ session }}", "")), "192.0.2.1", tls_verify=False)._connection()
    assert unchecked.tls_verify is False


def test_an_appliance_says_what_it_can_take_and_whether_it_hangs_up():
    takes = adapter(preset(DIALS.replace("&s={{ session }}", ""), "[limits]\norders_per_s = 3\n"), "192.0.2.1")
    assert (takes.limits, takes.can_hang_up) == (Limits(orders_per_s=3), False)


RELOGIN = """
[[tests]]
name = "a kept login that is over"
kept = { session = "old111" }
outcome = "accepted"
[given]
host = "192.0.2.1"
[[tests.exchange]]
sent = "GET /dial?n=04799998888&s=old111"
answer = "200 OK\\n\\nlog in again"
[[tests.exchange]]
sent = "GET /login?pw=s3nha"
answer = "200 OK\\n\\nwelcome new222"
[[tests.exchange]]
sent = "GET /dial?n=04799998888&s=new222"
answer = "200 OK\\n\\nyes"
"""


def test_a_test_in_a_preset_may_begin_with_a_kept_login():
    chosen = preset(LOGIN, DIALS, SESSION, RELOGIN)
    assert failures(chosen, chosen.tests[0]) == []
    forgetful = preset(LOGIN, DIALS.replace('refused = "^no"\n', "").replace("expired", "refused"), SESSION, RELOGIN)
    assert [each.partition(":")[0] for each in failures(forgetful, forgetful.tests[0])] == [
        *("exchange 2", "exchange 3"),
        "the outcome is refused, expected accepted",
    ]


LINES = """
[dial]
post = "/dial"
content_type = "text/plain"
success = "^yes"
body = {}
[given]
host = "192.0.2.1"
[[tests]]
name = "a body of lines"
outcome = "accepted"
[[tests.exchange]]
sent = {}
answer = "200 OK\\n\\nyes"
"""
HEAD = "POST /dial\\nContent-Type: text/plain\\n\\n"


@pytest.mark.parametrize(
    ("body", "sent", "same"),
    [
        ('"CALL\\nto=1"', f'"{HEAD}CALL\\nto=1"', True),
        ('"CALL\\nto=1"', f'"{HEAD}CALL\\nto=1\\n"', True),
        ('"CALL\\nto=1\\n"', f'"{HEAD}CALL\\nto=1\\n"', False),
        ('"CALL\\nto=1\\n"', f'"{HEAD}CALL\\nto=1\\n\\n"', True),
        ('"CALL\\nto=1\\n\\n"', f'"{HEAD}CALL\\nto=1\\n\\n"', False),
        ('"\\nCALL"', f'"{HEAD}CALL"', False),
        ('"CALL\\r\\nto=1\\r\\n"', f'"{HEAD}CALL\\r\\nto=1\\r\\n\\n"', True),
        ('"CALL\\r\\nto=1\\r\\n"', f'"{HEAD}CALL\\nto=1\\n\\n"', False),
        ('"""\nCALL\\r\nto=1\\r\n"""', f'"{HEAD}CALL\\r\\nto=1\\r\\n\\n"', True),
        ('"<a>\\n  <b/></a>\\n"', f'"{HEAD}<a><b/></a>"', True),
    ],
)
def test_a_body_goes_out_as_written_to_its_last_line_end(body, sent, same):
    chosen = preset(LINES.format(body, sent))
    wrong = failures(chosen, chosen.tests[0])
    assert wrong == [] if same else "<end>" in wrong[0]


def test_line_ends_of_two_kinds_are_refused():
    with pytest.raises(AdapterError, match="line ends of several kinds; expected LF or CRLF"):
        adapter(preset(LINES.format('"CALL\\r\\nto=1\\n"', '""')), "192.0.2.1")


def documented(name: str) -> Preset:
    """The preset that the documentation shows in full."""
    text = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- {name} -->\n *```toml\n(.*?)\n *```", text, re.DOTALL)
    assert block
    return Preset.model_validate(tomllib.loads(dedent(block[1])))


@pytest.mark.parametrize(("name", "tests"), [("fictel", 1), ("telvox", 5)])
def test_the_presets_of_the_documentation_work(name, tests):
    chosen = documented(name)
    assert [failures(chosen, trial) for trial in chosen.tests] == [[]] * tests


def test_the_second_preset_of_the_documentation_checks_without_ringing_anybody():
    exchange = Exchange({"/ctl/nonce": "NONCE=0a1b2c3d", "/ctl/state": "STATE up"})
    opened = f"/ctl/open;u=crm;n=0a1b2c3d;r={md5(b'crm:0a1b2c3d:s3nha').hexdigest()}"
    exchange.answers[opened] = "OPEN s1"
    with running(exchange, documented("telvox"), user="crm", password="s3nha") as pabx:
        assert pabx.probe().ok
    assert exchange.asked == ["/ctl/nonce", opened, "/ctl/state"]


KEPT = """
[session]
idle_s = 60
[[login]]
get = "/login"
capture = {{ s = {{ json = "s" }}, t = {{ json = "t" }} }}
[[tests]]
name = "a"
kept = {{ {} }}
outcome = "unknown"
exchange = []
"""
GOOD = f'title = "A"\naddress = "http://h"\n{VERIFIED}[dial]\nget = "/"\nsuccess = "ok"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + 'sucess = "x"\n', "mine.toml: dial.sucess: unknown key. Did you mean 'success'?"),
        (GOOD + 'capture.a = { jsn = "x" }\n', "dial.capture.a.jsn: unknown key. Did you mean 'json'?"),
        (GOOD + "[[logni]]\n", "logni: unknown key. Did you mean 'login'?"),
        (GOOD + "[[login]]\nnote = 'x'\n", "login.0: needs exactly one of get, post"),
        (GOOD.replace('success = "ok"', ""), "dial needs success: most appliances answer 200 to anything"),
        (GOOD.replace('success = "ok"', 'success = "(" '), "not a regular expression"),
        (GOOD + "[parameters.number]\nhelp = 'X.'\n", "'number' cannot be a name here"),
        (GOOD + "[parameters.port]\ntype = 'int'\nhelp = 'X.'\n", "parameters.port.type: came 'int'"),
        (GOOD + "[parameters.port]\nhelp = 'no full stop'\n", "help is a sentence"),
        (GOOD + KEPT.format("").replace("[session]\nidle_s = 60\n", ""), "without session no login is kept"),
        (GOOD + KEPT.format('sesion = "s"'), "kept in the test 'a': unknown 'sesion'; the login captures s, t"),
        (GOOD + KEPT.format('s = "s"'), "kept in the test 'a': 't' is missing; the login captures s, t"),
        (GOOD + "[session]\nlifetime_from = 'x'\n", "session: needs lifetime_s, idle_s or both"),
        (GOOD + KEPT.format('s = "s"').replace("idle_s = 60", "idle_s = 60\nlifetime_from = 'tt'"), "the unknown 'tt'"),
        (
            GOOD + '[[tests]]\nname = "a"\noutcome = "accepted"\nexchange = [{ sent = "GET /", answer = "0|OK" }]\n',
            "tests.0.exchange.0.answer: came '0|OK'; begins with the status, such as '200 OK'",
        ),
        ("setup = 'x'\n" + GOOD, "mine.toml: setup: came 'x'; expected a list of texts."),
        ("setup = [1]\n" + GOOD, "setup.0: came 1; expected a text."),
        ("headers = 'x'\n" + GOOD, "headers: came 'x'; expected a table."),
        ("headers.X = true\n" + GOOD, "headers.X: came true; expected a text."),
        ("tests = 'x'\n" + GOOD, "tests: came 'x'; expected a list of tables."),
        ("login = 'x'\n" + GOOD, "login: came 'x'; expected a list of tables."),
        ("replaces_shipped = 'yes'\n" + GOOD, "replaces_shipped: came 'yes'; expected true or false."),
        ("accepts.extensoin = 'x'\n" + GOOD, "accepts.extensoin: came 'extensoin'; input should be 'extension' or"),
        (GOOD.replace('success = "ok"', "success = 5"), "dial.success: came 5; expected a rule: a text (a pattern), a"),
        (GOOD.replace('success = "ok"', "success = ['a', 5]"), "dial.success: expected a rule: a text"),
        (GOOD + "capture.a = 'x'\n", "dial.capture.a: came 'x'; expected a table."),
        (GOOD + "ref = 5\n", "dial.ref: came 5; expected a place (a table) or a template (a text)."),
        (GOOD + "ref = { jsn = 'x' }\n", "dial.ref.jsn: unknown key. Did you mean 'json'?"),
        (GOOD + "reason = 2024-01-01\n", "dial.reason: came 2024-01-01; expected a table."),
        (GOOD.replace("title", "titel"), "titel: unknown key. Did you mean 'title'?"),
        ("based_on = 'mine'\n", "is based on this very preset"),
        ("based_on = 'asterisk-ammi'\n", "there is no preset 'asterisk-ammi'"),
        ("= x", "is not TOML"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_file_and_key(text, said, tmp_path):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        Catalogue(tmp_path).preset("mine")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('get = "/"', 'get = "/{{ extensoin }}"'), "dial: get: a template asks for the unknown field 'extensoin'"),
        (('get = "/"', 'get = "/{{ session }}"'), "unknown field 'session'"),
        (('"http://h"', '"ftp://h"'), "a url must begin with http:// or https://"),
        (('get = "/"', 'get = "/{% if %}"'), "is broken"),
        (('get = "/"', "get = '/'\nheaders.X = '{{ numbr }}'"), "dial: headers.X: a template asks"),
        (('get = "/"', "post = '/'\njson = { a = ['{{ numbr }}'] }"), "dial: json.a.0: a template asks"),
        (("[dial]", "[[login]]\npost = '/'\nform = { a = '{{ pw }}' }\n[dial]"), "login 1: form: a template asks"),
        (("[dial]", "[origin.line]\nhelp = 'X.'\nrule = '{{ x }}'\n[dial]"), "origin.line.rule: a template asks"),
        (('"http://h"', '"http://{{ h }}"'), "address: a template asks for the unknown field 'h'"),
        (('get = "/"', 'get = "/{{ number | md_5 }}"'), "No filter named 'md_5'. Did you mean 'md5'?"),
        (('get = "/"', 'get = "/{{ number | zzz }}"'), "Known: md5, sha1, sha256, hmac_md5,"),
        (('get = "/"', 'get = "/{{ number | urlencode }}"'), "Values are escaped already"),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_the_start(change, said):
    chosen = Preset.model_validate(tomllib.loads(GOOD.replace(*change)))
    with pytest.raises(AdapterError) as error:
        PresetAdapter(TypeAdapter(config_class_of(chosen)).validate_python({"preset": "x"}), name="pabx")
    assert said in str(error.value)


def test_a_table_from_the_configuration_that_does_not_fit_a_step_is_told_in_its_words():
    table = '[parameters.fields]\ntype = "table"\nhelp = "What is sent."\n'
    chosen = preset(table, "[dial]\npost = '/'\njson = '{{ fields }}'\nsuccess = 'ok'\n")
    adapter(chosen, "192.0.2.1", fields={"a": 1}).close()
    chosen = preset(table, "[dial]\nget = '/'\nsuccess = 'ok'\nnote = '{{ fields }}'\n")
    with pytest.raises(AdapterError, match=r"dial: note: expected a text\."):
        adapter(chosen, "192.0.2.1", fields={"a": 1})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("headers.X = '{{ extension - 3500 }}'", "dial: headers.X: the template cannot be used for 'dial': TypeError"),
        (
            "headers.X = '{{ extension - 3500 }}'",
            "with extension '2000'; values are texts: (extension | int)",
        ),
        ("headers.X = '{{ line }}'", "origin.line.rule: the template cannot be used for 'dial': TypeError in an"),
        ("headers.X = '{{ 1 / (number | int - 4799998888) }}'", "ZeroDivisionError in an expression with number '0479"),
        ("headers.X = '{{ password - 1 }}'", "TypeError in an expression; values are texts"),
    ],
)
def test_a_template_that_fails_with_an_order_names_its_key_and_what_came(key, said):
    line = '[origin.line]\nhelp = "X."\nrule = "{{ extension - 3500 }}"\n'
    chosen = preset("[dial]\nget = '/'\nsuccess = 'yes'\n", key + "\n", line if "line" in key else "")
    with closing(adapter(chosen, "192.0.2.1")) as pabx:
        delivery = pabx.deliver(DIAL)
    assert (delivery.outcome, said in str(delivery.text)) == (Outcome.UNREACHABLE, True), delivery.detail
    assert "s3nha" not in delivery.detail


def test_a_start_that_fails_names_the_appliance_the_preset_and_the_step(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD.replace('get = "/"', 'get = "/{{ numbr }}"'))
    raw = {"server": {"presets": "."}, "tenants": {"acme": {"appliances": {"pabx": {"preset": "mine"}}}}}
    with pytest.raises(ConfigError) as error:
        build(parse(raw, source="gateway.toml", base=tmp_path), tmp_path / "data")
    said = "tenants.acme.appliances.pabx (preset 'mine'): dial: get: a template asks for the unknown field 'numbr'."
    assert str(error.value).startswith(said)


def test_an_expired_session_may_be_told_by_a_fault(tmp_path):
    asks = DIALS.replace('get = "/dial?n={{ number }}&s={{ session }}"', 'xmlrpc = "/RPC2"\nmethod = "dial"')
    asks = asks.replace('expired = "^log in"', 'expired = "session over"')
    answers = [dumps(("yes id=1",), methodresponse=True), dumps(Fault(7, "session over"))]
    exchange = Exchange({"/login": "welcome abc123", "/RPC2": [*answers, dumps(("yes id=2",), methodresponse=True)]})
    with running(exchange, preset(LOGIN, asks, SESSION)) as pabx:
        assert [pabx.deliver(DIAL).peer_ref for _ in range(2)] == ["1", "2"]
    assert sum(target.startswith("/login") for target in exchange.asked) == 2


def test_a_preset_of_one_s_own_may_replace_a_shipped_one_only_by_saying_so(tmp_path):
    (tmp_path / "generic-url.toml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"is shipped already.*replaces_shipped = true"):
        Catalogue(tmp_path).preset("generic-url")
    (tmp_path / "generic-url.toml").write_text("replaces_shipped = true\n" + GOOD)
    assert Catalogue(tmp_path).preset("generic-url").title == "A"


def test_a_preset_may_differ_in_a_few_keys_from_another(tmp_path):
    (tmp_path / "our-asterisk.toml").write_text(
        "based_on = 'asterisk-ami'\ntitle = 'Ours'\n[parameters.context]\ndefault = 'sales'\n"
    )
    ours, theirs = Catalogue(tmp_path).preset("our-asterisk"), Catalogue().preset("asterisk-ami")
    assert (ours.title, ours.parameters["context"].default, ours.tests) == ("Ours", "sales", ())
    assert ours.dial == theirs.dial


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ({"2000": {"linne": "1"}}, "unknown 'linne'; did you mean 'line'?"),
        ({"2000": {"line": "1\r\nX: y"}}, "line: expected text without control characters"),
        ({"2000": ["1"]}, "expected a table with user, device, line"),
        ({"2000": "SEP"}, "expected a table with user, device, line"),
    ],
)
def test_a_mistake_in_origins_is_named(origins, said):
    settings = {"preset": "x", "host": "h", "username": "u", "password": "p", "origins": origins}
    with pytest.raises(ValueError, match=re.escape(said)):
        TypeAdapter(config_class_of(Catalogue().preset("cisco-webdialer"))).validate_python(settings)


@pytest.mark.parametrize("host", ["pbx/x", "pbx?", "user@pbx", "pbx:x", "p b x", "", "pbx\n"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(ValueError, match="host"):
        adapter(preset(DIALS), host)


def test_a_login_page_is_no_success_of_a_rule_by_status():
    dial = (
        '[dial]\nget = "/dial?n={{ number }}"\nsuccess = { status = true, matches = "^200$", without = "(?i)<form" }\n'
    )
    with running(Exchange({"/dial": LOGIN_PAGE.decode()}), preset(dial)) as pabx:
        assert pabx.deliver(DIAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({"json": "a.0.b"}, "7"),
        ({"json": "a.0.c"}, None),
        ({"element": "ID"}, None),
        ({"header": "x-token"}, "t"),
        ({"cookie": "sid"}, '"8f,1"'),
        ({"cookie": "nada"}, None),
        ({"status": True}, "200"),
        ({"matches": r"b\W+(\d)"}, "7"),
    ],
)
def test_a_place_in_an_answer(place, text):
    headers = {"X-Token": "t", "x-token": "t", "Set-Cookie": 'a=1; Path=/, sid="8f,1"; Max-Age=60'}
    reading = AnswerReading(HttpAnswer(200, headers, json.dumps({"a": [{"b": 7}]}).encode()), "http")
    assert reading.at(AnswerPlace.model_validate(place)) == text
