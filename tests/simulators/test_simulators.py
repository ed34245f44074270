"""The simulated appliances, dialled by foreign clients and by our own adapters."""

import io
import re
import time
import wave
import xmlrpc.client
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import zeep
from pydantic import TypeAdapter

from gateway.adapter import Outcome, Outgoing, load
from gateway.simulators import SIMULATORS, SoapAppliance, UrlAppliance, XmlRpcAppliance, demo_settings
from gateway.simulators.appliance import KEPT

DIAL = Outgoing("dial", "o-1", {"extension": "2000", "number": "+55 47 9999-8888"})


@contextmanager
def running(cls, **settings):
    appliance = cls(**settings).start()
    try:
        yield appliance
    finally:
        appliance.stop()


def until(true, seconds: float = 5.0) -> bool:
    ends = time.monotonic() + seconds
    while not true() and time.monotonic() < ends:
        Event().wait(0.01)
    return bool(true())


def commands(appliance):
    return [(one.protocol, one.extension, one.number) for one in appliance.received]


def adapter_for(name: str, address: str):
    settings = demo_settings(name, address)
    cls = load(settings.pop("adapter"))
    return cls(TypeAdapter(cls.Config).validate_python(settings), name="simulada")


def test_zeep_dials_the_soap_one_by_its_wsdl():
    with running(SoapAppliance) as appliance, requests.Session() as session:
        client = zeep.Client(f"{appliance.address}/pabx?wsdl", transport=zeep.Transport(session=session))
        call_id = client.service.MakeCall("2000", "4732100123")
        assert commands(appliance) == [("soap", "2000", "4732100123")]
        assert appliance.received[0].call_id == call_id
        with pytest.raises(zeep.exceptions.Fault, match="is empty"):
            client.service.MakeCall("2000", "")
        assert len(appliance.received) == 1


def test_the_wsdl_gives_the_address_by_which_it_was_asked():
    with running(SoapAppliance) as appliance:
        wsdl = requests.get(f"{appliance.address}/pabx?wsdl", headers={"Host": "pabx.example:81"}, timeout=5)
        assert 'location="http://pabx.example:81/pabx"' in wsdl.text
        wsdl = requests.get(f"{appliance.address}/pabx?wsdl", headers={"Host": '"><x'}, timeout=5)
        assert 'location="http://127.0.0.1/pabx"' in wsdl.text


@pytest.mark.parametrize("body", [b"", b"<a/>", b"no xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_the_soap_one_answers_nonsense_with_a_fault(body):
    with running(SoapAppliance) as appliance:
        answer = requests.post(f"{appliance.address}/pabx", data=body, timeout=5)
        assert answer.status_code == 500
        assert "s:Client" in answer.text


def test_xmlrpc_client_dials_the_xml_rpc_one():
    with running(XmlRpcAppliance) as appliance:
        with xmlrpc.client.ServerProxy(f"{appliance.address}/RPC2") as server:
            answer = server.pbx.originate("2000", "4732100123")
            assert answer == {"status": "OK", "callid": appliance.received[0].call_id}
            for args, code in ((("2000", ""), 3), (("2000",), 2), ((2000, 1), 2)):
                with pytest.raises(xmlrpc.client.Fault) as caught:
                    server.pbx.originate(*args)
                assert caught.value.faultCode == code
            with pytest.raises(xmlrpc.client.Fault, match="unknown method"):
                server.system.shutdown()
        assert commands(appliance) == [("xmlrpc", "2000", "4732100123")]


@pytest.mark.parametrize("body", [b"", b"<a/>", b"no xml", b"<!DOCTYPE a><methodCall/>"])
def test_the_xml_rpc_one_answers_nonsense_with_a_fault(body):
    with running(XmlRpcAppliance) as appliance:
        answer = requests.post(f"{appliance.address}/RPC2", data=body, timeout=5)
        with pytest.raises(xmlrpc.client.Fault):
            xmlrpc.client.loads(answer.content)


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("from=2000&to=%2B55+47&key=demo", 200, r"OK [0-9a-f]{12}"),
        ("from=2000&to=47&key=wrong", 403, "ERROR wrong key"),
        ("from=2000&to=47", 403, "ERROR wrong key"),
        ("from=2000&key=demo", 200, "ERROR missing to"),
        ("key=demo", 200, "ERROR missing from and to"),
    ],
)
def test_a_url_dials_the_url_one(query, status, text):
    with running(UrlAppliance) as appliance:
        answer = requests.get(f"{appliance.address}/originate?{query}", timeout=5)
        assert answer.status_code == status
        assert re.fullmatch(text, answer.text)
        assert commands(appliance) == ([("url", "2000", "+55 47")] if answer.text.startswith("OK") else [])


