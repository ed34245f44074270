"""Where gateways on site connect: who may, what is answered, and a request for orders that is held open."""

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import Client, TestResponse

from gateway.config.tables import Config
from gateway.errors import StoreUnavailable, TooManyAttempts
from gateway.logins.attempts import Attempts
from gateway.logins.guesses import SourceGuesses
from gateway.store.onsite.arrivals import Arrival, Refusal, TakenEvents
from gateway.store.onsite.orders import OnsiteOrder, OnsiteOrderState
from gateway.store.onsite.sites import OnsiteSite
from gateway.wire import onsite_poll
from gateway.wire.http import Front
from gateway.wire.onsite import OnsiteEndpoint
from gateway.wire.onsite_poll import OnsitePoll, OnsiteStore
from tests.waiting import until
from tests.wire.peers import RecordingCore, desk, metrics, verify_agent

NOW = 1_772_619_300_000
KEY = "ctis_right"
SITE = OnsiteSite("acme", "escritorio", NOW)


@dataclass
class FakeSites:
    site: OnsiteSite | None = SITE
    facts: list[dict[str, Any]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    fails: bool = False

    def by_key(self, key: str) -> OnsiteSite | None:
        return self.site if key == KEY else None

    def all(self) -> Sequence[OnsiteSite]:
        if self.fails:
            raise StoreUnavailable
        return [self.site] if self.site else []

    def seen(self, _site: OnsiteSite, at: int, **facts: Any) -> None:
        self.facts.append({"at": at, **facts})

    def left(self, _site: OnsiteSite, poll: str) -> None:
        self.gone.append(poll)


@dataclass
class FakeOrders:
    listed: list[OnsiteOrder] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    bell: threading.Event = field(default_factory=threading.Event)
    looks: list[set[tuple[str, str]]] = field(default_factory=list)
    fails: bool = False

    def waiting(self, sites: Collection[tuple[str, str]], _now: int) -> Mapping[tuple[str, str], Sequence[OnsiteOrder]]:
        if self.fails:
            raise StoreUnavailable
        self.looks.append(set(sites))
        return {("acme", "escritorio"): list(self.listed)}

    def take(self, _site: OnsiteSite, order: str, _now: int) -> OnsiteOrder | None:
        return next((each for each in self.listed if each.id == order), None)

    def answer(self, _site: OnsiteSite, order: str, answer: Any) -> bool:
        self.answers[order] = answer
        return True

    def wait(self, within_s: float) -> None:
        self.bell.wait(within_s)
        self.bell.clear()

    def ring(self) -> None:
        self.bell.set()


@dataclass
class FakeArrivals:
    taken: list[tuple[str, Sequence[Arrival], int]] = field(default_factory=list)
    fail_with: Exception | None = None

    def take(self, _site: OnsiteSite, spool: str, arrivals: Sequence[Arrival], ahead_ms: int) -> TakenEvents:
        if self.fail_with:
            raise self.fail_with
        self.taken.append((spool, arrivals, ahead_ms))
        return TakenEvents(arrivals[-1].turn, [Refusal(1, "why")])


@dataclass
class Endpoint:
    """The endpoint behind the real entrance."""

    sites: FakeSites = field(default_factory=FakeSites)
    orders: FakeOrders = field(default_factory=FakeOrders)
    arrivals: FakeArrivals = field(default_factory=FakeArrivals)

    def __post_init__(self) -> None:
        store = OnsiteStore(self.sites, self.orders, self.arrivals)  # type: ignore[arg-type]
        self.made = OnsiteEndpoint(
            store,
            SourceGuesses(Attempts()),
            max_body_bytes=100_000,
            appliances_of=lambda tenant, site: [f"{tenant}-{site}"],
            clock=lambda: NOW,
        )
        self.client = Client(
            Front(
                Config(),
                RecordingCore(),
                verify_agent=verify_agent,
                desk=desk,
                health=dict,
                metrics=metrics,
                onsite=self.made,
            )
        )

    def poll(self, site: OnsiteSite) -> OnsitePoll:
        """A request for orders of ``site`` that is not attached yet."""
        watch, closed = self.made._watch, self.made._closed
        return OnsitePoll(site, "", lambda: NOW, on_attached=watch.add, on_ending=self.orders.ring, on_closed=closed)

    def post(self, verb: str, document: Any = None, key: str = KEY, **more: Any) -> TestResponse:
        body = document if isinstance(document, bytes) else json.dumps({"now": NOW, **(document or {})})
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        from_here = {"REMOTE_ADDR": "127.0.0.1"}
        return self.client.post(f"/onsite/v1/{verb}", data=body, headers=headers, environ_base=from_here, **more)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onsite_poll, "HOLD_S", 0.05)


