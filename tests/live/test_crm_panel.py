"""The panel inside a CRM's page, in a real browser and by https; and what a page that is not named tries.

Chromium keeps no cookies of third parties here, as browsers do more and more: only partitioned ones.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from gateway.simulators.url import UrlAppliance
from tests.live import desk
from tests.live import nginx as proxy
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.live.crm_pages import Site, serving
from tests.live.desk import KNOWN, PASSWORD, UNKNOWN, appears, chromium, furnish, listen, text_of
from tests.live.nginx import HOST

until = partial(desk.until, timeout_s=20)
DOCS = Path(__file__).parents[2] / "docs" / "crm-panel.md"
CONFIG = """
[server]
trusted_proxies = ["127.0.0.1"]
lenient_listen = "127.0.0.1:{lenient}"
[tenants.acme]
hosts = ["{host}"]
area_code = "47"
extensions = ["3500-3599"]
crm = {{ origins = ["{crm}"], link = "https://crm.example/contas/{{{{ code }}}}" }}
[tenants.acme.appliances.pbx]
adapter = "url"
url = "{pbx}/originate?from={{{{ extension }}}}&to={{{{ number }}}}&key=demo"
success = "^OK"
"""
"""A stranger's page that tries what it can; ``told`` is what came of it."""
STRANGER = """<!doctype html><title>evil</title><body><div id="cti" style="width: 360px; height: 400px"></div>
<script src="{gateway}/cti/v1.js"></script><script>
const told = [];
const cti = CTI.connect({{ panel: "#cti" }});
cti.onReady(() => told.push("ready"));
cti.onCall(() => told.push("call"));
addEventListener("message", () => told.push("message"));
const frames = ["/painel", "/painel/entrar", "/discar?numero=4733334444", "/", "/login"].map((path) => {{
  const frame = document.createElement("iframe");
  frame.src = "{gateway}" + path;
  document.body.append(frame);
  return frame;
}});
async function attack() {{
  const asked = {{ credentials: "include", mode: "no-cors", method: "POST" }};
  const form = (name) => new URLSearchParams({{ [name]: "4733334444" }});
  const json = {{ ...asked, mode: "cors", headers: {{ "Content-Type": "application/json" }} }};
  const hello = {{ cti: 1, type: "hello" }};
  const tries = [
    fetch("{gateway}/api/me", {{ credentials: "include" }}).then((answer) => answer.text()),
    fetch("{gateway}/api/dial", {{ ...asked, body: form("number") }}).then(() => "opaque"),
    fetch("{gateway}/api/dial", {{ ...json, body: '{{"number": "4733334444"}}' }}).then((answer) => answer.text()),
    fetch("{gateway}/discar", {{ ...asked, body: form("numero") }}).then(() => "opaque"),
    fetch("{gateway}/painel", {{ credentials: "include" }}).then((answer) => answer.text()),
  ];
  for (const frame of frames) frame.contentWindow.postMessage(hello, "*", [new MessageChannel().port2]);
  return (await Promise.allSettled(tries)).map((each) => each.value ?? "refused");
}}
</script>"""


@dataclass
class Office:
    """A gateway behind https, with its exchange, the CRM's and a stranger's pages."""

    gateway: LiveGateway
    pbx: UrlAppliance
    site: Site
    url: str


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("crm")
    (folder / "site").mkdir()
    proxy.make_certificate(folder / "site")
    lenient = free_port()
    pbx = UrlAppliance()
    pbx.start()
    with serving(folder / "site") as site:
        config = folder / "gateway.toml"
        config.write_text(CONFIG.format(lenient=lenient, host=HOST, crm=site.origin("crm"), pbx=pbx.address))
        gateway = start_gateway(folder / "data", config=config)
        furnish(gateway, folder)
        (folder / "nginx").mkdir()
        with proxy.serve(gateway, lenient, folder / "nginx") as nginx:
            url = f"https://{HOST}:{nginx.https}"
            site.pages = {"crm": example(url), "evil": STRANGER.format(gateway=url)}
            yield Office(gateway, pbx, site, url)
        gateway.stop()
    pbx.stop()


