"""What each message does, decided without any wire or database."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.config.loader import parse
from gateway.domain.calls.states import Event
from gateway.domain.dialplan.forms import patterns
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
    HangUp,
    Origin,
    PlaceCall,
    QueueEntered,
    QueueLeft,
)
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.domain.tenant import Appliance, Tenant
from gateway.errors import (
    NoAppliance,
    NotDiallable,
    NumberBlocked,
    StoreUnavailable,
    TooManyOrders,
    UnknownAppliance,
    UnknownTenant,
)
from gateway.handlers import Core, DeadlineWriter
from gateway.server.companies import tenants
from gateway.store.writing.drafts import OrderDraft, Recorded
from gateway.texts.text import verbatim

HERE = Origin("get", "127.0.0.1")
PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
PBX = Appliance("pbx", "PABX", DialPlan("0", blocked=patterns(["0900*"])))
CLOUD = Appliance("cloud", "Nuvem", DialPlan("021"), Extensions.parse(["3550-3599"]))


@dataclass
class Memory:
    """A journal and a dialler in one, that remember."""

    drafts: list = field(default_factory=list)
    outcome: Outcome = Outcome.ACCEPTED
    full: bool = False

    def write(self, draft) -> Recorded:
        self.drafts.append(draft)
        return Recorded(len(self.drafts), len(self.drafts), 7 if isinstance(draft, OrderDraft) else None)

    @contextmanager
    def admitted(self, draft: OrderDraft):
        if self.full:
            raise TooManyOrders(draft.appliance, 32)
        yield

    def dial(self, order: Recorded, draft: OrderDraft) -> Delivery:
        return Delivery(self.outcome, "sentença")

    def hang_up(self, tenant: str, call_id: int) -> Delivery:
        self.drafts.append((tenant, call_id))
        return Delivery(self.outcome, "desligada")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def core(memory: Memory) -> Core:
    tenant = Tenant("acme", PLAN, (PBX, CLOUD), None, {"call_started": ("crm",)})
    return Core({"acme": tenant, "bare": Tenant("bare", PLAN)}, memory, memory)


def order(number: str, extension: str = "3501", tenant: str = "acme", appliance: str | None = None) -> PlaceCall:
    return PlaceCall(tenant, extension, number, HERE, 0, appliance)


def test_a_start_is_written_with_its_direction_and_with_whom_to_tell(core: Core, memory: Memory) -> None:
    reply = core.handle(CallStarted("acme", "3501", "+55 47 99999-8888", HERE, 5))
    (draft,) = memory.drafts
    assert (reply.ok, reply.call_id) == (True, 1)
    assert (draft.event.direction, draft.event.extension) == (Direction.INCOMING, "3501")
    assert (draft.event.number, draft.forwards) == ("47999998888", ("crm",))


@pytest.mark.parametrize(
    ("ramal", "extension"), [("3501&channel=Local/1@x", "3501&channel=Local/1@x"), ("3501.0", "3501"), ("3501", "3501")]
)
def test_an_event_s_extension_is_never_put_together_from_digits_here_and_there(
    core: Core, memory: Memory, ramal: str, extension: str
) -> None:
    core.handle(CallStarted("acme", ramal, "4732100123", HERE, 5))
    assert memory.drafts[0].event.extension == extension


def test_what_the_dial_plan_put_in_front_is_taken_off_when_the_exchange_tells_of_it(core: Core, memory: Memory) -> None:
    core.handle(CallStarted("acme", "02147999998888", "3501", HERE, 5))
    assert memory.drafts[0].event.number == "47999998888"


def test_an_answer_is_written_with_who_took_it_and_told_to_nobody_who_did_not_ask(core: Core, memory: Memory) -> None:
    reply = core.handle(CallAnswered("acme", "3501", "+55 47 99999-8888", HERE, 5, call_ref="a"))
    (draft,) = memory.drafts
    assert (reply.ok, reply.call_id) == (True, 1)
    assert (draft.event.event, draft.event.extension, draft.event.number) == (Event.ANSWER, "3501", "47999998888")
    assert (draft.event.call_ref, draft.forwards) == ("a", ())


@pytest.mark.parametrize(("to", "inside"), [("3502", True), ("+55 47 99999-8888", False)])
def test_a_transfer_is_written_with_where_the_call_goes_on(core: Core, memory: Memory, to: str, inside: bool) -> None:
    reply = core.handle(CallTransferred("acme", "3501", "4732100123", to, HERE, 5))
    (draft,) = memory.drafts
    assert (reply.ok, draft.event.event, draft.forwards) == (True, Event.TRANSFER, ())
    assert (draft.event.to, draft.event.stays_inside) == ("3502" if inside else "47999998888", inside)


NEW: list[tuple[type, Event, dict[str, Any]]] = [
    (CallHeld, Event.HOLD, {}),
    (CallResumed, Event.RESUME, {}),
    (QueueEntered, Event.QUEUE, {"queue": "Vendas"}),
    (QueueLeft, Event.LEAVE_QUEUE, {"waited_s": 9}),
    (QueueLeft, Event.ABANDON, {"waited_s": 9, "abandoned": True}),
    (CallNoted, Event.NOTE, {"cost": "0,32", "transcript": "Bom dia"}),
]


@pytest.mark.parametrize(("kind", "event", "more"), NEW, ids=[each.value for _, each, _ in NEW])
def test_each_message_is_written_as_its_event_and_told_to_nobody_who_did_not_ask(
    core: Core, memory: Memory, kind: type, event: Event, more: dict[str, Any]
) -> None:
    reply = core.handle(kind("acme", "3501", "4732100123", HERE, 5, call_ref="a", fields={"cpf": "1"}, **more))
    (draft,) = memory.drafts
    assert (reply.ok, reply.call_id, draft.event.event, draft.forwards) == (True, 1, event, ())
    assert (draft.event.call_ref, draft.event.fields, draft.event.waited_s) == ("a", {"cpf": "1"}, more.get("waited_s"))
    assert draft.event.extension == ("" if "queue" in event.value else "3501")
    assert (draft.event.cost, draft.event.transcript) == (more.get("cost"), more.get("transcript"))


def test_an_agent_s_state_is_written_and_told_to_who_asked(core: Core, memory: Memory) -> None:
    tenant = replace(core.tenants["acme"], forwards={"agent_state_changed": ("crm",)})
    heard = AgentStateChanged("acme", " 3501 ", "Ana", AgentState.PAUSE, HERE, 5, reason="almoço")
    assert replace(core, tenants={"acme": tenant}).handle(heard).ok
    (draft,) = memory.drafts
    assert (draft.message, draft.extension, draft.forwards) == (heard, "3501", ("crm",))


@pytest.mark.parametrize("sent", ["551133330000", "+55 11 3333-0000", "1133330000", "(11) 3333.0000"])
def test_a_line_has_its_name_in_whatever_form_its_number_is_sent(core: Core, memory: Memory, sent: str) -> None:
    path = tenants(parse({"tenants": {"acme": {"lines": {"551133330000": "Vendas", "fila-1": "Suporte"}}}}, source="x"))
    named = replace(core, tenants=path)
    for line in (sent, "fila-1", "4733334444"):
        named.handle(CallStarted("acme", "3501", "4732100123", HERE, 5, line=line))
    assert [draft.event.line_name for draft in memory.drafts] == ["Vendas", "Suporte", None]


def test_an_end_is_told_to_nobody_who_did_not_ask(core: Core, memory: Memory) -> None:
    core.handle(CallEnded("acme", "3501", "4732100123", HERE, 5, recording_url="http://x/1.wav"))
    assert memory.drafts[0].forwards == ()


def test_what_the_exchange_says_of_the_direction_counts_where_both_readings_are_possible(
    core: Core, memory: Memory
) -> None:
    core.handle(CallStarted("acme", "3501", "4732100123", HERE, 5, direction=Direction.OUTGOING))
    assert memory.drafts[0].event.direction is Direction.OUTGOING


@pytest.mark.parametrize(
    ("extension", "number", "appliance", "dialled_by", "digits"),
    [
        ("3501", "47999998888", None, "pbx", "047999998888"),
        ("3501", "047999998888", None, "pbx", "047999998888"),
        ("3501", "3502", None, "pbx", "3502"),
        ("3560", "47999998888", None, "cloud", "02147999998888"),
        ("3501", "47999998888", "cloud", "cloud", "02147999998888"),
    ],
)
def test_an_order_goes_to_the_extension_s_appliance_with_its_dial_plan(
    core: Core, memory: Memory, extension: str, number: str, appliance: str | None, dialled_by: str, digits: str
) -> None:
    core.handle(order(number, extension, appliance=appliance))
    assert (memory.drafts[0].appliance, memory.drafts[0].digits) == (dialled_by, digits)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_reply_to_an_order_says_how_it_ended(core: Core, memory: Memory, outcome: Outcome) -> None:
    memory.outcome = outcome
    reply = core.handle(order("47999998888"))
    assert (reply.ok, reply.outcome, reply.message) == (outcome is Outcome.ACCEPTED, outcome, verbatim("sentença"))


@pytest.mark.parametrize(
    ("message", "error", "said"),
    [
        (order("47999998888", tenant="bare"), NoAppliance, r"\[tenants.bare.appliances"),
        (order("47999998888", appliance="pbz"), UnknownAppliance, "Centrais: pbx, cloud"),
        (order("anonymous"), NotDiallable, "não há o que discar em 'anonymous'"),
        (order("0900 123 4567"), NumberBlocked, r"não permite ligar para '09001234567' \(dial_plan.blocked 0900\*\)"),
        (order("47999998888", tenant="nobody"), UnknownTenant, "'nobody'"),
        (order("9" * 64), NotDiallable, "ele tem 64 dígitos, e nenhum telefone tem tantos"),
        (order("19190"), NotDiallable, "põe na frente seria 019190, o serviço público 190"),
        (order("4,79999E+10"), NotDiallable, "não há o que discar"),
        (order("47999998888", "3501&channel=Local/1@x"), NotDiallable, "ele não é um ramal"),
        (order("47999998888", "3501;1"), NotDiallable, "ele não é um ramal"),
        (order("47999998888", "3501|3502"), NotDiallable, "ele não é um ramal"),
        (order("47999998888", "9" * 64), NotDiallable, "ele não é um ramal"),
        (order("47999998888", "anonymous"), NotDiallable, "ele não é um ramal"),
    ],
)
def test_an_order_that_cannot_be_placed_says_why_and_writes_nothing(
    core: Core, memory: Memory, message: PlaceCall, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        core.handle(message)
    assert memory.drafts == []


def test_an_order_that_may_not_wait_is_not_even_written_down(core: Core, memory: Memory) -> None:
    memory.full = True
    with pytest.raises(TooManyOrders, match="Nada foi discado"):
        core.handle(order("47999998888"))
    assert memory.drafts == []


def test_an_order_knows_its_fallback_with_the_digits_of_that_one_s_dial_plan(memory: Memory) -> None:
    appliances = (replace(PBX, fallback="cloud"), CLOUD)
    Core({"acme": Tenant("acme", PLAN, appliances)}, memory, memory).handle(order("47999998888"))
    assert [(way.appliance, way.digits) for way in memory.drafts[0].ways] == [
        ("pbx", "047999998888"),
        ("cloud", "02147999998888"),
    ]


def test_a_call_that_was_placed_from_here_is_ended_by_whoever_placed_it(core: Core, memory: Memory) -> None:
    reply = core.handle(HangUp("acme", 17, HERE, "ana"))
    assert (reply.ok, reply.message, reply.call_id) == (True, verbatim("desligada"), 17)
    assert memory.drafts == [("acme", 17)]


def test_all_messages_of_one_request_share_its_time() -> None:
    """What is asked of the journal shrinks from message to message; when it is over, nothing is begun any more."""
    asked: list[float | None] = []
    now = 100.0

    class Slow:
        def write(self, draft, *, within_s=None) -> Recorded:
            nonlocal now
            asked.append(within_s)
            now += 2
            return Recorded(1, 1, None)

    writer = DeadlineWriter(Slow(), 3, clock=lambda: now)
    writer.write(None)
    writer.write(None)
    with pytest.raises(StoreUnavailable):
        writer.write(None)
    assert asked == [3, 1]


def test_handlers_with_little_time_hand_it_on() -> None:
    asked: list[float | None] = []

    class Journal(Memory):
        def write(self, draft, *, within_s=None) -> Recorded:
            asked.append(within_s)
            return super().write(draft)

    journal = Journal()
    core = Core({"acme": Tenant("acme", PLAN)}, journal, journal)
    message = CallStarted("acme", "3501", "4732100123", HERE, 0)
    core.handle(message)
    core.within(2).handle(message)
    assert asked[0] is None
    assert 0 < asked[1] <= 2
