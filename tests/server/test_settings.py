"""Every limit in the configuration reaches the part that keeps it."""

import socket

import pytest

from gateway.config.tables import Config, ServerSettings
from gateway.errors import TooManyRequests
from gateway.server.admission import EXEMPT, Admission
from gateway.server.bodies import BodyLimits
from gateway.server.notices import notify_serving
from gateway.server.processes import Workers
from gateway.server.rsgi import RequestLimits
from gateway.server.worker import client_of, limits_of


def test_limits_of_a_request_are_those_configured() -> None:
    config = Config(server=ServerSettings(call_threads=10, max_body_bytes=2048, body_timeout_s=4))
    assert limits_of(config) == RequestLimits(10, 5, BodyLimits(2048, 4, 4))
    assert limits_of(Config()).body == BodyLimits(1_048_576, 30, 10)


def test_granian_gets_the_limits_of_connections_and_heads() -> None:
    with socket.socket() as listening:
        workers = Workers([listening], workers=2, connections=77, head_timeout_s=2.5, drain_s=1)
    assert (workers.backpressure, workers.workers, workers.http1_settings.header_read_timeout) == (77, 2, 2500)
    # By "auto" a connection that sends nothing has no time limit.
    assert workers.http == "1"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ((), "203.0.113.7", "10.0.0.1"),
        (("10.0.0.1",), "203.0.113.7", "203.0.113.7"),
        (("10.0.0.2",), "203.0.113.7", "10.0.0.1"),
        (("10.0.0.1",), "", EXEMPT),
        (("10.0.0.1",), "?", EXEMPT),
    ],
)
def test_a_request_counts_for_its_peer_or_for_whom_a_trusted_proxy_names(
    trusted: tuple[str, ...], forwarded: str, client: str
) -> None:
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded, "HTTP_HOST": "a"}
    assert client_of(trusted)(environ) == client
    assert "cti.client" not in environ


def test_a_proxy_that_names_no_client_does_not_lock_itself_out() -> None:
    admission = Admission(client_of(("10.0.0.1",)), per_address=1)
    for _ in range(3):
        admission.enter({"REMOTE_ADDR": "10.0.0.1"})
    admission.enter({"REMOTE_ADDR": "10.0.0.2"})
    with pytest.raises(TooManyRequests):
        admission.enter({"REMOTE_ADDR": "10.0.0.2"})


def test_systemd_is_told_of_the_main_process(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(address)
        told.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify_serving()
        assert told.recv(200).startswith(b"READY=1\nMAINPID=")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    notify_serving()
