"""The demo does what the README promises."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import command, free_port
from tests.live.desk import chromium, text_of, until


@dataclass
class Demo:
    """A running demo: its process and what it printed when it was ready."""

    process: subprocess.Popen[str]
    url: str
    guide: str

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def config(self) -> Path:
        (found,) = set(re.findall(r"--config (\S+)", self.guide))
        return Path(found)

    def calls(self) -> list[dict]:
        printed = subprocess.run(
            [*command(), "calls", "--format", "json", "--config", str(self.config())],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return [json.loads(line) for line in printed.stdout.splitlines()]

    def appliance(self, title: str) -> str:
        (address,) = re.findall(rf"{title} +(http://\S+)", self.guide)
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    port = free_port()
    log = tmp_path_factory.mktemp("demo") / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command(), "demo", "--listen", f"127.0.0.1:{port}"],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    deadline = time.monotonic() + 60
    while "contracts" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    yield Demo(process, f"http://127.0.0.1:{port}", log.read_text())
    if process.poll() is None:
        process.kill()
        process.wait()


def test_it_has_played_a_call_on_each_wire(demo: Demo) -> None:
    assert [(call["direction"], call["account"], call["status"]) for call in demo.calls()[-3:]] == [
        ("incoming", "Padaria São José", "ended"),
        ("outgoing", "Clínica Boa Vista", "ended"),
        ("incoming", None, "ended"),
    ]


def test_it_looks_like_work_from_the_first_minute(demo: Demo) -> None:
    calls = demo.calls()
    assert {call["extension"] for call in calls if call["status"] == "ended"} >= {"3501", "3502", "3503", "3504"}
    assert [call["queue"] for call in calls if call["status"] == "waiting"] == ["Suporte"]
    assert [call["answered_agent"] for call in calls if call["status"] == "talking"] == ["bruno"]
    missed = [call for call in calls if call["missed"]]
    assert {bool(call["returned_by"]) for call in missed} == {True, False}
    notes = [(call["note_by"], call["note_outcome"]) for call in calls if call["note"]]
    assert notes == [
        ("ana", "pedido"),
        ("carla", "resolvido"),
        ("bruno", "resolvido"),
        ("ana", "retornar"),
        ("davi", "retornar"),
    ]
    logins = re.findall(r"login: (\w+) +password: (\S+) +extension (\d+) +([^,]+), (\w+)", demo.guide)
    assert [(login, role) for login, _, _, _, role in logins] == [
        ("ana", "agent"),
        ("bruno", "agent"),
        ("carla", "supervisor"),
        ("davi", "administrator"),
    ]


def test_the_printed_curl_lines_start_and_end_a_call(demo: Demo) -> None:
    lines = re.sub(r"\\\n", "", demo.guide)
    start, end = re.findall(r"curl '(http\S+ConsultaRamal\S+)'", lines) + re.findall(
        r"curl '(http\S+Finaliza\S+)'", lines
    )
    for address in (start, end):
        assert demo.get(address.removeprefix(demo.url)).startswith("OK ")
    call = demo.calls()[-1]
    assert (call["account"], call["status"]) == ("Padaria São José", "ended")
    with urllib.request.urlopen(call["recording_url"], timeout=10) as recording:
        assert recording.headers["Content-Type"] == "audio/wav"


@pytest.mark.parametrize(
    ("name", "title", "command_line"),
    [
        ("soap", "Central SOAP", "calledNumber"),
        ("xmlrpc", "Central XML-RPC", "pbx.originate"),
        ("url", "Central URL", "GET /originate"),
    ],
)
def test_each_appliance_receives_the_order_in_its_own_protocol_and_reports_the_call(
    demo: Demo, name: str, title: str, command_line: str
) -> None:
    number = {"soap": "4733330001", "xmlrpc": "4733330002", "url": "4733330003"}[name]
    said = demo.get(f"/click-to-call?origem=3501&destino={quote(number)}&central={name}")
    assert said.startswith("OK ")
    page = demo.appliance(title)
    assert command_line in page
    assert f"0{number}" in page
    deadline = time.monotonic() + 20
    while (call := [call for call in demo.calls() if call["number"] == number][-1])["status"] != "ended":
        assert time.monotonic() < deadline, call
        time.sleep(0.3)
    assert (call["direction"], call["appliance"]) == ("outgoing", name)
    assert call["recording_url"].endswith(".wav")


def test_its_crm_shows_the_panel_and_opens_the_caller_s_record(demo: Demo, tmp_path: Path) -> None:
    (crm,) = re.findall(r"CRM +(http://\S+)/", demo.guide)
    with chromium(tmp_path) as browser:
        browser.get(crm)
        browser.switch_to.frame(browser.find_element(By.CSS_SELECTOR, "#cti iframe"))
        until(lambda: bool(browser.find_elements(By.ID, "usuario")), timeout_s=15)
        browser.find_element(By.ID, "usuario").send_keys("ana")
        browser.find_element(By.ID, "senha").send_keys("demo-1234", Keys.ENTER)
        until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, '#conexao[data-state="live"]')), timeout_s=15)
        browser.switch_to.default_content()
        until(lambda: "Ana Souza · 3501" in text_of(browser, "#told"), timeout_s=15)
        demo.get("/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=11987654321")
        until(lambda: "Clínica Boa Vista" in text_of(browser, "#record"), timeout_s=10)
        demo.get("/wconnect/WConnect_WSDL_FinalizaLigacao.php?ramal=3501&telefone=11987654321")
        browser.find_element(By.CSS_SELECTOR, 'a[href="tel:+554830302020"]').click()
        until(lambda: "04830302020" in demo.appliance("Central SOAP"), timeout_s=10)


def test_it_stops_cleanly_and_leaves_nothing_behind(demo: Demo) -> None:
    folder = demo.config().parent
    assert folder.exists()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert not folder.exists()
