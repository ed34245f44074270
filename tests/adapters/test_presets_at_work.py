"""Presets against the simulated appliances, which were recorded from real ones or follow their documentation.

They share no code with the presets, so an order that they take is evidence.
"""

from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from adapters.preset_settings import config_class_of
from gateway.adapter import Outcome, Outgoing, config_class, load
from gateway.simulators import FAMILIES
from tests.simulators.peers import running, told

ORDER = {"extension": "3501", "number": "4732100123", "order_id": "17", "call_id": "18", "tenant": "acme"}
ASTERISK = {"login": "gateway", "secret": "secret", "context": "outbound"}
LOCAL = {"channel_rule": "Local/{{ extension }}@phones"}
CISCO = {"username": "app", "password": "secret"}
CISCO |= {"origins": {"3501": {"user": "ana", "device": "SEP001122334455", "line": "3501"}}}
PRESETS = {
    "asterisk-ami": ("asterisk-ami", ASTERISK | LOCAL),
    "asterisk-ami-login": ("asterisk-ami", ASTERISK | LOCAL),
    "freepbx": ("asterisk-ami", ASTERISK),
    "issabel": ("asterisk-ami", ASTERISK),
    "asterisk-ari": (
        "asterisk-ari",
        {"username": "ariuser", "password": "aripass", "context": "outbound"} | LOCAL,
    ),
    "freeswitch-txtapi": ("freeswitch", {"password": "works", "context": "outbound"}),
    "freeswitch-xmlrpc": ("freeswitch", {"password": "works", "context": "outbound"}),
    "kamailio": ("kamailio", {"domain": "127.0.0.1"}),
    "cisco-webdialer": ("cisco-webdialer", CISCO),
    "cisco-webdialer-15su5": ("cisco-webdialer-15su5", CISCO),
    "innovaphone": (
        "innovaphone",
        {"username": "admin", "password": "secret", "user": "_TAPI_", "origins": {"3501": "3501"}},
    ),
}


@contextmanager
def at_work(name, settings=None, **behaviour):
    """A simulated appliance, and the preset that talks to it."""
    family, own = PRESETS[name]
    with running(FAMILIES[family], **behaviour) as appliance:
        table = {"preset": name, "timeout_s": 5, **place(name, appliance.address), **own, **(settings or {})}
        config = TypeAdapter(config_class("preset", table)).validate_python(table)
        with closing(load("preset")(plain_http(config), name="pabx")) as adapter:
            yield appliance, adapter


def place(name, address):
    host, _, port = address.removeprefix("http://").partition(":")
    return {"host": f"{host}:{port}"} if name == "innovaphone" else {"host": host, "port": int(port)}


def plain_http(config):
    """Without TLS, which simulated appliances do not speak."""
    chosen = config.chosen
    made = config_class_of(chosen.model_copy(update={"address": chosen.address.replace("https://", "http://")}))
    return made(**{name: getattr(config, name) for name in config.__dataclass_fields__})


def order(**fields):
    return Outgoing("dial", "17", ORDER | fields)


@pytest.mark.parametrize("name", PRESETS)
def test_the_appliance_takes_the_order(name):
    with at_work(name) as (appliance, adapter):
        delivery = adapter.deliver(order())
        assert (delivery.outcome, told(appliance)) == (Outcome.ACCEPTED, [("3501", "4732100123")]), delivery.detail


@pytest.mark.parametrize("name", PRESETS)
def test_a_probe_is_content_and_rings_nobody(name):
    with at_work(name) as (appliance, adapter):
        probe = adapter.probe()
        assert (probe.ok, told(appliance)) == (True, []), probe.detail


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "kamailio"])
def test_a_wrong_login_is_refused_and_said_so(name):
    with at_work(name, fail="auth") as (appliance, adapter):
        delivery = adapter.deliver(order())
        assert (delivery.outcome, told(appliance)) == (Outcome.REFUSED, []), delivery.detail


@pytest.mark.parametrize("name", PRESETS)
def test_an_order_whose_answer_is_lost_is_unknown_and_not_given_again(name):
    with at_work(name, drop=True) as (appliance, adapter):
        delivery = adapter.deliver(order())
        assert delivery.outcome is Outcome.UNKNOWN, delivery.detail
        assert len(told(appliance)) == (name != "innovaphone"), "innovaphone calls when its session is polled"


@pytest.mark.parametrize(
    ("name", "fail", "settings", "says"),
    [
        ("asterisk-ami", "busy", {"wait": True}, "Originate failed"),
        ("asterisk-ami", "privilege", {}, "Permission denied"),
        ("asterisk-ami-login", "privilege", {}, "Permission denied"),
        ("asterisk-ami", "absent", {}, "Extension does not exist"),
        ("asterisk-ari", "no-technology", {}, "Allocation failed"),
        ("asterisk-ari", "privilege", {}, "Write access denied"),
        ("freeswitch-txtapi", "busy", {}, "USER_BUSY"),
        ("freeswitch-xmlrpc", "busy", {}, "USER_BUSY"),
        ("freeswitch-txtapi", "unregistered", {}, "MANDATORY_IE_MISSING"),
        ("freeswitch-txtapi", "privilege", {}, ""),
        ("freeswitch-xmlrpc", "privilege", {}, "UNAUTHORIZED"),
        ("kamailio", "forbidden", {}, ""),
        ("cisco-webdialer", "no-device", {}, ""),
        ("cisco-webdialer-15su5", "overload", {}, ""),
        ("innovaphone", "session", {}, "login"),
        ("innovaphone", "no-user", {}, "preparo"),
        ("innovaphone", "refused", {}, ""),
    ],
)
def test_a_refusal_of_the_appliance_s_own_kind_is_one(name, fail, settings, says):
    with at_work(name, settings, fail=fail) as (_, adapter):
        delivery = adapter.deliver(order())
        assert delivery.outcome is Outcome.REFUSED, delivery.detail
        assert says in delivery.detail


@pytest.mark.parametrize(
    "name", ["asterisk-ami", "asterisk-ami-login", "asterisk-ari", "freeswitch-txtapi", "freeswitch-xmlrpc"]
)
def test_the_call_is_hung_up_by_its_id(name):
    with at_work(name) as (_, adapter):
        ref = adapter.deliver(order()).peer_ref
        assert ref == "gw-acme-17"
        hangup = Outgoing("hangup", "17", ORDER | {"peer_ref": ref})
        assert adapter.hangup(hangup).outcome is Outcome.ACCEPTED
        assert (
            adapter.hangup(replace(hangup, fields=hangup.fields | {"peer_ref": "gw-acme-1"})).outcome is Outcome.REFUSED
        )
