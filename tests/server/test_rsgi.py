"""The face in front of the WSGI application, with clients that wait, flood, leave, and ask for streams."""

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.server.admission import Admission
from gateway.server.bodies import BodyLimits
from gateway.server.loop_runs import off_loop
from gateway.server.rsgi import MOST_READ_HERE, Face, RequestLimits
from tests.server.fakes import Protocol, Scope

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]
LIMITS = RequestLimits(threads=4, threads_per_address=2, body=BodyLimits(max_bytes=10, whole_s=0.6, pause_s=0.2))
POST = [("host", "a"), ("content-length", "6")]


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def face_of(application: Wsgi, *, per_address: int = 8, limits: RequestLimits = LIMITS, **settings: Any) -> Face:
    admission = Admission(lambda environ: str(environ["REMOTE_ADDR"]), per_address=per_address)
    return Face(application, admission, limits, **settings)


async def ask(face: Face, scope: Scope | None = None, protocol: Protocol | None = None) -> Protocol:
    face.__rsgi_init__(asyncio.get_running_loop())
    protocol = protocol or Protocol()
    await asyncio.wait_for(face.__rsgi__(scope or Scope(), protocol), 10)
    return protocol


def test_the_application_gets_the_body_and_its_answer_is_handed_over() -> None:
    async def run() -> Protocol:
        return await ask(face_of(echo), Scope(method="POST", pairs=POST), Protocol([b"abc", b"def"]))

    found = asyncio.run(run())
    assert (found.status, found.headers, found.body) == (200, [("Content-Length", "6")], b"abcdef")


def test_what_begins_with_the_loop_begins_when_it_runs() -> None:
    """uvloop sets only then how it hears of signals, in the place of what was set before."""
    begun: list[bool] = []

    async def run() -> None:
        face_of(echo, on_loop=lambda: begun.append(True)).__rsgi_init__(asyncio.get_running_loop())
        assert begun == []
        await asyncio.sleep(0)

    asyncio.run(run())
    assert begun == [True]


def test_a_body_that_is_as_long_as_announced_is_not_waited_for_any_longer() -> None:
    async def run() -> Protocol:
        return await ask(face_of(echo), Scope(method="POST", pairs=POST), Protocol([b"abc", b"def"], ends=False))

    assert asyncio.run(run()).body == b"abcdef"


def test_a_chunked_body_is_read_to_its_end() -> None:
    async def run() -> Protocol:
        pairs = [("host", "a"), ("transfer-encoding", "chunked")]
        return await ask(face_of(echo), Scope(method="POST", pairs=pairs), Protocol([b"ab", b"c"]))

    assert asyncio.run(run()).body == b"abc"


@pytest.mark.parametrize("pairs", [POST, [("host", "a"), ("transfer-encoding", "chunked")]])
@pytest.mark.parametrize(
    ("client", "pause_s", "least_s"),
    [({"body": [b"a"], "ends": False}, 0.2, 0.2), ({"body": [b"a"] * 9, "pause_s": 0.15}, 20, 0.6)],
)
def test_a_body_that_pauses_or_drips_is_refused_in_time(
    pairs: list[tuple[str, str]], client: dict[str, Any], pause_s: float, least_s: float
) -> None:
    limits = replace(LIMITS, body=replace(LIMITS.body, pause_s=pause_s))

    async def run() -> Protocol:
        return await ask(face_of(echo, limits=limits), Scope(method="POST", pairs=pairs), Protocol(**client))

    began = time.monotonic()
    found = asyncio.run(run())
    assert least_s <= time.monotonic() - began < 5
    assert found.status == 408
    assert ("Connection", "close") in found.headers
    assert found.body.startswith("ERRO 240: a requisição demorou demais.".encode())


def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    async def run() -> Protocol:
        pairs = [("host", "a"), ("content-length", "11")]
        return await ask(face_of(echo), Scope(method="POST", pairs=pairs), Protocol([b"x" * 11]))

    assert asyncio.run(run()).asked == 0


def test_of_a_chunked_body_little_more_is_read_than_is_allowed() -> None:
    async def run() -> Protocol:
        pairs = [("host", "a"), ("transfer-encoding", "chunked")]
        return await ask(face_of(echo), Scope(method="POST", pairs=pairs), Protocol([b"xxxx"] * 100))

    found = asyncio.run(run())
    # One byte too many is enough for the wire to refuse it in its own words.
    assert (found.asked, len(found.body)) == (3, 12)