def example(url: str) -> str:
    """The page of the documentation, at the address of this test's gateway."""
    found = re.search(r"<!-- crm page -->\n```html\n(.+?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert found[1].count("https://cti.acme.com.br") == 1
    return found[1].replace("https://cti.acme.com.br", url)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    flags = (
        "--host-resolver-rules=MAP * 127.0.0.1",
        "--ignore-certificate-errors",
        "--test-third-party-cookie-phaseout",
    )
    with chromium(tmp_path_factory.mktemp("profile"), *flags) as running:
        running.set_page_load_timeout(30)
        yield running


@contextmanager
def inside(browser: webdriver.Chrome) -> Iterator[None]:
    """The driver looks into the panel's frame."""
    browser.switch_to.frame(browser.find_element(By.CSS_SELECTOR, "#cti iframe"))
    try:
        yield
    finally:
        browser.switch_to.default_content()


def open_crm(browser: webdriver.Chrome, office: Office) -> None:
    """Open the CRM's page, and log in at the panel unless that was done before."""
    browser.get(office.site.origin("crm"))
    with inside(browser):
        until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, "#usuario, #conexao")))
        if browser.find_elements(By.ID, "usuario"):
            browser.find_element(By.ID, "usuario").send_keys("ana")
            browser.find_element(By.ID, "senha").send_keys(PASSWORD, Keys.ENTER)
        until(lambda: browser.find_element(By.ID, "conexao").get_attribute("data-state") == "live")
    until(lambda: "Ana Martins, 3501" in text_of(browser, "#call"))


def test_the_page_of_the_documentation_hears_of_calls_and_dials(browser: webdriver.Chrome, office: Office) -> None:
    open_crm(browser, office)
    listen(office.gateway, "ConsultaRamal", ramal="3501", telefone=KNOWN)
    until(lambda: text_of(browser, "#call") == "rings: Metalúrgica Silva & Filhos")
    with inside(browser):
        assert "Metalúrgica Silva & Filhos" in appears(browser, "#cartoes .card h2")
        until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, ".card a.crm")))
        browser.execute_script("document.querySelector('.card a.crm').click()")
    until(lambda: text_of(browser, "#call") == "record: 17")
    assert len(browser.window_handles) == 1
    listen(office.gateway, "AtendeLigacao", ramal="3501", telefone=KNOWN)
    until(lambda: text_of(browser, "#call") == "talks: Metalúrgica Silva & Filhos")
    listen(office.gateway, "FinalizaLigacao", ramal="3501", telefone=KNOWN)
    until(lambda: text_of(browser, "#call") == "ended: Metalúrgica Silva & Filhos")
    browser.find_element(By.CSS_SELECTOR, 'a[href^="tel:"]').click()
    until(lambda: [order.number for order in office.pbx.seen][:1] == [UNKNOWN])


def test_a_caller_without_a_record_is_opened_by_the_page_too(browser: webdriver.Chrome, office: Office) -> None:
    stranger, selector = "4733335555", '.card[data-text="(47) 3333-5555"] [data-in-crm]'
    open_crm(browser, office)
    listen(office.gateway, "ConsultaRamal", ramal="3501", telefone=stranger)
    until(lambda: text_of(browser, "#call") == f"rings: {stranger}")
    with inside(browser):
        until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, selector)))
        browser.execute_script("document.querySelector(arguments[0]).click()", selector)
    until(lambda: text_of(browser, "#call") == f"record: {stranger}")
    listen(office.gateway, "FinalizaLigacao", ramal="3501", telefone=stranger)


def test_a_named_page_s_script_reads_and_dials_with_the_panel_s_login(
    browser: webdriver.Chrome, office: Office
) -> None:
    open_crm(browser, office)
    assert ask(browser, office, "me")["login"] == "ana"
    before = len(office.pbx.seen)
    told = ask(browser, office, "dial", number="4732100199")
    assert told["outcome"] == "accepted", told
    assert [order.number for order in office.pbx.seen[before:]] == ["4732100199"]


