"""The events that an exchange reports of its calls, sent to the gateway's listeners after the dial."""

import logging
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from http.client import HTTPException
from threading import Condition, Thread
from time import monotonic
from urllib.parse import quote, urlencode, urlsplit

from gateway.texts.text import Text

log = logging.getLogger(__name__)

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
END = "/wconnect/WConnect_WSDL_FinalizaLigacao.php"
MAX_WAITING = 1000
"""Events that may wait for their time; more are dropped with a line in the log."""
TIMEOUT_S = 5.0


class EventSender:
    """Sends GET events to the gateway at ``address``. What goes wrong is logged, never raised."""

    def __init__(self, address: str) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise ValueError(Text("events go to an http:// or https:// address, not to {address!r}", address=address))
        self._address = address.rstrip("/")
        self._waiting: list[tuple[float, str]] = []
        self._changed = Condition()
        self._closed = False
        # An exchange of the office network is not reached through the environment's proxy.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._senders = ThreadPoolExecutor(4, thread_name_prefix="simulated-events")
        self._clock = Thread(target=self._run, daemon=True)
        self._clock.start()

    def call(self, extension: str, number: str, audio: str, *, delays_s: tuple[float, float]) -> None:
        """Report one call made: the outside number is the destination, the extension the origin."""
        ends = {"ramal": number, "telefone": extension}
        self._later(delays_s[0], START, ends)
        self._later(delays_s[1], END, {**ends, "url_audio": audio})

    def close(self) -> None:
        """Forget what still waits and end the threads."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        self._clock.join()
        self._senders.shutdown(cancel_futures=True)

    def _later(self, delay_s: float, path: str, fields: dict[str, str]) -> None:
        url = f"{self._address}{path}?{urlencode(fields, safe='', quote_via=quote)}"
        with self._changed:
            if self._closed or len(self._waiting) >= MAX_WAITING:
                log.warning("a simulated event was dropped: %s", url)
                return
            heappush(self._waiting, (monotonic() + delay_s, url))
            self._changed.notify()

    def _run(self) -> None:
        while url := self._next():
            self._senders.submit(self._send, url)

    def _next(self) -> str:
        """Return the next event when its time has come; nothing when closed."""
        with self._changed:
            while not self._closed:
                left_s = self._waiting[0][0] - monotonic() if self._waiting else None
                if left_s is not None and left_s <= 0:
                    return heappop(self._waiting)[1]
                self._changed.wait(left_s)
        return ""

    def _send(self, url: str) -> None:
        try:
            with self._opener.open(url, timeout=TIMEOUT_S) as answer:
                answer.read(4096)
        except urllib.error.HTTPError as error:
            error.close()
            log.warning("the gateway answered %s to %s", error.code, url)
        except (OSError, HTTPException, ValueError) as error:
            log.warning("the event %s was not delivered: %s", url, error)
