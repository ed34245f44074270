"""Walk through the demo and write the pictures of the pages into a folder."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import command, free_port
from tests.live.desk import appears, chromium, count, text_of, until, wait_live

PASSWORD = "demo-1234"
KNOWN, NEW = "2123456789", "47988880000"
PEOPLE = "login;nome;ramal;papel\n" + "".join(f"pessoa{n:02};Pessoa {n:02};{3505 + n};agent\n" for n in range(1, 61))


@dataclass
class Walk:
    """A browser in front of the demo at ``url``; pictures go into ``folder``."""

    browser: webdriver.Chrome
    url: str
    crm: str
    folder: Path

    def log_in(self, login: str) -> None:
        self.browser.delete_all_cookies()
        self.browser.get(f"{self.url}/login")
        self.type("#usuario", login)
        self.type("#senha", PASSWORD, Keys.ENTER)
        until(lambda: count(self.browser, "#conexao") > 0, timeout_s=20)

    def go(self, path: str) -> None:
        self.browser.get(self.url + path)
        wait_live(self.browser)

    def type(self, selector: str, *keys: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, selector).send_keys(*keys)

    def click(self, selector: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, selector).click()

    def sees(self, text: str, *, timeout_s: float = 15) -> None:
        """Wait until the page says ``text``. Raises ``AssertionError``."""
        until(lambda: text in text_of(self.browser, "body"), timeout_s=timeout_s)

    def picture(self, name: str) -> None:
        time.sleep(0.4)  # what moves has come to rest
        self.browser.save_screenshot(str(self.folder / f"{name}.png"))

    def exchange(self, event: str, **parameters: str) -> None:
        """Tell the gateway of a call, as an exchange does."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/wconnect/WConnect_WSDL_{event}.php?{query}", timeout=10):
            pass


def agents_first_day(walk: Walk) -> None:
    """Log in, take a call, write what was agreed, call a missed customer back, find the call again."""
    walk.log_in("ana")
    wait_live(walk.browser)
    walk.exchange("ConsultaRamal", ramal="3501", telefone=KNOWN, id_ligacao="passeio-1", fila="Vendas")
    appears(walk.browser, ".card .customer", timeout_s=15)
    walk.exchange("AtendeLigacao", ramal="3501", telefone=KNOWN, id_ligacao="passeio-1")
    walk.type(".card .note-box textarea", "Quer a proposta por e-mail até sexta.")
    until(lambda: re.search(r"\d:\d\d", text_of(walk.browser, ".card .note-box .saved")) is not None, timeout_s=15)
    walk.picture("agent-card")
    walk.exchange("FinalizaLigacao", ramal="3501", telefone=KNOWN, id_ligacao="passeio-1", duracao="95")
    walk.go("/perdidas")
    walk.click("#perdidas li:first-child .does button.number")
    walk.sees("Você está retornando")
    walk.picture("agent-missed")
    walk.go("/ligacoes?busca=proposta")
    walk.sees("proposta")
    walk.picture("agent-search")


def supervisors_monday(walk: Walk) -> None:
    """See who is on the phone, who waits, how the day goes, and take the list along."""
    walk.log_in("carla")
    walk.go("/agora")
    walk.picture("supervisor-now")
    walk.go("/perdidas")
    walk.picture("supervisor-missed")
    walk.go("/indicadores")
    until(lambda: count(walk.browser, "canvas") > 0)
    walk.picture("supervisor-figures")
    walk.go("/ligacoes")
    assert count(walk.browser, "a[href*='/ligacoes.xlsx']") == 1


def administrators_day(walk: Walk) -> None:
    """Bring in sixty people, see what was done, and use the panel inside the CRM."""
    walk.log_in("davi")
    walk.go("/pessoas/agentes")
    walk.browser.execute_script("document.querySelector('#lista').closest('details').open = true")
    walk.browser.execute_script("document.querySelector('#lista').value = arguments[0]", PEOPLE)
    walk.click("#lista ~ button")
    walk.sees("pessoa60")
    walk.picture("administrator-list")
    walk.click("form.panel.block.stack button.primary")
    until(lambda: count(walk.browser, "td code") == 60, timeout_s=60)
    walk.picture("administrator-passwords")
    walk.go("/auditoria")
    walk.sees("davi")
    walk.picture("administrator-audit")
    panel_in_the_crm(walk)


def panel_in_the_crm(walk: Walk) -> None:
    walk.browser.delete_all_cookies()
    walk.browser.get(walk.crm)
    until(lambda: count(walk.browser, "iframe") == 1, timeout_s=20)
    frame = walk.browser.find_element(By.CSS_SELECTOR, "iframe")
    walk.browser.switch_to.frame(frame)
    until(lambda: count(walk.browser, "#usuario") == 1, timeout_s=20)
    walk.type("#usuario", "ana")
    walk.type("#senha", PASSWORD, Keys.ENTER)
    until(lambda: count(walk.browser, "#numero") == 1, timeout_s=20)
    until(lambda: count(walk.browser, "[data-state=live]") == 1, timeout_s=20)
    walk.exchange("ConsultaRamal", ramal="3501", telefone=NEW, id_ligacao="passeio-2", fila="Vendas")
    appears(walk.browser, ".card", timeout_s=15)
    walk.browser.switch_to.default_content()
    walk.picture("administrator-panel")


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, str]]:
    """Run the demo; yield its address and that of its CRM. Raises ``AssertionError`` when it does not start."""
    port, log = free_port(), folder / "demo.log"
    with log.open("w") as output:
        arguments = [*command(), "demo", "--listen", f"127.0.0.1:{port}"]
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
        process = subprocess.Popen(arguments, stdout=output, stderr=output, env=environment)
    try:
        until(lambda: process.poll() is not None or "cti-gateway wsdl" in log.read_text(), timeout_s=90)
        assert process.poll() is None, log.read_text()
        (crm,) = re.findall(r"CRM +(http://\S+)", log.read_text())
        yield f"http://127.0.0.1:{port}", crm
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def main() -> None:
    """Walk all three days."""
    pictures = Path(sys.argv[1])
    pictures.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        demo(Path(name)) as (url, crm),
        chromium(Path(name) / "profile", "--window-size=1280,860") as browser,
    ):
        walk = Walk(browser, url, crm, pictures)
        for day in (agents_first_day, supervisors_monday, administrators_day):
            day(walk)
            print(day.__doc__)


if __name__ == "__main__":
    main()
