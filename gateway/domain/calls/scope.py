"""Who may see which call: the calls of one's own, those of the teams that one leads, those that one's team missed.

One rule for everything: lists ask the database by it (``store/call_scope.py``), streams ask it for each event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.numbering.extensions import Extensions
from gateway.domain.roles import Role

WITHOUT_LIMITS = (Role.ADMINISTRATOR, Role.AUDITOR, Role.PROGRAM)
NOWHERE = Extensions()


@dataclass(frozen=True, slots=True)
class CallSides:
    """Where a call was and who had to do with it.

    ``extensions`` are those at which it rang or where somebody took or placed it, ``logins`` who did so; ``at`` is when
    it was logged (milliseconds since 1970 UTC).
    """

    extensions: frozenset[str]
    logins: frozenset[str] = frozenset()
    queue: str | None = None
    missed: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True)
class Team:
    """Some of a company's people: by their ``extensions`` (spans only) or logins (``agents``), with the calls of
    ``queues``. ``supervisors`` are the logins of who leads it.
    """

    name: str
    title: str = ""
    extensions: Extensions = NOWHERE
    queues: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    supervisors: frozenset[str] = frozenset()

    def has_member(self, login: str, extension: str) -> bool:
        """Return whether the agent ``login``, who sits at ``extension``, belongs to the team."""
        return login in self.agents or (bool(extension) and self.extensions.matches(extension))

    def has_call(self, call: CallSides) -> bool:
        """Return whether ``call`` is one of the team: of its queues, at its extensions, or of its people."""
        if call.queue in self.queues or not self.agents.isdisjoint(call.logins):
            return True
        return any(self.extensions.matches(extension) for extension in call.extensions)


@dataclass(frozen=True, slots=True)
class CallScope:
    """Which calls somebody may see: all of them (``everything``), or those of ``login``, those at the extension
    ``seat`` since ``seated_at``, all of the teams ``led``, and what the teams ``joined`` missed, or anybody
    (``all_missed``).
    """

    everything: bool = False
    login: str = ""
    seat: str = ""
    seated_at: int = 0
    led: tuple[Team, ...] = ()
    joined: tuple[Team, ...] = ()
    all_missed: bool = False

    def admits(self, call: CallSides) -> bool:
        """Return whether ``call`` may be seen."""
        if self.everything or self.is_own(call) or any(team.has_call(call) for team in self.led):
            return True
        return call.missed and (self.all_missed or any(team.has_call(call) for team in self.joined))

    def is_own(self, call: CallSides) -> bool:
        """Return whether ``call`` is of this very person."""
        if self.login in call.logins:
            return True
        return bool(self.seat) and self.seat in call.extensions and call.at >= self.seated_at


EVERYTHING = CallScope(everything=True)


def scope_of(role: Role, login: str, extension: str, teams: Sequence[Team], *, seated_at: int = 0) -> CallScope:
    """Return which calls the agent ``login`` at ``extension`` may see in a company with ``teams``.

    In a company without teams everybody is of one: agents see all that was missed, supervisors all calls.
    """
    if role in WITHOUT_LIMITS or (role is Role.SUPERVISOR and not teams):
        return EVERYTHING
    led = tuple(team for team in teams if role is Role.SUPERVISOR and login in team.supervisors)
    joined = tuple(team for team in teams if team.has_member(login, extension))
    return CallScope(False, login, extension, seated_at, led, joined, all_missed=not teams)