ORDER = OnsiteOrder("a1", "pabx", "dial", {"number": "0321"}, "escritorio", OnsiteOrderState.WAITING, NOW + 7_000)


def test_a_site_says_hello_and_is_told_who_it_is(endpoint: Endpoint) -> None:
    got = endpoint.post("hello", {"now": NOW + 3_000, "status": {"waiting": 2}})
    told = {"now": NOW, "tenant": "acme", "site": "escritorio", "appliances": ["acme-escritorio"]}
    assert (got.status_code, got.json) == (200, told)
    (facts,) = endpoint.sites.facts
    assert facts == {"at": NOW, "address": "127.0.0.1", "ahead_ms": 3_000, "status": {"waiting": 2}}


@pytest.mark.parametrize("key", ["", "ctis_wrong", " "])
def test_without_the_right_key_nothing_is_done(endpoint: Endpoint, key: str) -> None:
    for verb in ("hello", "events", "orders", "take", "answers"):
        got = endpoint.post(verb, key=key)
        assert (got.status_code, got.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert got.json is not None
        assert got.json["error"] == 380
    assert not endpoint.sites.facts


def test_an_address_that_guesses_keys_is_held_back(endpoint: Endpoint) -> None:
    codes = [endpoint.post("hello", key=f"ctis_{number}").status_code for number in range(25)]
    assert (codes[0], codes[-1]) == (401, TooManyAttempts.http_status)


def test_events_are_answered_when_they_are_taken(endpoint: Endpoint) -> None:
    events = [{"turn": 1, "at": 5, "message": "one"}, {"turn": 2, "at": 6, "message": "two"}]
    got = endpoint.post("events", {"spool": "s", "events": events, "now": NOW - 10_000})
    assert got.json == {"now": NOW, "turn": 2, "refused": [{"turn": 1, "reason": "why"}]}
    assert endpoint.arrivals.taken == [("s", [Arrival(1, 5, "one"), Arrival(2, 6, "two")], -10_000)]


def test_a_database_that_is_away_answers_503(endpoint: Endpoint) -> None:
    endpoint.arrivals.fail_with = StoreUnavailable()
    got = endpoint.post("events", {"spool": "s", "events": [{"turn": 1, "at": 5, "message": "one"}]})
    assert (got.status_code, "Retry-After" in got.headers) == (503, True)


@pytest.mark.parametrize(
    ("verb", "document", "status"),
    [
        ("events", b"no json", 400),
        ("events", b"[1]", 400),
        ("events", {"spool": "s"}, 400),
        ("events", {"spool": "", "events": []}, 400),
        ("events", {"spool": "s", "events": [{"turn": "1", "at": 1, "message": ""}]}, 400),
        ("events", {"spool": "s", "events": [{"turn": True, "at": 1, "message": ""}]}, 400),
        ("events", {"spool": "s", "events": [{"turn": 1, "at": 1}]}, 400),
        ("events", {"spool": "s", "events": [[]] * 1001}, 400),
        ("events", {"spool": "s", "events": [], "now": "late"}, 400),
        ("events", b"[" * 99_000, 400),
        ("events", b"x" * 100_001, 413),
        ("answers", {}, 400),
        ("hello", {"now": None}, 400),
        ("other", {}, 404),
    ],
)
def test_what_is_no_request_of_a_site_is_refused(endpoint: Endpoint, verb: str, document: Any, status: int) -> None:
    got = endpoint.post(verb, document)
    assert got.status_code == status, got.text
    assert got.json is not None
    assert got.json["detail"]
    assert endpoint.client.get("/onsite/v1/hello").status_code == 405


def test_an_order_is_given_once_with_the_time_that_is_left(endpoint: Endpoint) -> None:
    endpoint.orders.listed = [ORDER]
    assert endpoint.post("take", {"id": "a1"}).json == {"now": NOW, "go": True, "within_s": 7.0}
    assert endpoint.post("take", {"id": "other"}).json == {"now": NOW, "go": False}


def test_answers_are_kept_and_named(endpoint: Endpoint) -> None:
    got = endpoint.post("answers", {"answers": [{"id": "a1", "outcome": "accepted"}, {"no": "id"}, 7]})
    assert got.json == {"now": NOW, "taken": ["a1"]}
    assert endpoint.orders.answers == {"a1": {"id": "a1", "outcome": "accepted"}}


def test_orders_that_wait_are_shown_at_once(endpoint: Endpoint) -> None:
    endpoint.orders.listed = [ORDER]
    got = endpoint.post("orders", {"status": {}})
    shown = {"id": "a1", "appliance": "pabx", "kind": "dial", "fields": {"number": "0321"}}
    assert json.loads(got.data) == {"now": NOW, "orders": [shown]}
    (facts,) = endpoint.sites.facts
    assert facts["polled_until"] == NOW + 26_000
    assert endpoint.sites.gone == []


@pytest.mark.usefixtures("short")
def test_without_an_order_the_request_is_answered_after_a_while(endpoint: Endpoint) -> None:
    got = endpoint.post("orders")
    assert (json.loads(got.data)["orders"], endpoint.sites.gone) == ([], [])


def open_poll(endpoint: Endpoint, instance: str = "") -> OnsitePoll:
    made = ask_for_orders(endpoint, instance)
    assert isinstance(made, OnsitePoll)
    return made


def ask_for_orders(endpoint: Endpoint, instance: str) -> Any:
    environ = {"PATH_INFO": "/onsite/v1/orders", "REQUEST_METHOD": "POST", "cti.client": "10.0.0.1"}
    environ |= {"HTTP_AUTHORIZATION": f"Bearer {KEY}", "CONTENT_LENGTH": ""}
    from io import BytesIO

    body = json.dumps({"now": NOW} | ({"instance": instance} if instance else {})).encode()
    environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}  # type: ignore[dict-item]
    return endpoint.made(environ, lambda *_answer: None)


