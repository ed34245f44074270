"""What a mapping can say, each on a small request."""

import itertools
import json
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from gateway.config.validation import sentences
from gateway.domain.messages import Direction
from gateway.mapping import engine
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.budget import Budget
from gateway.mapping.engine import interpret
from gateway.mapping.facts import MappingSource
from gateway.mapping.paths import path_of
from gateway.mapping.schema import WebhookMapping

SOURCE = MappingSource(ZoneInfo("America/Sao_Paulo"), {"Ana": "201", "w1": "202"})
START = {"other": "started"}


def made_of(mapping, body, *, source=SOURCE, **request):
    raw = json.dumps(body).encode() if isinstance(body, dict | list) else body
    return interpret(WebhookMapping.model_validate(mapping), WebhookRequest(raw, **request), source)


def event_of(mapping, body, **request):
    (event,) = made_of(mapping, body, **request).events
    return event


def value(written, body, *, name="queue", **request):
    return getattr(event_of({**START, "values": {"id": {"value": "1"}, name: written}}, body, **request), name)


@pytest.mark.parametrize(
    ("written", "body", "wanted"),
    [
        ("data.queue.name", {"data": {"queue": {"name": "Vendas"}}}, "Vendas"),
        ("data.queue", {"data.queue": "Vendas"}, "Vendas"),
        ("calls.1.q", {"calls": [{"q": "a"}, {"q": "b"}]}, "b"),
        ("calls.-1.q", {"calls": [{"q": "a"}, {"q": "b"}, {"q": "c"}]}, "c"),
        ("calls.q", {"calls": [{"q": "a"}, {"q": "b"}]}, "a"),
        ("members.*.inbound.q", {"members": [{"extension": {"q": "x"}}, {"inbound": {"q": "b"}}]}, "b"),
        ("p[side=b].q", {"p": [{"side": "a", "q": "x"}, {"side": "b", "q": "y"}]}, "y"),
        ("user[].q", {"user": [{"q": "a"}]}, "a"),
        (["a", "b", "c"], {"a": "", "b": None, "c": 7}, "7"),
        ({"path": "q", "match": r"Q-(\w+)"}, {"q": "x Q-vendas y"}, "vendas"),
        ({"path": "q", "match": r"\d+"}, {"q": "queue 12"}, "12"),
        ({"path": "q", "match": r"\d+"}, {"q": "queue"}, None),
        ({"path": "q", "table": {"1": "Vendas", "sup*": "Suporte"}}, {"q": 1}, "Vendas"),
        ({"path": "q", "table": {"1": "Vendas", "sup*": "Suporte"}}, {"q": "SUP-7"}, "Suporte"),
        ({"path": "q", "table": {"1": "Vendas"}}, {"q": "2"}, "2"),
        ({"path": "q", "table": {"1": "Vendas"}, "other": "Geral"}, {"q": "2"}, "Geral"),
        ({"path": "q", "default": "Geral"}, {"q": None}, "Geral"),
        ({"template": "{a}-{b.c}"}, {"a": "x", "b": {"c": 3}}, "x-3"),
        ({"template": "{a}-{b.c}"}, {"a": "x"}, None),
        ({"value": "fixed"}, {}, "fixed"),
        ([{"path": "q", "match": "z+"}, {"path": "q", "match": "y+"}], {"q": "xyy"}, "yy"),
        ({"path": "q", "when": {"equals": {"t": "queue"}}}, {"q": "7", "t": "Queue"}, "7"),
        ({"path": "q", "when": {"equals": {"t": "queue"}}}, {"q": "7", "t": "user"}, None),
        ("q", {"q": True}, "true"),
        ("q", {"q": 12.0}, "12"),
        ("q", {"q": {"a": 1}}, None),
        ("q", {"q": "[Queue]"}, None),
        ("q", {"q": "a\x00b\ud800"}, "a\ufffdb\ufffd"),
        ("q", {"q": "a\nb"}, "a\nb"),
        ("q", {"q": "${queue}"}, None),
        ("q", {"q": "null"}, None),
    ],
)  # fmt: skip
def test_a_value_is_found_and_shaped(written, body, wanted):
    assert value(written, body) == wanted


