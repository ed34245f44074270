"""Many tabs of one browser share one stream of events: a call comes up in all, sounds in one, is dismissed in all.

Each test runs twice: with the shared worker, and as on a browser that has none (tabs elect one among them).
"""

import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import (
    KNOWN,
    UNKNOWN,
    appears,
    chromium,
    connection,
    count,
    furnish,
    is_seen,
    listen,
    log_in,
    text_of,
    until,
    wait_live,
)

TABS = 12
WATCHED = """
window.chimes = 0; window.notices = 0;
const tone = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.chimes += 1; return tone.call(this); };
window.Notification = class { static permission = "granted"; constructor() { window.notices += 1; } close() {} };
"""
WANTED = "for (const name of ['som', 'notificacao']) localStorage.setItem(`cti:default/ana:${name}`, '1')"
WITHOUT_WORKER = "delete window.SharedWorker;"


@dataclass
class Tabs:
    """The tabs of one browser at one desk."""

    browser: webdriver.Chrome
    office: LiveGateway
    script: str
    ringing: list[tuple[str, str]] = field(default_factory=list)

    def ring(self, number: str = KNOWN, extension: str = "3501") -> None:
        """The exchange says that a call rings; it is over at the end of the test."""
        self.ringing.append((number, extension))
        listen(self.office, "ConsultaRamal", ramal=extension, telefone=number)

    def hang_up(self) -> None:
        while self.ringing:
            number, extension = self.ringing.pop()
            listen(self.office, "FinalizaLigacao", ramal=extension, telefone=number)

    def prepare(self, more: str = "") -> None:
        """From now on the tab in front counts what it does, and runs ``more`` before each page."""
        self.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": self.script + more})

    def open(self, path: str = "/") -> str:
        """One more tab, in front and live."""
        self.browser.switch_to.new_window("tab")
        self.prepare()
        self.browser.get(self.office.url + path)
        wait_live(self.browser)
        return self.browser.current_window_handle

    def open_until(self, many: int) -> None:
        while len(self.browser.window_handles) < many:
            self.open("/" if len(self.browser.window_handles) % 2 else "/ligacoes")

    def each(self) -> Iterator[webdriver.Chrome]:
        """Bring each tab to the front, one after the other."""
        for handle in self.browser.window_handles:
            self.browser.switch_to.window(handle)
            yield self.browser

    def close_others(self) -> None:
        first, *others = self.browser.window_handles
        for handle in others:
            self.browser.switch_to.window(handle)
            self.browser.close()
        self.browser.switch_to.window(first)

    def one_stream(self) -> None:
        """Wait until there is but one: the gateway notices one that was closed at its next pulse."""
        until(lambda: self.streams() == 1, timeout_s=20)

    def streams(self) -> int:
        """How many streams of events the gateway has open."""
        with urllib.request.urlopen(f"{self.office.url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith("cti_screens_open"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("tabs")
    gateway = start_gateway(folder / "data")
    furnish(gateway, folder)
    yield gateway
    if gateway.process.poll() is None:
        gateway.stop()


@pytest.fixture(scope="module", params=["shared worker", "elected tab"])
def opened(
    request: pytest.FixtureRequest, office: LiveGateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tabs]:
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        tabs = Tabs(browser, office, WATCHED + (WITHOUT_WORKER if request.param == "elected tab" else ""))
        tabs.prepare()
        yield tabs


@pytest.fixture
def tabs(opened: Tabs) -> Iterator[Tabs]:
    """One tab, of Ana, who has just touched it and wants sound and notifications; afterwards the call is over."""
    opened.close_others()
    browser = opened.browser
    browser.get(opened.office.url)
    if text_of(browser, ".me .name") != "Ana Martins":
        log_in(browser, opened.office)
        browser.execute_script(WANTED)
        browser.get(opened.office.url)
    wait_live(browser)
    browser.find_element(By.TAG_NAME, "h2").click()
    yield opened
    opened.hang_up()


def test_twelve_tabs_work_with_one_stream_and_one_of_them_speaks(tabs: Tabs) -> None:
    tabs.open_until(TABS)
    tabs.one_stream()
    tabs.ring()
    for browser in tabs.each():
        assert "Metalúrgica Silva" in appears(browser, ".card.ringing")
    done = [browser.execute_script("return [window.chimes, window.notices]") for browser in tabs.each()]
    assert [notices for _, notices in done if notices] == [1]
    assert len([chimes for chimes, _ in done if chimes]) == 1
    for browser in list(tabs.each())[-2:]:  # pages open as fast as ever
        browser.get(f"{tabs.office.url}/ligacoes")
        wait_live(browser)


def test_a_card_dismissed_in_one_tab_is_dismissed_in_all_and_stays_away(tabs: Tabs) -> None:
    tabs.open_until(4)
    tabs.ring()
    for browser in tabs.each():
        appears(browser, ".card.ringing")
    tabs.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
    for browser in tabs.each():
        until(lambda browser=browser: count(browser, ".card") == 0)
    tabs.open("/ligacoes")
    assert count(tabs.browser, ".card") == 0
    tabs.ring(UNKNOWN)
    assert "Número desconhecido" in appears(tabs.browser, ".card.ringing")
    assert count(tabs.browser, ".card") == 1


def test_the_tab_that_spoke_may_close_at_any_moment(tabs: Tabs) -> None:
    """Also the one that was elected: the next one goes on behind the last event that was seen."""
    tabs.open_until(3)
    first = tabs.browser.window_handles[0]
    tabs.browser.switch_to.window(first)
    tabs.browser.close()
    tabs.ring()
    for browser in tabs.each():
        assert "Metalúrgica Silva" in appears(browser, ".card.ringing")
    tabs.one_stream()


def test_a_frozen_tab_holds_nobody_up_and_gets_what_it_missed(tabs: Tabs) -> None:
    first = tabs.browser.current_window_handle
    other = tabs.open()
    tabs.browser.switch_to.window(first)
    tabs.browser.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "frozen"})
    tabs.browser.switch_to.window(other)
    tabs.ring()
    assert "Metalúrgica Silva" in appears(tabs.browser, ".card.ringing")
    tabs.browser.switch_to.window(first)
    tabs.browser.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "active"})
    assert "Metalúrgica Silva" in appears(tabs.browser, ".card.ringing", timeout_s=20)
    tabs.one_stream()