def ask(browser: webdriver.Chrome, office: Office, name: str, **body: str) -> dict[str, object]:
    """What the page's own script is told by ``/api/NAME``; by POST where there is a body."""
    script = """const [url, body, done] = arguments;
    const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body };
    fetch(url, { credentials: "include", ...(body ? sent : {}) })
      .then((answer) => answer.text()).then(done, () => done("{}"));"""
    told = browser.execute_async_script(script, f"{office.url}/api/{name}", json.dumps(body) if body else "")
    answer: dict[str, object] = json.loads(told)
    return answer


def test_a_page_that_is_not_named_frames_nothing_reads_nothing_and_dials_nothing(
    browser: webdriver.Chrome, office: Office
) -> None:
    """Ana is logged in at the desk itself and at the panel; the stranger's page hears of neither."""
    open_crm(browser, office)
    log_in_at_the_desk(browser, office)
    before = len(office.pbx.seen)
    browser.get(office.site.origin("evil"))
    listen(office.gateway, "ConsultaRamal", ramal="3501", telefone="4732100555")
    script = "const done = arguments[0]; attack().then((came) => setTimeout(() => done([came, told]), 500));"
    came, told = browser.execute_async_script(script)
    assert came == ["refused", "opaque", "refused", "opaque", "refused"]
    assert told == []
    frames = browser.find_elements(By.TAG_NAME, "iframe")
    assert len(frames) == 6
    for frame in frames:
        browser.switch_to.frame(frame)
        assert not browser.find_elements(By.CSS_SELECTOR, "form, #conexao, .card"), browser.page_source
        browser.switch_to.default_content()
    assert office.pbx.seen[before:] == []


def log_in_at_the_desk(browser: webdriver.Chrome, office: Office) -> None:
    browser.get(f"{office.url}/login")
    browser.find_element(By.ID, "usuario").send_keys("ana")
    browser.find_element(By.ID, "senha").send_keys(PASSWORD, Keys.ENTER)
    until(lambda: bool(browser.find_elements(By.ID, "conexao")))


def test_a_page_that_opens_the_panel_in_a_window_is_not_listened_to(browser: webdriver.Chrome, office: Office) -> None:
    """There the agent is logged in, and the page that opened it may send it messages."""
    log_in_at_the_desk(browser, office)
    browser.get(office.site.origin("evil"))
    here = browser.current_window_handle
    browser.execute_script("window.opened = window.open(arguments[0]); opened.focus()", f"{office.url}/painel")
    browser.switch_to.window(next(each for each in browser.window_handles if each != here))
    until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, '#conexao[data-state="live"]')))
    browser.switch_to.window(here)
    script = """const [done] = arguments;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => done(data.type);
    opened.postMessage({ cti: 1, type: "hello" }, "*", [port2]);
    port1.postMessage({ type: "dial", id: 1, number: "4733334444" });
    setTimeout(() => done("silence"), 1500);"""
    before = len(office.pbx.seen)
    assert browser.execute_async_script(script) == "silence"
    assert office.pbx.seen[before:] == []
    browser.execute_script("opened.close()")
    until(lambda: len(browser.window_handles) == 1)


def test_a_named_page_may_frame_the_panel_and_nothing_else(browser: webdriver.Chrome, office: Office) -> None:
    open_crm(browser, office)
    for path in ("/", "/ligacoes", "/login", "/discar?numero=4733334444"):
        frame = browser.execute_async_script(
            """const [url, done] = arguments; const frame = document.createElement("iframe");
            frame.onload = () => done(frame); frame.src = url; document.body.append(frame);""",
            office.url + path,
        )
        browser.switch_to.frame(frame)
        assert not browser.find_elements(By.CSS_SELECTOR, "form, #conexao"), path
        browser.switch_to.default_content()


def test_a_log_out_in_the_frame_leads_to_its_login_and_the_page_hears_no_more(
    browser: webdriver.Chrome, office: Office
) -> None:
    open_crm(browser, office)
    with inside(browser):
        browser.find_element(By.CSS_SELECTOR, 'form[action$="/painel/sair"] button').click()
        until(lambda: bool(browser.find_elements(By.ID, "usuario")))
    assert ask(browser, office, "me")["ok"] is False
