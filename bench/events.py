"""Call events at a steady pace from several exchanges, and how long each took until it was answered as stored."""

import http.client
import threading
import time

PATH = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal={}&telefone={}"
EXCHANGES = 10


class Events:
    """So many a second in all, from ten exchanges that each send one after the other, until stopped.

    An event that its exchange could not send in time is timed from when it was due: waiting behind a slow one counts.
    """

    def __init__(self, port: int, rate: float) -> None:
        self._port = port
        self._pause_s = EXCHANGES / rate if rate else 0.0
        self._going = True
        self._threads = [threading.Thread(target=self._send_all, args=(i,), daemon=True) for i in range(EXCHANGES)]
        self.took_ms: list[float] = []
        self.errors = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._going = False
        for thread in self._threads:
            if thread.is_alive():
                thread.join(60)

    def _send_all(self, exchange: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        due = time.perf_counter() + exchange / EXCHANGES * self._pause_s
        while self._going:
            time.sleep(max(0.0, due - time.perf_counter()))
            self._send(connection, exchange)
            self.took_ms.append((time.perf_counter() - due) * 1000)
            due += self._pause_s
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, exchange: int) -> None:
        try:
            connection.request("GET", PATH.format(3500 + exchange, 4732000000 + len(self.took_ms)))
            answer = connection.getresponse()
            self.errors += not answer.read().startswith(b"OK")
        except OSError:
            self.errors += 1
            connection.close()
