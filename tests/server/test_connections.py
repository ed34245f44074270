"""Connections are counted as the kernel shows them, and told of before they are used up."""

from collections import Counter

from structlog.testing import capture_logs

from gateway.server.connections import Connections, address_of, peers_of_port

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = (
    "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0 20 4 30 10 -1\n"
)


def line(local: str, remote: str, *, state: str = "01", inode: str = "7") -> str:
    return LINE.format(local=local, remote=remote, state=state, inode=inode)


def test_only_established_connections_of_this_process_to_the_port_count() -> None:
    table = HEAD + "".join(
        [
            line("0100007F:1F90", "0200007F:C001"),
            line("0100007F:1F90", "00000000:0000", state="0A"),
            line("0100007F:1F91", "0200007F:C002"),
            line("0100007F:1F90", "0300007F:C003", inode="8"),
        ]
    )
    assert [address_of(peer) for peer in peers_of_port([table], 0x1F90, {"7"})] == ["127.0.0.2"]


def test_addresses_are_read_as_the_kernel_writes_them() -> None:
    assert address_of("0100007F") == "127.0.0.1"
    assert address_of("00000000000000000000000001000000") == "::1"
    assert address_of("0000000000000000FFFF00000200007F") == "127.0.0.2"


def test_the_log_warns_before_connections_are_used_up_but_not_each_second() -> None:
    counts = Counter({"192.0.2.7": 79})
    connections = Connections(8080, 100, count=lambda _port: counts)
    with capture_logs() as logs:
        connections.look(now=0)
        counts["192.0.2.8"] += 1
        for second in range(9):
            connections.look(now=second)
        connections.look(now=12)
    assert [entry["event"] for entry in logs] == ["connections_nearly_used_up"] * 2
    assert (logs[0]["open"], logs[0]["limit"], logs[0]["most"]["192.0.2.7"]) == (80, 100, 79)
    assert connections.open == 80
    assert connections.is_crowded()
