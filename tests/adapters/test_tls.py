"""Appliances that speak only old TLS are reached when, and only when, their settings say so."""

import hashlib
import re
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.http.client import HttpRequest
from adapters.http.client import Peer as Appliance
from adapters.http.outcomes import Failed
from adapters.http.settings import HttpConfig
from gateway.adapter import Outcome
from tests.adapters.bad_peers import answer, serving

PEM = Path(__file__).with_name("localhost.pem")
CONFIG = TypeAdapter(HttpConfig)
SHOWN = ssl.PEM_cert_to_DER_cert(re.search("-----BEGIN CERT.+?END CERT[^-]+-----", PEM.read_text(), re.DOTALL)[0])
PINNED = f"sha256:{hashlib.sha256(SHOWN).hexdigest()}"
OLD = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1}
SPOKEN = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2"}


def server(version: str, ciphers: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    """A context that speaks this version only, as an old appliance does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    context.minimum_version = context.maximum_version = OLD.get(version, ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(ciphers)
    return context


def need_old_tls(version: str) -> None:
    """Some builds of OpenSSL cannot speak TLS 1.0 and 1.1 whatever they are told."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.minimum_version = OLD[version]
    client.set_ciphers("ALL:@SECLEVEL=0")
    here, there = socket.socketpair()
    accepting = threading.Thread(target=_accept, args=(server(version), there))
    accepting.start()
    try:
        client.wrap_socket(here).close()
    except OSError as error:
        pytest.skip(f"{ssl.OPENSSL_VERSION} does not speak TLS {version}: {error}")
    finally:
        here.close()
        accepting.join(5)


def _accept(context: ssl.SSLContext, raw: socket.socket) -> None:
    try:
        context.wrap_socket(raw, server_side=True).close()
    except OSError:
        raw.close()


@contextmanager
def appliance_speaking(version: str, ciphers: str = "ALL:@SECLEVEL=0"):
    """A live peer, and the versions that were spoken with it."""
    spoken: list[str | None] = []

    def wrap(raw: socket.socket) -> ssl.SSLSocket:
        wrapped = server(version, ciphers).wrap_socket(raw, server_side=True)
        spoken.append(wrapped.version())
        return wrapped

    with serving(answer("200 OK", b"OK"), wrap) as peer:
        yield f"https://localhost:{peer.port}/dial", spoken


def speaking(**settings) -> Appliance:
    config = CONFIG.validate_python({"tls_verify": str(PEM), "timeout_s": 5, **settings})
    return Appliance(config, name="pabx")


def body(url: str, **settings) -> bytes:
    with closing(speaking(**settings)) as peer:
        return peer.exchange(HttpRequest("GET", url)).body


@pytest.mark.parametrize("verify", [str(PEM), False], ids=["certificate checked", "certificate not checked"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_old_tls_is_spoken_when_the_settings_say_so(version, verify):
    need_old_tls(version)
    with appliance_speaking(version) as (url, spoken):
        assert body(url, tls_minimum=version, tls_verify=verify) == b"OK"
        assert spoken == [SPOKEN[version]]
        with closing(speaking(tls_minimum="1.0", tls_verify=verify)) as peer:
            assert peer.touch(url).ok


@pytest.mark.parametrize(("version", "settings"), [("1.0", {}), ("1.1", {}), ("1.0", {"tls_minimum": "1.1"})])
def test_old_tls_is_not_spoken_otherwise_and_the_reason_names_the_setting(version, settings):
    need_old_tls(version)
    with appliance_speaking(version) as (url, spoken), pytest.raises(Failed) as caught:
        body(url, **settings)
    assert spoken == []
    assert caught.value.outcome is Outcome.UNREACHABLE
    assert "tls_minimum" in str(caught.value.reason)


def test_an_appliance_with_todays_tls_is_spoken_to_in_todays_tls_whatever_the_minimum_is():
    with appliance_speaking("1.2") as (url, spoken):
        assert body(url, tls_minimum="1.0") == b"OK"
        assert spoken == ["TLSv1.2"]


def test_a_cipher_that_is_refused_today_is_spoken_when_the_settings_say_so():
    """Today's settings leave ciphers without GCM or ChaCha out; old exchanges may offer nothing better."""
    with appliance_speaking("1.2", "ECDHE-ECDSA-AES256-CCM:@SECLEVEL=0") as (url, _):
        with pytest.raises(Failed, match="tls_ciphers"):
            body(url)
        assert body(url, tls_ciphers="ECDHE-ECDSA-AES256-CCM") == b"OK"


def test_a_certificate_is_checked_with_old_tls_too():
    with appliance_speaking("1.2") as (url, spoken), pytest.raises(Failed, match="certificate"):
        body(url, tls_minimum="1.0", tls_verify=True)
    with appliance_speaking("1.2") as (url, spoken), pytest.raises(Failed, match="certificate"):
        body(url.replace("localhost", "127.0.0.1"), tls_minimum="1.0")
    assert spoken == []


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"tls_minimum": "0.9"}, "tls_minimum"), ({"tls_ciphers": "ROT13"}, "OpenSSL knows none of tls_ciphers")],
)
def test_tls_settings_that_mean_nothing_are_refused_at_once(settings, why):
    with pytest.raises(ValidationError, match=why):
        CONFIG.validate_python(settings)


def test_a_self_signed_certificate_is_pinned_and_no_other_is_taken_for_it():
    with appliance_speaking("1.2") as (url, spoken):
        other = url.replace("localhost", "127.0.0.1")  # not the name in the certificate: the pin says whose it is
        assert body(other, tls_verify=True, tls_pin=PINNED) == b"OK"
        with pytest.raises(Failed, match="not the one that tls_pin names") as caught:
            body(url, tls_verify=True, tls_pin="sha256:" + "0" * 64)
        assert caught.value.outcome is Outcome.UNREACHABLE
    assert len(spoken) <= 2


def test_a_pinned_appliance_may_speak_old_tls():
    need_old_tls("1.0")
    with appliance_speaking("1.0") as (url, _):
        assert body(url, tls_verify=True, tls_pin=PINNED, tls_minimum="1.0") == b"OK"
        with closing(speaking(tls_verify=True, tls_minimum="1.0")) as peer:
            assert f'tls_pin = "{PINNED}"' in peer.touch(url).detail


@pytest.mark.parametrize("settings", [{}, {"tls_pin": "sha256:" + "ab" * 32}])
def test_the_probe_of_a_certificate_that_is_not_trusted_says_what_to_pin(settings):
    with appliance_speaking("1.2") as (url, _), closing(speaking(tls_verify=True, **settings)) as peer:
        found = peer.look(HttpRequest("GET", url))
    assert not found.ok
    assert f'tls_pin = "{PINNED}"' in found.detail


def test_the_probe_names_a_certificate_that_nobody_checks():
    with appliance_speaking("1.2") as (url, _), closing(speaking(tls_verify=False)) as peer:
        found = peer.look(HttpRequest("GET", url))
    assert found.ok
    assert "não é conferido (tls_verify = false)" in found.detail


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"tls_pin": "ab" * 32}, "sha256: and 64 hex digits"),
        ({"tls_pin": "sha256:" + "ab" * 31}, "sha256: and 64 hex digits"),
        ({"tls_pin": PINNED, "tls_verify": False}, "exclude each other"),
    ],
)
def test_a_pin_that_cannot_be_one_is_refused_at_once(settings, why):
    with pytest.raises(ValidationError, match=why):
        CONFIG.validate_python(settings)


def test_the_default_is_todays_tls():
    assert CONFIG.validate_python({}).tls_context() is None
