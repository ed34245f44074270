"""The door of a source: right secrets come in from anywhere, guesses are held back, the log is told why."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from gateway.config.tables import TenantSettings
from gateway.errors import AddressNotAllowed, ForeignPage, LoginNotProven, NotProven, TooManyAttempts
from gateway.logins.attempts import Attempts
from gateway.logins.guesses import GUESSES, SourceGuesses
from gateway.mapping.authenticity import Authenticity
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.doubts import DoubtCode
from gateway.mapping.handshakes import Handshake
from gateway.mapping.replies import RenderedReply
from gateway.mapping.signed_requests import SignedRequest
from gateway.store.traffic import RemarkCode
from gateway.traffic.remarks import SENTENCES, note_of
from gateway.traffic.told import told
from gateway.wire.auth import Gate
from gateway.wire.intake import REPLAY_OF
from gateway.wire.transport import REMARKS
from gateway.wire.webhooks.gates import SourceGate, SourceRules

OFFICE, OUTSIDE = "10.1.2.3", "203.0.113.9"
KEY = "a key of sixteen or more"
HEADER = {"kind": "header", "header": "X-Secret"}
HMAC = {"kind": "hmac", "header": "X-Sign", "signed": "{url}{body}"}


class Door:
    """A source's door and its company's."""

    def __init__(self, source: SourceGate, company: Gate) -> None:
        self._source, self._company = source, company

    def enter(self, environ: dict[str, Any], request: WebhookRequest) -> SignedRequest | RenderedReply:
        return self._source.enter(environ, request, self._company)


def gate(authenticity: dict[str, Any] | None = None, *, events: dict[str, Any] | None = None, **rules: Any) -> Door:
    tenant = TenantSettings.model_validate({"events": events or {}})
    made = SourceRules("acme", "cloud", Authenticity.model_validate(authenticity or {}), **rules)
    guesses = SourceGuesses(Attempts())
    return Door(SourceGate(made, guesses), Gate("acme", tenant, guesses))


def environ(address: str = OUTSIDE, path: str = "/in/cloud", **more: Any) -> dict[str, Any]:
    usual = {"PATH_INFO": path, "SCRIPT_NAME": "", "HTTP_HOST": "gw:8080", "wsgi.url_scheme": "http"}
    return usual | {"cti.client": address, "QUERY_STRING": ""} | more


def asked(body: bytes = b"a=1", *, tail: str = "", query: str = "", **headers: str) -> WebhookRequest:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(body, "application/x-www-form-urlencoded", query, names, tail, "POST" if body else "GET")


def sign(url: str, body: bytes = b"a=1") -> str:
    return hmac.new(KEY.encode(), url.encode() + body, hashlib.sha256).hexdigest()


def test_a_right_secret_comes_in_from_anywhere() -> None:
    signed = gate(HEADER, secrets=(KEY,), events={"allow": []}).enter(environ(), asked(x_secret=KEY))
    assert not isinstance(signed, RenderedReply)
    assert signed.request.body == b"a=1"


def test_without_a_secret_addresses_and_the_companys_token_count() -> None:
    assert gate().enter(environ(OFFICE), asked())
    with pytest.raises(AddressNotAllowed):
        gate().enter(environ(OUTSIDE), asked())
    with pytest.raises(ForeignPage):
        gate().enter(environ(OFFICE, HTTP_ORIGIN="https://evil.example"), asked())
    given = environ(OUTSIDE, QUERY_STRING="token=an-events-t0ken")
    assert gate(events={"token": "an-events-t0ken"}).enter(given, asked(query="token=an-events-t0ken"))


def test_an_allowed_address_is_no_proof() -> None:
    made = environ(OFFICE)
    with pytest.raises(NotProven):
        gate(HEADER, secrets=(KEY,)).enter(made, asked())
    assert note_of(made[REMARKS]) == "sem prova: falta o segredo (X-Secret)"


def test_a_sources_own_addresses_count_beside_its_secret() -> None:
    made = gate(HEADER, secrets=(KEY,), allow=("198.51.100.0/24",))
    assert made.enter(environ("198.51.100.7"), asked(x_secret=KEY))
    with pytest.raises(AddressNotAllowed):
        made.enter(environ(OUTSIDE), asked(x_secret=KEY))
    assert gate(allow=("198.51.100.0/24",)).enter(environ("198.51.100.7"), asked())
    with pytest.raises(AddressNotAllowed):
        gate(allow=("198.51.100.0/24",)).enter(environ(OFFICE), asked())


@pytest.mark.parametrize(
    ("rules", "more", "tail", "url"),
    [
        ({}, {}, "", "http://gw:8080/in/cloud"),
        ({}, {"SCRIPT_NAME": "/t/acme"}, "", "http://gw:8080/t/acme/in/cloud"),
        ({}, {"PATH_INFO": "/in/cloud/a b/\u00c3\u00a9"}, "a b/\u00e9", "http://gw:8080/in/cloud/a%20b/%C3%A9"),
        ({"public_base": "https://gw.example.com"}, {}, "", "https://gw.example.com/in/cloud"),
        (
            {"public_base": "https://gw.example.com"},
            {"SCRIPT_NAME": "/t/acme"},
            "",
            "https://gw.example.com/t/acme/in/cloud",
        ),
        ({"public_url": "https://gw.example.com/hook"}, {}, "", "https://gw.example.com/hook"),
        ({"public_url": "https://gw.example.com/hook"}, {}, "call", "https://gw.example.com/hook/call"),
        ({"public_url": "https://gw.example.com/hook"}, {}, "/", "https://gw.example.com/hook/"),
    ],
)
def test_the_address_that_was_signed_is_the_public_one(
    rules: dict[str, Any], more: dict[str, Any], tail: str, url: str
) -> None:
    made = gate(HMAC, secrets=(KEY,), **rules)
    assert made.enter(environ(**more), asked(tail=tail, x_sign=sign(url)))
    assert made.enter(environ(**more), asked(tail=tail, query="x=%2B1", x_sign=sign(f"{url}?x=%2B1")))
    with pytest.raises(NotProven):
        made.enter(environ(**more), asked(tail=tail, x_sign=sign(url + "x")))


def test_the_log_says_which_address_the_signature_was_compared_for() -> None:
    made = environ()
    with pytest.raises(NotProven):
        gate(HMAC, secrets=(KEY,)).enter(made, asked(query="token=x", x_sign="0" * 64))
    (remark,) = made[REMARKS]
    assert remark.code is RemarkCode.SIGNATURE_WRONG
    assert remark.facts == {"place": "X-Sign", "url": "http://gw:8080/in/cloud"}


def test_a_secret_in_the_path_is_no_part_of_what_the_mapping_reads() -> None:
    made, given = gate({"kind": "path"}, secrets=(KEY,)), environ()
    signed = made.enter(given, asked(tail=f"{KEY}/call"))
    assert not isinstance(signed, RenderedReply)
    assert signed.request.tail == "call"
    assert set(told(given)) == {KEY}
    anywhere = gate({"kind": "secret"}, secrets=(KEY,)).enter(environ(), asked(tail="call", x_token_auth=KEY))
    assert not isinstance(anywhere, RenderedReply)
    assert anywhere.request.tail == "call"


def test_wrong_secrets_are_held_back_by_address() -> None:
    made = gate(HEADER, secrets=(KEY,))
    for number in range(GUESSES.most):
        with pytest.raises(NotProven):
            made.enter(environ(), asked(x_secret=f"guess {number}"))
    given = environ()
    with pytest.raises(TooManyAttempts):
        made.enter(given, asked(x_secret=KEY))
    assert [remark.code for remark in given[REMARKS]] == [RemarkCode.TOO_MANY_GUESSES]
    assert made.enter(environ("198.51.100.7"), asked(x_secret=KEY))


def test_a_provider_that_was_right_once_is_never_locked_out() -> None:
    made = gate(HEADER, secrets=(KEY,))
    assert made.enter(environ(), asked(x_secret=KEY))
    for number in range(GUESSES.most * 2):
        with pytest.raises(NotProven):
            made.enter(environ(), asked(x_secret=f"guess {number}"))
    assert made.enter(environ(), asked(x_secret=KEY))


def test_right_signatures_are_taken_whatever_strangers_send_from_the_same_address() -> None:
    """Anybody may have a provider send requests of an account of their own, from its addresses."""
    made = gate(HMAC, secrets=(KEY,))
    for number in range(GUESSES.most * 2):
        with pytest.raises(NotProven):
            made.enter(environ(), asked(x_sign=f"{number:064x}"))
    assert made.enter(environ(), asked(x_sign=sign("http://gw:8080/in/cloud")))


def test_addresses_of_signed_requests_are_not_written_down() -> None:
    """A cloud has hundreds of thousands of them, and nothing hangs on it."""
    known: list[str] = []

    class Guesses(SourceGuesses):
        def right(self, tenant: str, source: str, address: str) -> None:
            known.append(source)

    for name, rules in (("signed", HMAC), ("told", HEADER)):
        made = SourceRules("acme", name, Authenticity.model_validate(rules), (KEY,))
        guesses = Guesses(Attempts())
        door = Door(SourceGate(made, guesses), Gate("acme", TenantSettings(), guesses))
        assert door.enter(environ(), asked(x_sign=sign("http://gw:8080/in/cloud"), x_secret=KEY))
    assert known == ["told"]


def test_basic_asks_for_a_login() -> None:
    made = gate({"kind": "basic", "login": "pbx"}, secrets=(KEY,))
    with pytest.raises(LoginNotProven):
        made.enter(environ(), asked())
    right = "Basic " + base64.b64encode(f"pbx:{KEY}".encode()).decode()
    assert made.enter(environ(), asked(authorization=right))


ZOOM = Handshake.model_validate(
    {"equals": {"event": "validate"}, "json": {"made": "{@hmac(plain)}"}},
)
ECHO = Handshake.model_validate({"present": "@query.echo", "body": "{@query.echo}", "signed": False})


def test_a_trial_is_answered_with_the_secret_that_proved_it() -> None:
    """While a secret is replaced, the provider still compares with its own."""
    made = gate(HMAC, secrets=("another key, not yet used", KEY), handshakes=(ZOOM, ECHO))
    body = b"event=validate&plain=abc"
    answer = made.enter(environ(), asked(body, x_sign=sign("http://gw:8080/in/cloud", body)))
    assert isinstance(answer, RenderedReply)
    assert answer.body.decode() == f'{{"made": "{hmac.new(KEY.encode(), b"abc", hashlib.sha256).hexdigest()}"}}'
    with pytest.raises(NotProven):
        made.enter(environ(), asked(body, x_sign="0" * 64))


def test_a_trial_that_nobody_signs_is_answered_to_anybody() -> None:
    made = gate(HMAC, secrets=(KEY,), handshakes=(ZOOM, ECHO))
    answer = made.enter(environ(), asked(b"", query="echo=abc"))
    assert isinstance(answer, RenderedReply)
    assert answer.body == b"abc"


def test_an_event_of_the_traffic_log_needs_no_secret_again() -> None:
    assert gate(HMAC, secrets=(KEY,)).enter(environ(**{REPLAY_OF: 7}), asked())


def test_every_doubt_has_its_sentence_in_the_traffic_log() -> None:
    codes = {RemarkCode(code.value) for code in DoubtCode}
    assert len(codes) == 10
    assert codes <= set(SENTENCES)