def test_values_may_stand_in_the_address_and_the_headers():
    request = {"query": "q=7", "headers": {"x-queue": "8"}, "tail": "vendas/2", "method": "PUT"}
    assert value("@query.q", {}, **request) == "7"
    assert value("@header.X-Queue", {}, **request) == "8"
    assert value({"path": "@tail", "match": "^[^/]+"}, {}, **request) == "vendas"
    assert value("@method", {}, **request) == "PUT"


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", ".a", "a[b", "@nowhere.x", "a]b"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match=r"is no path|is no beginning of a path"):
        path_of(path)


# which event it is

NAMED = {"event": "type", "kinds": {"call.ring": "started", "call.*": "noted", "dtmf": "ignore"}}


@pytest.mark.parametrize(
    ("mapping", "body", "kinds"),
    [
        (NAMED, {"type": "Call.Ring"}, ["started"]),
        (NAMED, {"type": "call.recorded"}, ["noted"]),
        (NAMED, {"type": "dtmf"}, []),
        ({"event": {"template": "{t}/{state}"}, "kinds": {"30011/RING": "started", "30011/BYE": "ended"}},
         {"t": 30011, "state": "BYE"}, ["ended"]),
        ({"events": [{"when": {"present": "ended", "absent": ["answered"]}, "kind": "ended"},
                     {"when": {"matches": {"state": "^up"}}, "kind": "answered"},
                     {"when": {"differs": {"state": ["down", "off"]}}, "kind": "started"}]},
         {"state": "upwards"}, ["answered"]),
        ({"events": [{"when": {"present": "ended"}, "kind": "ended"},
                     {"when": {"absent": "ended"}, "kind": "started"}]},
         {"state": "ring"}, ["started"]),
        ({"events": [{"name": ["cdr", "report"], "kind": ["started", "ended"]}], "event": "type"},
         {"type": "REPORT"}, ["started", "ended"]),
        ({"event": "@key", "kinds": {"call-was-created": "started"}}, {"call-was-created": {"id": 1}}, ["started"]),
    ],
)  # fmt: skip
def test_an_event_is_told_by_its_name_its_states_or_its_shape(mapping, body, kinds):
    made = made_of({**mapping, "values": {"id": {"value": "1"}}}, body)
    assert ([event.kind for event in made.events], made.problems) == (kinds, ())
    assert made.ignored == (not kinds)


def test_an_event_is_told_by_the_tail_of_the_address():
    mapping = {"event": "@tail", "kinds": {"events/call": "started", "events/summary": "ended"}, "values": {"id": "id"}}
    assert event_of(mapping, {"id": 1}, tail="/events/summary").kind == "ended"


def test_what_a_mapping_does_not_know_is_told():
    made = made_of({**NAMED, "values": {"id": "id"}}, {"type": "fax", "id": 1})
    assert (made.events, [str(each) for each in made.problems]) == ((), ["the mapping does not know the event 'fax'"])
    made = made_of({**NAMED, "values": {"id": "id"}}, {"id": 1})
    assert [str(each) for each in made.problems] == ["no event's name stands where the mapping looks for it"]


def test_each_element_is_an_event_that_sees_what_is_above_it():
    mapping = {
        "for_each": "body.parties",
        "event": "status.code",
        "kinds": {"Proceeding": "started", "Answered": "answered"},
        "values": {"id": "@root.body.session", "extension": "ext", "event_id": "@root.uuid", "sequence": "@index"},
    }
    body = {
        "uuid": "u1",
        "body": {"session": "s-1", "parties": [
            {"ext": "201", "status": {"code": "Proceeding"}}, {"ext": "202", "status": {"code": "Answered"}},
        ]},
    }  # fmt: skip
    made = made_of(mapping, body)
    assert [(each.kind, each.id, each.extension, each.event_id, each.sequence) for each in made.events] == [
        ("started", "s-1", "201", "u1#0", 0),
        ("answered", "s-1", "202", "u1#1", 1),
    ]


def test_a_body_that_is_a_list_is_as_many_events():
    made = made_of({**NAMED, "values": {"id": "id"}}, [{"type": "call.ring", "id": 1}, {"type": "call.saved", "id": 2}])
    assert [(each.kind, each.id) for each in made.events] == [("started", "1"), ("noted", "2")]


def test_no_more_than_fifty_events_are_read_of_one_request():
    made = made_of({**START, "values": {"id": "id"}}, [{"id": number} for number in range(60)])
    assert len(made.events) == 50
    assert [str(each) for each in made.notes] == ["only the first 50 events are read"]


def test_a_moment_of_zero_is_none():
    made = made_of(
        {**START, "values": {"id": "id", "at": "a", "answered_at": "b"}}, {"id": 1, "a": 0, "b": "0000-00-00"}
    )
    assert ([event.shown() for event in made.events], made.notes) == ([{"kind": "started", "id": "1"}], ())