def test_head_gets_headers_only() -> None:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        return []

    found = asyncio.run(ask(face_of(application), Scope(method="HEAD")))
    assert (found.status, found.headers, found.body) == (200, [("Content-Length", "5")], b"")


@pytest.mark.parametrize("error", [ValueError("segredo"), SystemExit("segredo")])
def test_a_defect_of_the_application_gives_an_incident_and_no_reason(error: BaseException) -> None:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        raise error

    with capture_logs() as logs:
        found = asyncio.run(ask(face_of(application)))
    assert found.status == 500
    assert found.body.startswith(b"ERRO 900: ")
    assert b"segredo" not in found.body
    assert [entry["log_level"] for entry in logs] == ["error"]


class Parts:
    """A body of two parts that must be closed."""

    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"um,"
        yield b"dois"

    def close(self) -> None:
        type(self).closed += 1


@pytest.mark.parametrize("headers", [[("Content-Length", "7")], []])
def test_bodies_that_are_iterables_are_sent_and_closed(headers: list[tuple[str, str]]) -> None:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Parts:
        start_response("200 OK", headers)
        return Parts()

    Parts.closed = 0
    found = asyncio.run(ask(face_of(application)))
    assert (found.body or b"".join(found.stream.sent if found.stream else [])) == b"um,dois"
    assert Parts.closed == 1


