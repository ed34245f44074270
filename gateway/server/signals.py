"""What a worker does at signals, beside what Granian and asyncio do."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import wait

Handlers = Mapping[int, Callable[[], None]]


def watch(handlers: Handlers) -> None:
    """Call what belongs to a signal on a thread, then let the event loop have it, too.

    Called on the main thread when the loop's own handlers are set: Python tells of signals by one file, which the
    loop has already, so the bytes are passed on. Signals that only we know are handled and not passed on.
    """
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    for number in handlers:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.SIG_IGN):
            signal.signal(number, lambda _number, _frame: None)
    loops = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_pass_on, args=(reader, loops, handlers), name="signal-watch", daemon=True)
    thread.writer = writer  # type: ignore[attr-defined]  # keeps the socket open as long as the thread
    thread.start()


def _pass_on(reader: socket.socket, loops: int, handlers: Handlers) -> None:
    while True:
        wait([reader])
        for number in reader.recv(64):
            if handler := handlers.get(number):
                handler()
            if loops >= 0:
                with suppress(OSError):  # the loop has ended, or has enough to read
                    os.write(loops, bytes([number]))
