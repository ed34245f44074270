"""Exchanges, CRMs that click, and screens. Each goes to another node when one fails it."""

import base64
import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlencode

from tests.cluster.checker import END, START
from tests.cluster.history import Answer, History, SentEvent, SentOrder, Shown
from tests.cluster.nodes import Node

LISTENERS = {START: "ConsultaRamal", END: "FinalizaLigacao"}
FAILURES = (OSError, http.client.HTTPException)
PATIENCE_S = 20
"""How long an exchange or a CRM waits for an answer."""
SILENCE_S = 8
"""A screen without a heart-beat (every 5 s) for so long goes elsewhere."""


class Client(threading.Thread):
    """Goes on until ``going`` is false. ``nodes``: whom it may ask, the first one first."""

    def __init__(self, nodes: Sequence[Node], first: int = 0) -> None:
        super().__init__(daemon=True)
        self._order = itertools.cycle([*nodes[first % len(nodes) :], *nodes[: first % len(nodes)]])
        self._node = next(self._order)
        self._asks_every_s: float | None = None
        self._asked_at = 0.0
        self.going = True

    def move_on(self) -> None:
        self._node = next(self._order)

    def only_ready(self, every_s: float = 0.2) -> None:
        """From now on go by ``/readyz``, as a balancer does."""
        self._asks_every_s = every_s

    def is_served(self) -> bool:
        """Return whether its node still wants requests, as far as it goes by that."""
        if self._asks_every_s is None or time.monotonic() - self._asked_at < self._asks_every_s:
            return True
        self._asked_at = time.monotonic()
        return self._node.readiness()[0] == 200

    def end(self, within_s: float = 60) -> None:
        self.going = False
        self.join(within_s)
        assert not self.is_alive(), f"{self.name} does not end"


class Exchange(Client):
    """Sends starts and ends of calls, each once, ``per_s`` a second, never a call twice."""

    def __init__(
        self, history: History, nodes: Sequence[Node], tenant: str, place: int, *, per_s: float, extension: str = "3501"
    ) -> None:
        super().__init__(nodes, place)
        self.name = f"exchange of {tenant}"
        self._history, self._tenant = history, tenant
        self._pause_s, self._extension = 1 / per_s, extension
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        due = time.monotonic()
        for call in itertools.count():
            number = f"4732{call:06d}"
            for kind in (START, END):
                if not self.going:
                    return self._drop()
                time.sleep(max(0.0, due - time.monotonic()))
                due = max(due + self._pause_s, time.monotonic() - 1)
                if not self._send(kind, number):
                    break
        return None

    def _send(self, kind: str, number: str) -> bool:
        if not self.is_served():
            self._drop()
            self.move_on()
        began = time.monotonic()
        answer, call_id = self._ask(kind, number)
        took_s = time.monotonic() - began
        self._history.add(SentEvent(self._tenant, kind, number, self._node.name, answer, began, took_s, call_id))
        if answer is not Answer.ACKNOWLEDGED:
            self.move_on()
        return answer is Answer.ACKNOWLEDGED

    def _ask(self, kind: str, number: str) -> tuple[Answer, int | None]:
        query = urlencode({"ramal": self._extension, "telefone": number})
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._node.port, timeout=PATIENCE_S)
            self._connection.request("GET", f"/t/{self._tenant}/wconnect/WConnect_WSDL_{LISTENERS[kind]}.php?{query}")
            answer = self._connection.getresponse()
            text = answer.read().decode(errors="replace").strip()
        except FAILURES:
            self._drop()
            time.sleep(0.05)
            return Answer.UNCLEAR, None
        if answer.status == 200 and text.startswith("OK"):
            return Answer.ACKNOWLEDGED, int(text.split()[1])
        self._drop()
        return (Answer.UNCLEAR if answer.status >= 500 else Answer.REFUSED), None

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


class Clicker(Client):
    """A CRM that asks for each call twice at the same moment, with one ``id_pedido``, at two nodes."""

    def __init__(self, history: History, nodes: Sequence[Node], tenant: str, place: int, *, per_s: float) -> None:
        super().__init__(nodes, place)
        self.name = f"clicker of {tenant}"
        self._history, self._tenant, self._place, self._pause_s = history, tenant, place, 1 / per_s
        self._numbers = itertools.count()

    def run(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            while self.going:
                number = f"4799{self._place:02d}{next(self._numbers):05d}"
                first = self._node
                self.move_on()
                list(pool.map(self._click, (first, self._node), (number, number)))
                time.sleep(self._pause_s)

    def _click(self, node: Node, number: str) -> None:
        began = time.monotonic()
        # The extension is another for each call: who is being called is not asked to call again.
        query = urlencode({"origem": f"35{10 + int(number) % 80:02d}", "destino": number, "id_pedido": number})
        try:
            status, _ = node.get(f"/t/{self._tenant}/click-to-call?{query}", timeout_s=PATIENCE_S)
            answer = {200: Answer.ACKNOWLEDGED, 503: Answer.UNCLEAR, 504: Answer.UNCLEAR}.get(status, Answer.REFUSED)
        except FAILURES:
            answer = Answer.UNCLEAR
        took_s = time.monotonic() - began
        self._history.add(SentOrder(self._tenant, number, number, node.name, answer, took_s))


class Screen(Client):
    """An agent's page: reads its stream of events, and goes on behind the last position it saw, at any node."""

    def __init__(
        self, history: History, nodes: Sequence[Node], tenant: str, place: int, *, login: str, password: str
    ) -> None:
        super().__init__(nodes, place)
        self.name = f"screen of {tenant}"
        self.seen = history.open_screen(tenant, "3501")
        self._login = base64.b64encode(f"{login}:{password}".encode()).decode()
        self._socket: http.client.HTTPConnection | None = None
        self.is_open = threading.Event()

    def run(self) -> None:
        while self.going:
            connection = http.client.HTTPConnection("127.0.0.1", self._node.port, timeout=SILENCE_S)
            self._socket = connection
            with suppress(*FAILURES, ValueError):
                self._listen(connection)
            connection.close()
            self.move_on()
            time.sleep(0.1)

    def end(self, within_s: float = 60) -> None:
        self.going = False
        if self._socket and self._socket.sock:
            with suppress(OSError):
                self._socket.sock.shutdown(2)
        super().end(within_s)

    def _listen(self, connection: http.client.HTTPConnection) -> None:
        headers = {"Authorization": f"Basic {self._login}"}
        if self.seen.position is not None:
            headers["Last-Event-ID"] = self.seen.position
        connection.request("GET", f"/t/{self.seen.tenant}/events", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            answer.read()
            time.sleep(0.2)
            return
        self.seen.nodes.add(self._node.name)
        for kind, position, data in _events(answer):
            self._take(kind, position, data)
            if not self.going:
                return

    def _take(self, kind: str, position: str, data: str) -> None:
        self.is_open.set()
        if kind not in ("pulse", "log"):
            self.seen.shown.append(Shown(position, kind, json.loads(data).get("call_id")))
        self.seen.position = position


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str, str]]:
    """Yield kind, position and data of each whole event; a half one at the end was not seen."""
    fields: dict[str, str] = {}
    for line in answer:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields["id"], fields["data"]
            fields = {}
