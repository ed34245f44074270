"""What a producer is handed, and how whoever runs it is told that it may go on."""

from typing import Any

from gateway.store.writing.tickets import Bell, Ticket, ring


class LookingWait:
    """Looks at the ticket as soon as its producer may go on, as another thread does that is woken so."""

    leads = False

    def __init__(self) -> None:
        self.seen: list[bool] = []

    def until_settled(self, ticket: Ticket[Any, Any], timeout_s: float) -> bool:
        return ticket.is_settled

    def settled(self, ticket: Ticket[Any, Any]) -> Bell | None:
        self.seen.append(ticket.is_settled and ticket.result(0) == "written")
        return None


def test_the_outcome_is_there_before_its_producer_may_go_on() -> None:
    wait = LookingWait()
    Ticket[str, str]("job", wait=wait).settle("written")
    assert wait.seen == [True]


def test_a_bell_is_rung_once_for_all_tickets_that_have_it() -> None:
    rung: list[str] = []

    class Loop:
        def __init__(self, name: str) -> None:
            self.name = name

        def ring(self) -> None:
            rung.append(self.name)

    one, other = Loop("one"), Loop("other")
    ring([one.ring, None, other.ring, one.ring, one.ring])
    assert sorted(rung) == ["one", "other"]
