"""An order, and what the exchange then tells of it, are one call, whatever the dial plan puts in front."""

from contextlib import nullcontext

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.messages import CallEnded, CallStarted, PlaceCall
from gateway.domain.tenant import Appliance, Tenant
from gateway.handlers import Core
from gateway.store.directory import Account
from gateway.store.writing.drafts import OrderDraft, Recorded
from tests.store.conftest import HERE, PLAN, T0, Store


class Accepting:
    """An appliance that says yes, and remembers what it dialled."""

    def __init__(self) -> None:
        self.dialled = ""

    def admitted(self, draft: OrderDraft) -> nullcontext[None]:
        return nullcontext()

    def dial(self, order: Recorded, draft: OrderDraft) -> Delivery:
        self.dialled = draft.digits
        return Delivery(Outcome.ACCEPTED, "")

    def hang_up(self, tenant: str, call_id: int) -> Delivery:
        raise NotImplementedError


@pytest.mark.parametrize("prefix", ["9", "8", "*9", "0", "021"])
@pytest.mark.parametrize("number", ["4732100123", "47999998888", "40041234", "4932100123", "1934567890"])
def test_order_start_and_end_are_one_call_of_the_account(store: Store, prefix: str, number: str) -> None:
    store.directory.load_accounts("acme", [Account("7", "Padaria", ((number, "Ana"),))], T0)
    dialler = Accepting()
    tenant = Tenant("acme", PLAN, (Appliance("pbx", "PABX", DialPlan(prefix)),))
    core = Core({"acme": tenant}, store.journal, dialler)

    core.handle(PlaceCall("acme", "3501", number, HERE, T0))
    core.handle(CallStarted("acme", dialler.dialled, "3501", HERE, T0 + 2000))
    core.handle(CallEnded("acme", dialler.dialled, "3501", HERE, T0 + 62_000))

    (call,) = store.calls.recent("acme")
    assert (dialler.dialled, call.number, call.status, call.account) == (prefix + number, number, "ended", "Padaria")


@pytest.mark.parametrize("ends", [("94932100123", "3501"), ("3501", "94932100123")])
def test_a_dialled_form_that_is_a_number_of_its_own_is_the_order_s_where_there_is_one(
    store: Store, ends: tuple[str, str]
) -> None:
    tenant = Tenant("acme", PLAN, (Appliance("pbx", "PABX", DialPlan("9")),))
    core = Core({"acme": tenant}, store.journal, Accepting())
    core.handle(CallStarted("acme", *ends, HERE, T0))
    core.handle(CallEnded("acme", *ends, HERE, T0 + 1000))
    core.handle(PlaceCall("acme", "3501", "4932100123", HERE, T0 + 100_000))
    core.handle(CallStarted("acme", *ends, HERE, T0 + 101_000))
    core.handle(CallEnded("acme", *ends, HERE, T0 + 161_000))
    core.handle(CallEnded("acme", *ends, HERE, T0 + 162_000))
    calls = [(call.number, call.status, call.duration_s) for call in store.calls.recent("acme")]
    assert calls == [("4932100123", "ended", 60), ("94932100123", "ended", 1)]
