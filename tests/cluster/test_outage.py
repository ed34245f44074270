"""A server that hangs: whoever reads is told soon, who was there stays, events are taken, and all goes on by itself."""

import http.client
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from gateway.store.spool.draining import LATE_MS
from tests.cluster.cell import LOGIN, PASSWORD, Cell, cell, wait_for
from tests.cluster.nodes import Node
from tests.live.desk import chromium, connection, is_seen, text_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]
READERS = 100
"""More than the node has threads for (``server.call_threads``)."""
TOLD_WITHIN_S = 20.0
"""Five seconds, and what a busy machine adds; without a bound it is a minute and more."""
WITHIN_S = 60.0
UNCLEAR = "ERRO 422"


@dataclass
class Desk:
    """Ana's browser at a node of one company."""

    node: Node
    cookie: str = ""
    told: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, float]:
        """Return status, body and how long it took (seconds)."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=WITHIN_S)
        own = {"Origin": self.node.url, "Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "es"}
        connection.request(method, path, urlencode(form or {}), own | ({"Cookie": self.cookie} if self.cookie else {}))
        answer = connection.getresponse()
        body = answer.read().decode()
        if found := re.search(r"cti_session=[^;]+", answer.headers.get("Set-Cookie", "")):
            self.cookie = found[0]
        connection.close()
        return answer.status, body, time.monotonic() - began

    def log_in(self) -> int:
        return self.ask("POST", "/login", {"usuario": LOGIN, "senha": PASSWORD})[0]

    def listen(self) -> None:
        """Open the stream of events, and keep what is told on it."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=WITHIN_S)
        connection.request("GET", "/events", headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        self.told.append(f"status {answer.status}")
        for line in answer:
            self.told.append(line.decode().strip())
        self.told.append("ended")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    with cell(tmp_path_factory.mktemp("cell"), nodes=1, tenants=1, server="spool = true", standby=False) as made:
        yield made


@pytest.fixture
def desk(found: Cell) -> Desk:
    made = Desk(found.nodes[0])
    assert made.log_in() == 303
    assert made.ask("GET", "/")[0] == 200
    return made


def ring(node: Node, number: str) -> str:
    return node.get(f"/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone={number}", timeout_s=WITHIN_S)[1]


def test_readers_are_told_soon_and_take_nobody_s_place(found: Cell, desk: Desk) -> None:
    found.database.primary.freeze()
    try:
        with ThreadPoolExecutor(READERS + 1) as pool:
            pages = [pool.submit(desk.ask, "GET", path) for path in ["/", "/ligacoes"] * (READERS // 2)]
            taken = pool.submit(ring, desk.node, "4732100123")
            answers = [page.result() for page in pages]
        assert {status for status, _, _ in answers} == {503}
        assert max(took for _, _, took in answers) < TOLD_WITHIN_S
        assert all("La base de datos no responde" in body for _, body, _ in answers)
        assert taken.result().startswith(UNCLEAR), "the server may have it: a transaction of it had begun"
        assert ring(desk.node, "4732100124") == "OK 0\n"
        assert Desk(desk.node).log_in() == 503
        assert desk.ask("GET", "/ligacoes")[2] < TOLD_WITHIN_S / 4, "it is known by now"
    finally:
        found.database.primary.thaw()
    assert wait_for(lambda: desk.ask("GET", "/")[0] == 200, WITHIN_S), found.logs()


def test_an_open_screen_stays_and_says_that_calls_come_late(found: Cell, desk: Desk) -> None:
    desk.listen()
    assert wait_for(lambda: "event: pulse" in desk.told, WITHIN_S)
    assert 'data: {"delayed":true}' not in desk.told
    found.database.primary.freeze()
    try:
        assert wait_for(lambda: 'data: {"delayed":true}' in desk.told, WITHIN_S), found.logs()
        assert ring(desk.node, "4732100125").startswith(UNCLEAR)
        assert ring(desk.node, "4732100126") == "OK 0\n"
    finally:
        found.database.primary.thaw()
    assert wait_for(lambda: "event: call_started" in desk.told, WITHIN_S), found.logs()
    behind = len(desk.told)
    assert wait_for(lambda: "data: {}" in desk.told[behind:], WITHIN_S)
    assert "ended" not in desk.told
    assert desk.ask("GET", "/")[0] == 200


def test_a_person_at_the_desk_sees_late_calls_listed_and_not_popped(found: Cell, tmp_path: Path) -> None:
    (node,) = found.nodes
    with chromium(tmp_path / "browser") as browser:
        browser.get(f"{node.url}/login")
        browser.find_element(By.ID, "usuario").send_keys(LOGIN)
        browser.find_element(By.ID, "senha").send_keys(PASSWORD, Keys.ENTER)
        assert wait_for(lambda: bool(browser.find_elements(By.ID, "conexao")), WITHIN_S)
        assert wait_for(lambda: connection(browser) == "live", WITHIN_S)
        assert not is_seen(browser, "#atraso")
        found.database.primary.freeze()
        try:
            ring(node, "4732100127")
            assert ring(node, "4732100128") == "OK 0\n"
            kept_at = time.monotonic()
            assert wait_for(lambda: is_seen(browser, "#atraso"), WITHIN_S), found.logs()
            assert connection(browser) == "delayed"
            assert "o gateway espera pelo banco de dados" in text_of(browser, "#atraso")
            time.sleep(max(0.0, LATE_MS / 1000 + 1 - (time.monotonic() - kept_at)))
        finally:
            found.database.primary.thaw()
        assert wait_for(lambda: "(47) 3210-0128" in text_of(browser, "main"), WITHIN_S), found.logs()
        assert wait_for(lambda: connection(browser) == "live", WITHIN_S)
        assert not is_seen(browser, "#atraso")
        shown = browser.execute_script(
            "return [...document.querySelectorAll('.card')].map(card => card.innerText).join()"
        )
        assert "3210-0128" not in shown, "a call that was kept for too long pops up"
