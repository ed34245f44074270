"""What the kernel answers about connections, as bytes; tests/live/test_connections.py asks a real one."""

import socket
import struct

import pytest

from gateway.server import socket_tables
from gateway.server.socket_tables import DONE, ERROR, SOCK_DIAG_BY_FAMILY, Seen, connections_to, is_last, told

LOCAL, REMOTE = bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2])


def message(
    *, family: int = socket.AF_INET, address: bytes = REMOTE, port: int = 0xC001, unsent: int = 0, inode: int = 7
) -> bytes:
    """Return an inet_diag_msg as sock_diag(7) has it, with an attribute behind it."""
    head = struct.pack("=BBBB", family, 1, 0, 0) + struct.pack(">HH", 0x1F90, port)
    body = head + LOCAL.ljust(16, b"\0") + address.ljust(16, b"\0") + struct.pack("=I8x", 0)
    body += struct.pack("=IIIII", 0, 0, unsent, 1000, inode) + struct.pack("=HHB3x", 5, 8, 0)
    return struct.pack("=IHHII", 16 + len(body), SOCK_DIAG_BY_FAMILY, 2, 0, 1) + body


def control(kind: int, error: int = 0) -> bytes:
    return struct.pack("=IHHIIi", 20, kind, 2, 0, 1, error)


def test_an_answer_tells_of_the_far_end_and_of_what_it_has_not_taken() -> None:
    answer = message(unsent=300) + message(port=0xC002, inode=8)
    assert list(told(answer)) == [(7, 300, REMOTE, b"\xc0\x01"), (8, 0, REMOTE, b"\xc0\x02")]
    assert not is_last(answer)


def test_addresses_of_version_6_are_told_whole() -> None:
    address = socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    assert [each[2] for each in told(message(family=socket.AF_INET6, address=address))] == [address]


def test_what_waits_to_be_accepted_is_nobodys() -> None:
    assert list(told(message(inode=0))) == []


def test_the_last_answer_may_hold_connections_too() -> None:
    answer = message() + control(DONE)
    assert len(list(told(answer))) == 1
    assert is_last(answer)


def test_an_error_of_the_kernel_is_raised() -> None:
    with pytest.raises(FileNotFoundError):
        is_last(control(ERROR, -2))


@pytest.mark.parametrize("cut", [0, 10, 16, 50, 87])
def test_an_answer_that_is_cut_off_tells_of_nothing(cut: int) -> None:
    assert list(told(message()[:cut])) == []


def test_where_the_kernel_is_not_to_be_asked_its_tables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_port: int) -> list[Seen]:
        raise PermissionError

    monkeypatch.setattr(socket_tables, "asked", refuse)
    assert list(connections_to(1)) == []