def test_only_one_rule_may_go_through_a_list():
    mapping = {
        "event": "type",
        "kinds": {"ping": "ignore"},
        "events": [{"name": "states", "for_each": "members", "kind": "started", "values": {"extension": "number"}}],
        "values": {"id": "@root.call_id"},
    }
    made = made_of(mapping, {"type": "states", "call_id": "7", "members": [{"number": 201}, {"number": 202}]})
    assert [(each.id, each.extension) for each in made.events] == [("7", "201"), ("7", "202")]
    assert made_of(mapping, {"type": "ping"}).ignored == 1


def test_a_list_that_is_not_there_is_told():
    made = made_of({**START, "for_each": "calls", "values": {"id": "id"}}, {"id": 1})
    assert [str(each) for each in made.problems] == ["nothing stands at calls, where each event should be"]


def test_values_of_one_event_may_stand_elsewhere():
    mapping = {
        "event": "type",
        "events": [{"name": "report", "kind": "ended", "values": {"number": "caller"}}],
        "kinds": {"ring": "started"},
        "values": {"id": "id", "number": "from"},
    }
    assert event_of(mapping, {"type": "ring", "id": 1, "from": "4733334444"}).number == "4733334444"
    assert event_of(mapping, {"type": "report", "id": 1, "caller": "4733335555"}).number == "4733335555"


# times


def test_each_event_of_a_final_report_happened_at_its_own_time():
    mapping = {
        "events": [{"when": {"present": "id"}, "kind": ["started", "answered", "ended"]}],
        "values": {
            "id": "id", "started_at": "begin", "answered_at": {"path": "answer", "unit": "ms"}, "ended_at": "end",
            "duration": "talk",
        },
    }  # fmt: skip
    body = {
        "id": 7,
        "begin": "2026-03-05 10:03:22",
        "answer": 1772715812000,
        "end": "2026-03-05T13:06:15Z",
        "talk": 163,
    }
    made = made_of(mapping, body)
    assert [(each.kind, each.shown()["at"]) for each in made.events] == [
        ("started", "2026-03-05T13:03:22Z"),
        ("answered", "2026-03-05T13:03:32Z"),
        ("ended", "2026-03-05T13:06:15Z"),
    ]
    assert [each.kind for each in made_of(mapping, body | {"answer": None}).events] == ["started", "ended"]


def test_a_zone_may_be_the_value_s_the_mapping_s_or_the_source_s():
    local = {"at": "2026-03-05 10:00:00"}
    values = {"id": {"value": "1"}, "at": "at"}
    assert event_of({**START, "values": values}, local).shown()["at"] == "2026-03-05T13:00:00Z"
    lisbon = {**START, "values": values, "timezone": "Europe/Lisbon"}
    assert event_of(lisbon, local).shown()["at"] == "2026-03-05T10:00:00Z"
    own = {**lisbon, "values": {**values, "at": {"path": "at", "timezone": "Asia/Tokyo"}}}
    assert event_of(own, local).shown()["at"] == "2026-03-05T01:00:00Z"


def test_a_value_that_cannot_be_read_is_left_out_and_told():
    values = {"id": {"value": "1"}, "at": "at", "duration": "d", "direction": "way", "sequence": "n", "attended": "a"}
    made = made_of({**START, "values": values}, {"at": "soon", "d": "long", "way": "up", "n": "x", "a": "perhaps"})
    (event,) = made.events
    assert event.shown() == {"kind": "started", "id": "1"}
    assert [str(each) for each in made.notes] == [
        "direction: 'up' is none of incoming, outgoing, internal",
        "sequence: 'x' is no whole number",
        "at: 'soon' is no time",
        "attended: 'perhaps' is neither true nor false",
        "duration: 'long' is no length of time",
    ]


# sides

SIDES = {"direction": "way", "origin": "from", "destination": "to", "extension": "ext"}