def test_a_leader_that_falls_silent_is_replaced_and_steps_down_when_it_is_heard_again(tabs: Tabs) -> None:
    first = tabs.browser.current_window_handle
    other = tabs.open()
    tabs.browser.switch_to.window(first)
    tabs.browser.execute_script(
        "window.spoke = BroadcastChannel.prototype.postMessage; BroadcastChannel.prototype.postMessage = () => {}"
    )
    tabs.browser.switch_to.window(other)
    tabs.ring()
    assert "Metalúrgica Silva" in appears(tabs.browser, ".card.ringing", timeout_s=20)
    tabs.browser.switch_to.window(first)
    tabs.browser.execute_script("BroadcastChannel.prototype.postMessage = window.spoke")
    tabs.one_stream()
    tabs.ring(UNKNOWN)
    for browser in tabs.each():
        until(lambda browser=browser: count(browser, ".card.ringing") == 2)


def test_a_lone_tab_that_was_frozen_hears_of_calls_again_at_once(tabs: Tabs) -> None:
    for state in ("frozen", "active"):
        tabs.browser.execute_cdp_cmd("Page.setWebLifecycleState", {"state": state})
    tabs.ring()
    assert "Metalúrgica Silva" in appears(tabs.browser, ".card.ringing")


def test_one_who_logs_out_is_logged_out_in_every_tab(tabs: Tabs) -> None:
    tabs.open_until(3)
    tabs.browser.find_element(By.CSS_SELECTOR, "form[action='/logout'] button").click()
    for browser in tabs.each():
        until(lambda browser=browser: "/login" in browser.current_url)
    until(lambda: tabs.streams() == 0, timeout_s=20)


def test_after_another_agents_login_no_tab_shows_the_former_agents_calls(tabs: Tabs) -> None:
    tabs.open_until(3)
    log_in(tabs.browser, tabs.office, "bruno")
    for browser in tabs.each():
        until(lambda browser=browser: "Bruno Lima" in appears(browser, ".me .name"))
        wait_live(browser)
    tabs.ring(KNOWN, "3501")
    tabs.ring(UNKNOWN, "3502")
    for browser in tabs.each():
        assert "Número desconhecido" in appears(browser, ".card.ringing")
        assert count(browser, ".card") == 1
    tabs.one_stream()


def test_after_a_restart_every_tab_is_back_and_has_missed_nothing(tabs: Tabs) -> None:
    tabs.open_until(3)
    tabs.office.stop(signal.SIGTERM)
    for browser in tabs.each():
        until(lambda browser=browser: is_seen(browser, "#sem-conexao"))
        assert "sem conexão" in appears(browser, "#conexao")
    again = start_gateway(tabs.office.data, port=tabs.office.port)
    tabs.office.process = again.process
    tabs.ring()
    for browser in tabs.each():
        wait_live(browser, timeout_s=30)
        assert "Metalúrgica Silva" in appears(browser, ".card.ringing")
    tabs.one_stream()


def test_a_session_that_is_over_leads_every_tab_to_the_login(tabs: Tabs) -> None:
    """Nobody tells the tabs; the stream is refused when it comes back."""
    tabs.open_until(3)
    tabs.browser.delete_all_cookies()
    tabs.office.stop(signal.SIGTERM)
    tabs.office.process = start_gateway(tabs.office.data, port=tabs.office.port).process
    for browser in tabs.each():
        until(lambda browser=browser: "/login?next=" in browser.current_url, timeout_s=30)


def test_a_browser_that_lets_tabs_share_nothing_has_a_stream_for_each(tabs: Tabs) -> None:
    tabs.browser.switch_to.new_window("tab")
    tabs.prepare("delete window.SharedWorker; delete window.BroadcastChannel;")
    tabs.browser.get(tabs.office.url)
    wait_live(tabs.browser)
    until(lambda: tabs.streams() == 2, timeout_s=20)
    tabs.ring()
    assert "Metalúrgica Silva" in appears(tabs.browser, ".card.ringing")


def test_a_gateway_that_hangs_is_noticed_within_seconds(tabs: Tabs) -> None:
    """Its pulse comes every 5 s; a page that does not hear it says so, and what to do."""
    os.killpg(tabs.office.process.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    try:
        until(lambda: is_seen(tabs.browser, "#sem-conexao"), timeout_s=20)
        took = time.monotonic() - stopped
        assert connection(tabs.browser) == "lost"
        assert "avise o administrador" in text_of(tabs.browser, "#sem-conexao")
    finally:
        os.killpg(tabs.office.process.pid, signal.SIGCONT)
    assert took < 12  # 7 s, and what a busy machine adds
    wait_live(tabs.browser, timeout_s=30)
    assert not is_seen(tabs.browser, "#sem-conexao")
