"""One address waits for its own calls only, and nothing that waits is forgotten."""

from gateway.server.turns import CallTurns, Job


def test_calls_beyond_an_address_s_share_wait_and_those_of_others_go_first() -> None:
    ran: list[str] = []

    def job(name: str) -> Job:
        return lambda: ran.append(name)

    turns = CallTurns(2, lambda each: each())
    for name in ("a1", "a2", "a3", "a4"):
        turns.bring("a", job(name))
    turns.bring("b", job("b1"))
    assert ran == ["a1", "a2", "b1"]
    for client in ("a", "a", "b", "a", "a"):
        turns.done(client)
    assert ran == ["a1", "a2", "b1", "a3", "a4"]
    assert (turns._busy, turns._waiting) == ({}, {})  # strangers cannot fill the memory