class Screen:
    """Says ``a`` and then nothing until it is ended."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"
        assert self.ended.wait(10)

    def end(self) -> None:
        self.ended.set()

    def close(self) -> None:
        self.closed.set()


def streaming(screen: Screen) -> Wsgi:
    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] != "/events":
            return echo(environ, start_response)
        start_response("200 OK", [])
        return screen

    return application


def test_a_screen_whose_client_leaves_is_closed_at_once() -> None:
    screen, protocol = Screen(), Protocol

    async def run() -> None:
        client = protocol()
        asking = asyncio.create_task(ask(face_of(streaming(screen)), Scope(path="/events"), client))
        while client.stream is None or not client.stream.sent:
            await asyncio.sleep(0.01)
        client.gone.set()
        await asyncio.wait_for(asking, 5)

    asyncio.run(run())
    assert screen.ended.is_set()
    assert screen.closed.is_set()


class PushedScreen(Screen):
    """A screen that is told by whoever has news."""

    sink: Any = None

    def attach(self, sink: Any) -> None:
        self.sink = sink
        sink.send(b"a")

    def end(self) -> None:
        super().end()
        self.sink.end()


def test_a_screen_that_is_pushed_has_no_thread_and_no_task_and_hears_what_any_thread_sends() -> None:
    screen = PushedScreen()

    async def run() -> tuple[int, int, set[str], list[bytes]]:
        face = face_of(streaming(screen))
        found = await ask(face, Scope(path="/events"))
        assert found.stream
        threads = sum(thread.name == "stream" for thread in threading.enumerate())
        news = threading.Thread(target=screen.sink.send, args=(b"b",))
        news.start()
        news.join()
        return threads, face._admission.under_way, set(face.busy), found.stream.sent

    assert asyncio.run(run()) == (0, 0, {"192.0.2.7:4711"}, [b"a", b"b"])


@pytest.mark.parametrize("by_client", [True, False])
def test_a_pushed_screen_is_closed_and_its_stream_let_go_whoever_ends_it(by_client: bool) -> None:
    screen = PushedScreen()

    async def run() -> tuple[set[str], int]:
        face = face_of(streaming(screen))
        found = await ask(face, Scope(path="/events"))
        if by_client:
            found.gone.set()
        else:
            threading.Thread(target=screen.sink.end).start()
        while face.busy:
            await asyncio.sleep(0.01)
        stream = weakref.ref(found.stream)
        found.stream = None
        return face.busy, stream() is not None

    assert asyncio.run(asyncio.wait_for(run(), 10)) == (set(), False)
    assert screen.closed.is_set()


def test_a_pushed_screen_that_ended_leaves_nobody_waiting_for_its_client_to_leave() -> None:
    screen = PushedScreen()

    async def run() -> None:
        before = asyncio.all_tasks()
        await ask(face_of(streaming(screen)), Scope(path="/events"))
        screen.sink.end()
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), 20))


class RefusingProtocol(Protocol):
    """A request whose answer cannot be begun any more."""

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Any:
        raise RuntimeError("closed")


@pytest.mark.parametrize("screen", [Screen(), PushedScreen()], ids=["by a thread", "pushed"])
def test_a_stream_that_cannot_be_begun_gives_its_place_back(screen: Screen) -> None:
    screen.sink = SinkToNobody()  # type: ignore[attr-defined]

    async def run() -> tuple[set[str], int]:
        face = face_of(streaming(screen))
        with pytest.raises(RuntimeError, match="closed"):
            await ask(face, Scope(path="/events"), RefusingProtocol())
        return face.busy, face._admission.under_way

    assert asyncio.run(run()) == (set(), 0)
    assert screen.closed.is_set()


class SinkToNobody:
    def end(self) -> None: ...


def test_clients_of_requests_under_way_and_of_streams_are_busy_until_the_end() -> None:
    seen: list[set[str]] = []
    face = face_of(lambda environ, start_response: seen.append(set(face.busy)) or echo(environ, start_response))  # type: ignore[func-returns-value]

    asyncio.run(ask(face, Scope(client="[::1]:4711", method="POST", pairs=POST), Protocol([b"abcdef"])))
    assert seen == [{"[::1]:4711"}]
    assert not face.busy


def test_open_screens_take_neither_threads_nor_the_share_of_their_address() -> None:
    """An office behind one address may have more screens than requests under way."""

    async def run() -> tuple[Protocol, int]:
        screens = [Screen() for _ in range(6)]
        waiting = iter(screens)

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            own = next(waiting) if environ["PATH_INFO"] == "/events" else Screen()
            return streaming(own)(environ, start_response)

        face = face_of(application, per_address=2)
        asking = []
        for _ in screens:
            client = Protocol()
            asking.append(asyncio.create_task(ask(face, Scope(path="/events"), client)))
            while client.stream is None or not client.stream.sent:
                await asyncio.sleep(0.01)
        found = await ask(face)
        for screen in screens:
            screen.end()
        await asyncio.gather(*asking)
        return found, face._admission.under_way

    found, under_way = asyncio.run(run())
    assert (found.status, under_way) == (200, 0)


def test_one_address_beyond_its_share_is_refused_and_another_is_served() -> None:
    async def run() -> tuple[Protocol, Protocol, list[Any]]:
        face = face_of(echo, per_address=3)
        slow = [
            asyncio.create_task(ask(face, Scope(method="POST", pairs=POST), Protocol(ends=False))) for _ in range(3)
        ]
        await asyncio.sleep(0.05)
        with capture_logs() as logs:
            refused = [await ask(face) for _ in range(5)]
        other = await ask(face, Scope(client="192.0.2.8:1"))
        await asyncio.gather(*slow)
        again = await ask(face)
        assert again.status == 200
        return refused[-1], other, logs

    refused, other, logs = asyncio.run(run())
    assert other.status == 200
    assert refused.status == 503
    assert {("Connection", "close"), ("Retry-After", "1")} <= set(refused.headers)
    assert refused.body.startswith(b"ERRO 470: ")
    assert [entry["event"] for entry in logs] == ["requests_over_share"]


def test_slow_calls_of_one_address_leave_threads_to_others_and_to_who_watches() -> None:
    release = threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            assert release.wait(10)
        return echo(environ, start_response)

    async def run() -> list[int]:
        face = face_of(application, per_address=100)
        slow = [asyncio.create_task(ask(face, Scope(path="/slow", client=f"192.0.2.{at % 2}:1"))) for at in range(20)]
        await asyncio.sleep(0.1)
        watched = await ask(face, Scope(path="/readyz"))  # all four threads are taken by two addresses
        release.set()
        done = await asyncio.gather(*slow)
        return [watched.status, *(each.status for each in done)]

    assert asyncio.run(run()) == [200] * 21


def test_who_waits_behind_others_of_its_address_has_its_turn_when_one_of_them_is_answered() -> None:
    protocols = [Protocol() for _ in range(40)]

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        time.sleep(0.001)
        return echo(environ, start_response)

    async def run() -> None:
        face = face_of(application, per_address=500)
        face.__rsgi_init__(asyncio.get_running_loop())
        asking = [asyncio.create_task(face.__rsgi__(Scope(), each)) for each in protocols]
        began = time.monotonic()
        while not all(each.status for each in protocols):
            assert time.monotonic() - began < 10
            await asyncio.sleep(0.01)
        for each in asking:
            each.cancel()

    asyncio.run(run())


def test_what_is_answered_is_no_request_under_way_when_the_next_one_comes() -> None:
    seen: list[int] = []

    async def run() -> list[Any]:
        face = face_of(echo, per_address=1)
        face.__rsgi_init__(asyncio.get_running_loop())
        asking = []
        for _ in range(20):
            protocol = Protocol()
            asking.append(asyncio.create_task(face.__rsgi__(Scope(), protocol)))
            while not protocol.status:
                await asyncio.sleep(0.001)
            time.sleep(0.01)  # the thread brings its result
            seen.append(protocol.status)
        await asyncio.wait_for(asyncio.gather(*asking), 5)
        return [face.answering, face._admission.under_way, face.busy]

    assert asyncio.run(run()) == [0, 0, set()]
    assert seen == [200] * 20


def test_a_crowded_server_ends_connections_behind_their_answers() -> None:
    found = asyncio.run(ask(face_of(echo, is_crowded=lambda: True)))
    assert ("Connection", "close") in found.headers


def hears_everything(method: str, path: str) -> bool:
    return True


def whose_thread(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [b"loop" if threading.current_thread() is threading.main_thread() else b"pool"]


@pytest.mark.parametrize(
    ("pairs", "body", "where"),
    [
        ([], [], b"loop"),
        ([("content-length", "6")], [b"abcdef"], b"loop"),
        ([("content-length", str(MOST_READ_HERE + 1))], [b"x" * (MOST_READ_HERE + 1)], b"pool"),
        ([("content-length", "6"), ("content-encoding", "gzip")], [b"abcdef"], b"pool"),
    ],
)
def test_events_are_served_on_the_loop_but_for_what_takes_long_to_read(
    pairs: list[tuple[str, str]], body: list[bytes], where: bytes
) -> None:
    limits = replace(LIMITS, body=replace(LIMITS.body, max_bytes=1_000_000))
    admission = Admission(lambda environ: str(environ["REMOTE_ADDR"]), per_address=8)
    face = Face(whose_thread, admission, limits, only_hears=hears_everything)
    found = asyncio.run(ask(face, Scope(method="POST", pairs=[("host", "a"), *pairs]), Protocol(body)))
    assert (found.status, found.body) == (200, where)
    assert (face.answering, face.busy, admission.under_way) == (0, set(), 0)


def test_events_that_wait_are_under_way_until_they_are_answered() -> None:
    release = threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        off_loop(lambda: release.wait(60))
        return echo(environ, start_response)

    async def run() -> None:
        face = face_of(application, per_address=3, only_hears=hears_everything)
        # Two of this address may be on threads at once, and one more may be under way.
        asking = [asyncio.create_task(ask(face)) for _ in range(3)]
        while face.answering < 3:
            await asyncio.sleep(0.01)
        assert face._admission.under_way == 3
        assert (await ask(face)).status == 503
        release.set()
        assert [each.status for each in await asyncio.gather(*asking)] == [200] * 3
        assert (face.answering, face.busy, face._admission.under_way) == (0, set(), 0)

    asyncio.run(run())


def test_a_client_that_is_gone_does_not_end_what_its_event_waits_for() -> None:
    release, written = threading.Event(), threading.Event()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        off_loop(lambda: release.wait(60))
        written.set()
        return echo(environ, start_response)

    async def run() -> None:
        face = face_of(application, only_hears=hears_everything)
        asking = asyncio.create_task(ask(face))
        while not face.answering:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        release.set()
        while not written.is_set():
            await asyncio.sleep(0.01)

    asyncio.run(run())


def test_the_face_is_let_down_by_no_event_that_wants_to_stream() -> None:
    found = asyncio.run(ask(face_of(streaming(Screen()), only_hears=hears_everything), Scope(path="/events")))
    assert found.status == 500


class Openings:
    """Requests for ``/events`` are served together."""

    def is_meant(self, environ: dict[str, Any]) -> bool:
        return bool(environ["PATH_INFO"] == "/events")

    def ahead(self, environs: Sequence[dict[str, Any]]) -> AbstractContextManager[None]:
        return nullcontext()


def test_requests_that_are_served_together_have_threads_of_their_own_and_others_theirs() -> None:
    def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return [threading.current_thread().name.encode()]

    async def run() -> list[Any]:
        face = face_of(application, together=Openings())
        found = [await ask(face, Scope(path=path)) for path in ("/events", "/healthz", "/")]
        assert (face.answering, face._admission.under_way, face.busy) == (0, 0, set())
        return [each.body for each in found]

    assert asyncio.run(run()) == [b"batch", b"watch", b"call"]