def test_an_order_that_comes_later_is_shown_when_it_comes(endpoint: Endpoint) -> None:
    parts: Iterator[bytes] = iter(open_poll(endpoint))
    assert next(parts) == b" "
    endpoint.orders.listed = [ORDER]
    endpoint.orders.ring()
    assert json.loads(next(parts))["orders"][0]["id"] == "a1"
    assert list(parts) == []


def test_a_newer_request_ends_the_older_one(endpoint: Endpoint) -> None:
    older = open_poll(endpoint)
    newer = open_poll(endpoint)
    assert json.loads(b"".join(older))["orders"] == []
    older.close()
    endpoint.made.stop()
    assert json.loads(b"".join(newer))["orders"] == []
    assert endpoint.post("orders").status_code == 503
    newer.close()
    assert endpoint.sites.gone == []


def test_two_gateways_with_one_key_do_not_end_each_other_s_requests(endpoint: Endpoint) -> None:
    first = open_poll(endpoint, "onsite/spool-1")
    (refused,) = ask_for_orders(endpoint, "onsite/spool-2")
    assert (json.loads(refused)["error"], next(first)) == (385, b" ")
    again = open_poll(endpoint, "onsite/spool-1")
    assert json.loads(b"".join(first))["orders"] == []
    first.close()
    again.end()
    assert json.loads(b"".join(again))["orders"] == []
    other = open_poll(endpoint, "onsite/spool-2")  # which is known of before the one that was answered is closed
    again.close()
    other.end()
    assert json.loads(b"".join(other))["orders"] == []


