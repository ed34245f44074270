"""When screens are due for a heart-beat."""

from dataclasses import dataclass

from gateway.desk.heart_beats import HeartBeats


@dataclass(eq=False)
class Open:
    quiet_since: float = 0.0
    until: float = 900.0
    is_over: bool = False


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_is_told_nothing_beats_again_and_again_and_never_later_than_agreed() -> None:
    clock = Clock()
    beats, screens = HeartBeats[Open](5, clock), [Open() for _ in range(100)]
    for each in screens:
        beats.add(each)
    last = dict.fromkeys(map(id, screens), 0.0)
    while clock.now < 60:
        clock.now += 0.05
        for each in beats.due():
            assert 3.9 <= clock.now - last[id(each)] <= 5.15
            last[id(each)] = each.quiet_since = clock.now
    assert all(clock.now - at <= 5.15 for at in last.values())


def test_who_was_told_something_meanwhile_is_due_later() -> None:
    clock = Clock()
    beats, talked, quiet = HeartBeats[Open](5, clock), Open(), Open()
    beats.add(talked)
    beats.add(quiet)
    clock.now = talked.quiet_since = 3.0
    clock.now = 5.2
    assert beats.due() == [quiet]
    clock.now = 8.2
    assert talked in beats.due()


def test_who_is_over_is_forgotten_and_whose_time_is_over_is_due() -> None:
    clock = Clock()
    beats, over, aged = HeartBeats[Open](5, clock), Open(is_over=True), Open(until=1.0)
    beats.add(over)
    beats.add(aged)
    clock.now = 1.1
    assert beats.due() == [aged]
    aged.is_over = True
    clock.now = 20.0
    assert beats.due() == []
    assert not beats._slots, "they are still kept"


def test_those_that_opened_together_do_not_stay_together() -> None:
    clock = Clock()
    beats = HeartBeats[Open](5, clock)
    for _ in range(500):
        beats.add(Open())
    most = 0
    while clock.now < 30:
        clock.now += 0.05
        due = beats.due()
        for each in due:
            each.quiet_since = clock.now
        most = max(most, len(due))
    assert most < 100


def test_waiting_ends_when_it_is_stopped() -> None:
    beats = HeartBeats[Open](5)
    beats.stop()
    assert not beats.wait()