@pytest.mark.parametrize("name", SIMULATORS)
def test_our_adapter_dials_its_simulator_and_previews_the_same(name):
    with running(SIMULATORS[name]) as appliance, closing(adapter_for(name, appliance.address)) as adapter:
        assert adapter.probe().ok
        preview = adapter.preview(DIAL)
        assert appliance.received == []
        delivery = adapter.deliver(DIAL)
        (received,) = appliance.received
        assert delivery.outcome is Outcome.ACCEPTED
        assert delivery.peer_ref == received.call_id
        assert (received.extension, received.number) == ("2000", "+55 47 9999-8888")
        first = preview[0].shown().replace("\r\n", "\n").rstrip("\n")
        assert received.raw.rstrip("\n") == first
        empty = Outgoing("dial", "o-2", {"extension": "2000", "number": ""})
        assert adapter.deliver(empty).outcome is Outcome.REFUSED


def test_a_wrong_key_is_told_as_a_refusal():
    with running(UrlAppliance) as appliance:
        settings = {**demo_settings("url", appliance.address), "secrets": {"key": "wrong"}}
        cls = load(settings.pop("adapter"))
        with closing(cls(TypeAdapter(cls.Config).validate_python(settings), name="simulada")) as adapter:
            delivery = adapter.deliver(DIAL)
    assert delivery.outcome is Outcome.REFUSED


def test_the_page_shows_commands_masked_and_escaped():
    with running(UrlAppliance) as appliance:
        query = {"from": "2000", "to": "<script>1</script>", "key": "demo"}
        requests.get(f"{appliance.address}/originate", params=query, auth=("u", "s3nha"), timeout=5)
        page = requests.get(appliance.address, timeout=5)
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "&lt;script&gt;1&lt;/script&gt;" in page.text
        assert "<script>" not in page.text
        assert "key=****" in page.text
        assert "Authorization: ****" in page.text
        assert 'http-equiv="refresh" content="2"' in page.text
        assert "$" not in page.text


@pytest.mark.parametrize(
    ("wish", "title", "count"),
    [
        ({}, "Simulação: Central URL", "0 comando recebido"),
        ({"Accept-Language": "es"}, "Simulación: Central URL", "0 órdenes recibidas"),
        ({"Accept-Language": "en"}, "Simulation: URL exchange", "0 orders received"),
    ],
)
def test_the_page_is_in_the_browser_s_language(wish, title, count):
    with running(UrlAppliance) as appliance:
        page = requests.get(appliance.address, headers=wish, timeout=5).text
    assert f"<title>{title}</title>" in page
    assert f"· {count}</p>" in page


def test_the_list_keeps_the_last_commands_and_tells_of_each():
    told = []
    with running(UrlAppliance, on_received=told.append) as appliance, requests.Session() as session:
        for index in range(KEPT + 5):
            session.get(f"{appliance.address}/originate?from=1&to={index}&key=demo", timeout=5)
        assert [one.number for one in appliance.received] == [str(index) for index in range(5, KEPT + 5)]
        assert len(told) == KEPT + 5


