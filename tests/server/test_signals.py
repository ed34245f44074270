"""Signals of a worker: what belongs to one is done, whatever has become of the loop."""

import os
import signal
import socket
import threading
from queue import SimpleQueue

from gateway.server.signals import _pass_on


def test_signals_are_heeded_when_the_loop_listens_no_more() -> None:
    reader, writer = socket.socketpair()
    gone, other = os.pipe()
    os.close(gone)
    os.close(other)
    heard: SimpleQueue[int] = SimpleQueue()
    handlers = {signal.SIGTERM: lambda: heard.put(1), signal.SIGHUP: lambda: heard.put(2)}
    threading.Thread(target=_pass_on, args=(reader, other, handlers), daemon=True).start()
    writer.send(bytes([signal.SIGTERM]))
    assert heard.get(timeout=60) == 1
    writer.send(bytes([signal.SIGHUP]))
    assert heard.get(timeout=60) == 2