@pytest.mark.parametrize(
    ("body", "extension", "number", "line"),
    [
        ({"way": "in", "from": "4733334444", "to": "201"}, "201", "4733334444", None),
        ({"way": "inbound", "from": "4733334444", "to": "4730000000", "ext": "Ana"}, "201", "4733334444", "4730000000"),
        ({"way": "in", "from": "4733334444", "to": "201", "ext": "201"}, "201", "4733334444", None),
        ({"way": "OUT", "from": "201", "to": "4733334444"}, "201", "4733334444", None),
        ({"way": "outbound", "from": "4730000000", "to": "4733334444", "ext": "w1"}, "202", "4733334444", None),
        ({"way": "internal", "from": "201", "to": "202"}, "202", "201", None),
        ({"from": "4733334444", "to": "201"}, "201", "4733334444", None),
        ({"from": "201", "to": "4733334444", "ext": "201"}, "201", "4733334444", None),
        ({"way": "in", "from": "4733334444", "to": "sip:ana@pbx"}, "sip:ana@pbx", "4733334444", None),
        ({"way": "in", "from": "47999998888", "to": "4730", "ext": "PJSIP/201-0000"}, "201", "47999998888", "4730"),
        ({"way": "in", "from": "47999998888", "to": "4730", "ext": "Ext.201"}, "201", "47999998888", "4730"),
        ({"way": "in", "from": "47999998888", "to": "4730", "ext": "sip:w1@pbx"}, "202", "47999998888", "4730"),
    ],
)  # fmt: skip
def test_our_side_is_told_by_direction(body, extension, number, line):
    event = event_of({**START, "values": SIDES}, body)
    assert (event.extension, event.number, event.line) == (extension, number, line)


def test_a_value_may_be_another_by_direction():
    values = {"direction": "way", "extension": {"incoming": "called", "outgoing": "caller"}, "number": {"value": "1"}}
    body = {"caller": "201", "called": "202"}
    assert event_of({**START, "values": values}, body | {"way": "out"}).extension == "201"
    assert event_of({**START, "values": values}, body | {"way": "internal"}).extension == "202"
    assert event_of({**START, "values": values}, body).direction is None


def test_several_may_ring():
    values = {"id": "id", "rang": "user", "number": "from"}
    event = event_of({**START, "values": values}, b"id=7&from=4733334444&user[]=Ana&user[]=w1&user[]=203")
    assert (event.rang, event.extension) == (("201", "202", "203"), "201")


def test_who_an_agent_is_says_at_which_extension():
    mapping = {"other": "agent_state", "values": {"agent": "who", "state": "state"}}
    event = event_of(mapping, {"who": "Ana", "state": "pause"})
    assert (event.agent, event.extension) == ("Ana", "201")
    event = event_of(mapping, {"who": "Bia", "state": "pause"})
    assert (event.agent, event.extension) == ("Bia", None)


def test_a_default_stands_in_for_a_whole_list_and_joins_none():
    values = {"id": "id", "rang": {"path": "users", "default": "299"}}
    assert event_of({**START, "values": values}, {"id": 1, "users": ["201", "202"]}).rang == ("201", "202")
    assert event_of({**START, "values": values}, {"id": 1, "users": []}).rang == ("299",)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({"present": "a"}, True), ({"present": ["a", "z"]}, False),
        ({"absent": "z"}, True), ({"absent": ["z", "a"]}, False),
        ({"equals": {"a": "x"}}, True), ({"equals": {"a": ["y", "X"]}}, True), ({"equals": {"z": "x"}}, False),
        ({"differs": {"a": "y"}}, True), ({"differs": {"a": ["y", "x"]}}, False), ({"differs": {"z": "x"}}, True),
        ({"matches": {"a": "^x"}}, True), ({"matches": {"a": "^y"}}, False), ({"matches": {"z": "^x"}}, False),
        ({"equals": {"n": 17}}, True), ({"equals": {"t": True}}, True), ({"present": "a", "absent": "n"}, False),
    ],
)  # fmt: skip
def test_a_condition_holds_when_all_of_it_does(when, holds):
    mapping = {"events": [{"when": when, "kind": "ended"}], "other": "ignore", "values": {"id": {"value": "1"}}}
    assert bool(made_of(mapping, {"a": "x", "n": 17, "t": True}).events) is holds


def test_a_plus_that_was_left_out_can_be_put_back():
    assert value({"path": "n", "e164": True}, {"n": "4922112345678"}, name="caller_name") == "+4922112345678"
    assert value({"path": "n", "e164": True}, {"n": "anonymous"}, name="caller_name") == "anonymous"