def test_a_recording_is_a_short_wav():
    with running(SoapAppliance) as appliance:
        answer = requests.get(f"{appliance.address}/gravacoes/abc.wav", timeout=5)
        assert answer.headers["Content-Type"] == "audio/wav"
        with wave.open(io.BytesIO(answer.content)) as sound:
            assert 1 <= sound.getnframes() / sound.getframerate() <= 2
        assert requests.get(f"{appliance.address}/gravacoes/..%2fx.wav", timeout=5).status_code == 404
        head = requests.head(f"{appliance.address}/gravacoes/abc.wav", timeout=5)
        assert (head.headers["Content-Length"], head.content) == (str(len(answer.content)), b"")


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=100-199", 206, slice(100, 200)),
        ("bytes=-50", 206, slice(-50, None)),
        ("bytes=24000-99999999", 206, slice(24000, None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=9-3", 416, slice(0, 0)),
        ("bytes=-", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_a_browser_may_seek_in_a_recording(wanted, status, part):
    with running(SoapAppliance) as appliance:
        url = f"{appliance.address}/gravacoes/abc.wav"
        whole = requests.get(url, timeout=5).content
        answer = requests.get(url, headers={"Range": wanted}, timeout=5)
    assert answer.status_code == status
    assert answer.content == whole[part]
    if status == 206:
        start, end, _ = part.indices(len(whole))
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(whole)}"


@contextmanager
def listening(status: int = 200):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", SIMULATORS)
def test_a_dialled_call_is_reported_as_an_exchange_reports_it(name):
    with (
        listening() as (gateway, seen),
        running(SIMULATORS[name], events_to=gateway, start_after_s=0.05, end_after_s=0.1) as appliance,
        closing(adapter_for(name, appliance.address)) as adapter,
    ):
        adapter.deliver(DIAL)
        assert until(lambda: len(seen) == 2)
        recording = f"{appliance.address}/gravacoes/{appliance.received[0].call_id}.wav"
    start, end = sorted(map(urlsplit, seen), key=lambda url: len(url.query))
    call = {"ramal": ["+55 47 9999-8888"], "telefone": ["2000"]}
    assert start.path == "/wconnect/WConnect_WSDL_ConsultaRamal.php"
    assert parse_qs(start.query) == call
    assert end.path == "/wconnect/WConnect_WSDL_FinalizaLigacao.php"
    assert parse_qs(end.query) == {**call, "url_audio": [recording]}
    assert "+" not in start.query
    assert "://" not in end.query


def test_a_gateway_that_is_away_or_says_no_is_only_logged(caplog):
    for events_to, said in (("http://127.0.0.1:1", "not delivered"), (None, "answered 503")):
        with listening(503) as (gateway, _):
            times = {"start_after_s": 0.0, "end_after_s": 0.0}
            with running(UrlAppliance, events_to=events_to or gateway, **times) as appliance:
                url = f"{appliance.address}/originate?from=1&to=2&key=demo"
                assert requests.get(url, timeout=5).text.startswith("OK")
                assert until(lambda said=said: caplog.text.count(said) == 2), caplog.text


def test_stopping_ends_what_was_still_to_come():
    with listening() as (gateway, seen):
        with running(UrlAppliance, events_to=gateway, start_after_s=60, end_after_s=60) as appliance:
            address = appliance.address
            with requests.Session() as session:
                session.get(f"{address}/originate?from=1&to=2&key=demo", timeout=5)
                started = time.monotonic()
                appliance.stop()
                assert time.monotonic() - started < 3
        with pytest.raises(requests.ConnectionError):
            requests.get(address, timeout=5)
        assert seen == []


def test_events_go_only_to_a_web_address():
    with pytest.raises(ValueError, match="http"):
        UrlAppliance(events_to="file:///etc")


def test_a_body_beyond_the_limit_is_not_read():
    with running(SoapAppliance) as appliance:
        headers = {"Content-Length": "99999999"}
        answer = requests.post(f"{appliance.address}/pabx", headers=headers, timeout=5)
        assert answer.status_code == 413