def test_a_client_that_leaves_is_not_connected_any_more(endpoint: Endpoint) -> None:
    poll = open_poll(endpoint)
    next(iter(poll))
    poll.end()
    poll.close()
    poll.close()
    until(lambda: endpoint.sites.gone == [poll.name])


def test_a_request_whose_key_is_revoked_meanwhile_ends(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onsite_poll, "ASK_EVERY_S", 0)
    parts = iter(open_poll(endpoint))
    next(parts)
    endpoint.sites.site = replace(SITE, revoked_at=NOW)
    assert json.loads(next(parts))["orders"] == []


@dataclass
class FakeSink:
    """Keeps what a request is answered."""

    sent: list[bytes] = field(default_factory=list)
    is_ended: threading.Event = field(default_factory=threading.Event)

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def end(self) -> None:
        self.is_ended.set()


def test_a_request_that_is_held_open_is_sent_blanks_and_is_answered_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(onsite_poll, "time", SimpleNamespace(monotonic=lambda: now[0]))
    poll = OnsitePoll(
        SITE,
        "",
        lambda: NOW,
        on_attached=lambda _poll: None,
        on_ending=lambda: None,
        on_closed=lambda _poll, _was: None,
    )
    sink, sent = FakeSink(), list[int]()
    poll.attach(sink)
    for second in (1, 4, 6, 7, 10, 12, 19):
        now[0] = 100.0 + second
        poll.tell([], is_welcome=True)
        sent.append(len(sink.sent))
    assert (sent, set(sink.sent), poll.is_over) == ([1, 1, 2, 2, 2, 3, 4], {b" "}, False)
    now[0] = 120.0
    poll.tell([], is_welcome=True)
    assert (json.loads(b"".join(sink.sent))["orders"], poll.is_over, sink.is_ended.is_set()) == ([], True, True)


def watches() -> int:
    return sum(thread.name == "onsite-orders" for thread in threading.enumerate())


def test_one_thread_looks_for_the_orders_of_all_sites_by_one_query_and_ends_with_them(endpoint: Endpoint) -> None:
    before = watches()
    polls, sinks = [], []
    for number in range(40):
        site = SITE if number == 7 else replace(SITE, name=f"filial-{number}")
        polls.append(endpoint.poll(site))
        sinks.append(FakeSink())
        polls[-1].attach(sinks[-1])
    everybody = {(poll.site.tenant, poll.site.name) for poll in polls}
    until(lambda: everybody in endpoint.orders.looks)
    assert watches() == before + 1
    endpoint.orders.listed = [ORDER]
    assert sinks[7].is_ended.wait(60)
    assert json.loads(b"".join(sinks[7].sent))["orders"][0]["id"] == "a1"
    assert [sink.sent for sink in sinks if sink is not sinks[7]] == [[b" "]] * 39
    for poll in polls:
        poll.close()
    until(lambda: watches() <= before)
    until(lambda: len(endpoint.sites.gone) == 39)
    assert polls[7].name not in endpoint.sites.gone


def test_a_client_that_has_left_is_answered_nothing_and_no_order_counts_as_shown(endpoint: Endpoint) -> None:
    poll, sink = endpoint.poll(SITE), FakeSink()
    poll.attach(sink)
    poll.end()
    poll.close()
    poll.tell([ORDER], is_welcome=True)
    assert sink.sent[0] == b" "
    assert not any(b"a1" in part for part in sink.sent)


def test_a_database_that_cannot_be_read_ends_no_request(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onsite_poll, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(onsite_poll, "ASK_EVERY_S", 0)
    endpoint.orders.fails = endpoint.sites.fails = True
    poll, sink = endpoint.poll(SITE), FakeSink()
    with capture_logs() as logs:
        poll.attach(sink)
        until(lambda: sum(each["event"] == "onsite_orders_not_read" for each in logs) > 2)
    assert sink.sent == [b" "]
    endpoint.orders.fails = endpoint.sites.fails = False
    endpoint.orders.listed = [ORDER]
    assert sink.is_ended.wait(60)
    poll.close()