# what an event needs


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("ended", {"number": {"value": "1"}}, "ended: neither the call's id nor number and extension were found"),
        ("transferred", {"id": {"value": "1"}}, "transferred: where the call goes on (to) was not found"),
        ("agent_state", {"agent": {"value": "a"}},
         "agent_state: the state '' is none of login, logout, pause, ready"),
        ("agent_state", {"state": {"value": "ready"}}, "agent_state: whose it is (agent or extension) was not found"),
    ],
)  # fmt: skip
def test_an_event_that_lacks_what_makes_it_one_is_told(kind, values, problem):
    made = made_of({"other": kind, "values": values}, {})
    assert (made.events, [str(each) for each in made.problems]) == ((), [problem])


def test_free_fields_are_kept_by_their_names():
    mapping = {**START, "values": {"id": "id"}, "fields": {"cpf": "customer.cpf", "protocolo": "p"}}
    event = event_of(mapping, {"id": 1, "customer": {"cpf": "123.456.789-09"}})
    assert event.fields == {"cpf": "123.456.789-09"}
    assert event.taken["fields.cpf"].place == "customer.cpf"


def test_where_each_value_came_from_is_remembered():
    mapping = {**START, "values": {"id": ["sid", "id"], "queue": {"value": "Vendas"}, "direction": "way"}}
    event = event_of(mapping, {"id": 7, "way": "in"})
    assert event.direction is Direction.INCOMING
    assert {name: (taken.text, taken.place) for name, taken in event.taken.items()} == {
        "id": ("7", "id"),
        "queue": ("Vendas", "value"),
        "direction": ("in", "way"),
    }


def test_a_pattern_that_takes_long_ends():
    written = {"path": "q", "match": "(a+)+$"}
    made = made_of({**START, "values": {"id": {"value": "1"}, "queue": written}}, {"q": "a" * 4000 + "b"})
    assert made.events == ()
    assert "takes too long" in str(made.problems[0])


def test_a_request_that_was_held_up_once_is_read_all_the_same(monkeypatch):
    """As by Python's own clearing up of memory, which takes longer than any request."""
    jumps = itertools.count(0.0, 99.0)
    budgets = iter([Budget(lambda: next(jumps)), Budget()])
    monkeypatch.setattr(engine, "Budget", lambda: next(budgets))
    assert event_of({**START, "values": {"id": "id"}}, {"id": 1}).id == "1"
    assert next(budgets, None) is None


# mistakes in a mapping


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"values": {}}, "says of no request what it is: give kinds, events or other"),
        ({"kinds": {"a": "started"}}, "kinds needs event: where the event's name is"),
        ({**START, "values": {"nunber": "a"}}, "values.nunber: unknown key. Did you mean 'number'?"),
        ({**START, "valeus": {}}, "valeus: unknown key. Did you mean 'values'?"),
        ({"event": "e", "kinds": {"a": "begun"}}, "kinds.a: came 'begun'; input should be 'started', 'answered'"),
        ({**START, "values": {"id": {"path": "a..b"}}}, "values.id.path.0: came 'a..b'; 'a..b' is no path"),
        ({**START, "values": {"id": {"path": "a", "mach": "b"}}}, "values.id.mach: unknown key. Did you mean 'match'?"),
        ({**START, "values": {"id": {"path": "a", "match": "(b"}}}, "values.id.match: came '(b'; '(b' is no pattern"),
        ({**START, "values": {"id": {"path": "a", "match": "(b)(c)"}}}, "has more than one group"),
        ({**START, "values": {"id": {"path": "a", "template": "{b}"}}}, "needs one of path, template, value, first"),
        ({**START, "values": {"id": {"match": "b"}}}, "needs one of path, template, value, first"),
        ({**START, "values": {"id": {"template": "b"}}}, "has no {path} in it"),
        ({**START, "values": {"id": {"path": "a", "other": "b"}}}, "other belongs to a table"),
        ({**START, "timezone": "Brasilia"}, "timezone: came 'Brasilia'; expected a time zone name"),
        ({"events": [{"kind": "started"}]}, "events.0: needs name, when, or both"),
        ({"events": [{"kind": "started", "when": {}}]}, "needs at least one of present, absent, equals"),
        ({**START, "tests": [{"name": "a", "events": [{"kind": "started", "nunber": "1"}]}]}, "Did you mean 'number'?"),
        ({**START, "tests": [{"name": "a", "events": [{"number": "1"}]}]}, "an event needs its kind"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_nearest_name(mapping, told):
    with pytest.raises(ValidationError) as wrong:
        WebhookMapping.model_validate(mapping)
    assert told in "\n".join(map(str, sentences(wrong.value, "gateway.toml", WebhookMapping)))
