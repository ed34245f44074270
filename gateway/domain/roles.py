"""Who may do what: a role is a set of rights, and everything that can be asked of the desk names the one it takes.

Rights say what somebody may do; which calls somebody may see is said besides (``domain/calls/scope.py``).
"""

from collections.abc import Mapping
from enum import StrEnum, auto

from gateway.texts.text import Text, in_context


class Role(StrEnum):
    """What a person, or a program with a login, is to the gateway."""

    AGENT = auto()
    SUPERVISOR = auto()
    ADMINISTRATOR = auto()
    AUDITOR = auto()
    PROGRAM = auto()


class Right(StrEnum):
    """What may be asked for. ``READ_…`` and ``SEE_…`` change nothing, so an auditor has all of these."""

    OPEN = auto()
    """Open to all, also to those who are not logged in: the login page, files of the package."""
    OWN_ACCOUNT = auto()
    """Your own login: who you are, language, password, sessions, saved filters, logging out."""
    SEE_SCREEN = auto()
    """The pages of the desk: your screen with its cards, and pieces of it."""
    SEE_CALLS = auto()
    """Calls, as many of them as you may see; their stream of events."""
    EXPORT_CALLS = auto()
    """Calls as a file."""
    WORK_CALLS = auto()
    """Say whose a call is and that it is over; write notes and outcomes."""
    SEE_MISSED = auto()
    """The list of missed calls and of follow-ups."""
    WORK_MISSED = auto()
    """Claim and clear what is in that list."""
    DIAL = auto()
    """Place calls from your own extension, and end them."""
    DIAL_FOR_OTHERS = auto()
    """Place calls from any extension."""
    LIST_APPLIANCES = auto()
    """The names of the appliances that can dial, and whether they can just now."""
    SEE_PEOPLE = auto()
    """Who sits where, and whether they are free."""
    SEE_BOARD = auto()
    """Who is on the phone, extensions and queues live, as far as you may see their calls."""
    SEE_FIGURES = auto()
    """Figures of a day or a week, by person and queue, as far as you may see their calls."""
    SEE_ACCOUNTS = auto()
    """Accounts of the directory, one at a time or searched for."""
    EXPLAIN = auto()
    """Why a call came up or not; how a number is read and dialled."""
    READ_DIRECTORY = auto()
    """Sources of the directory, imports, the quality of its data."""
    CHANGE_DIRECTORY = auto()
    """Import, and put numbers of the directory right."""
    READ_APPLIANCES = auto()
    """How appliances are set up, and what would be sent to them."""
    CHANGE_APPLIANCES = auto()
    """Probe appliances; make and revoke the keys of gateways on site."""
    READ_SOURCES = auto()
    """Webhooks that came in, and what is made of them."""
    READ_TRAFFIC = auto()
    """Raw requests and answers of machines."""
    CHANGE_TRAFFIC = auto()
    """Send a logged request again."""
    READ_FORWARDS = auto()
    """What CRMs and programs were told, and what was not delivered."""
    CHANGE_FORWARDS = auto()
    """Send what was not delivered again, or give it up."""
    READ_AGENTS = auto()
    """Agents with their logins and roles, and all sessions."""
    CHANGE_AGENTS = auto()
    """Make, change and lock agents; end anybody's session."""
    READ_AUDIT = auto()
    """Who listened, exported, corrected and changed what."""


def _reads(right: Right) -> bool:
    return right.startswith(("read_", "see_"))


_AGENT = frozenset(
    {
        Right.OWN_ACCOUNT,
        Right.SEE_SCREEN,
        Right.SEE_CALLS,
        Right.WORK_CALLS,
        Right.SEE_MISSED,
        Right.WORK_MISSED,
        Right.DIAL,
        Right.LIST_APPLIANCES,
        Right.SEE_PEOPLE,
        Right.SEE_BOARD,
        Right.SEE_ACCOUNTS,
    }
)
RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _AGENT | {Right.EXPORT_CALLS, Right.SEE_FIGURES, Right.EXPLAIN},
    Role.ADMINISTRATOR: frozenset(Right) - {Right.OPEN, Right.DIAL_FOR_OTHERS},
    Role.AUDITOR: frozenset(filter(_reads, Right))
    | {Right.OWN_ACCOUNT, Right.EXPORT_CALLS, Right.LIST_APPLIANCES, Right.EXPLAIN},
    Role.PROGRAM: frozenset(
        {
            Right.OWN_ACCOUNT,
            Right.SEE_CALLS,
            Right.SEE_MISSED,
            Right.EXPORT_CALLS,
            Right.DIAL,
            Right.DIAL_FOR_OTHERS,
            Right.LIST_APPLIANCES,
        }
    ),
}
"""What each role may do. ``Right.OPEN`` is nobody's: it is asked of no one."""
SHOWS_TELEPHONES = frozenset(
    {
        Right.EXPLAIN,
        Right.READ_DIRECTORY,
        Right.CHANGE_DIRECTORY,
        Right.READ_SOURCES,
        Right.READ_TRAFFIC,
        Right.CHANGE_TRAFFIC,
        Right.READ_FORWARDS,
        Right.CHANGE_FORWARDS,
    }
)
"""Rights to what shows telephones as they came: no role has them that the company masks telephones for."""
NAMES: Mapping[Role, Text] = {
    Role.AGENT: in_context("role", "agent"),
    Role.SUPERVISOR: in_context("role", "supervisor"),
    Role.ADMINISTRATOR: in_context("role", "administrator"),
    Role.AUDITOR: in_context("role", "auditor"),
    Role.PROGRAM: in_context("role", "program"),
}


def may(role: Role | None, right: Right) -> bool:
    """Return whether ``role`` has ``right``; None is who is not logged in."""
    return right is Right.OPEN or (role is not None and right in RIGHTS[role])


def role_of(text: str | None) -> Role:
    """Return the role that is stored as ``text``; one that this version does not know has an agent's rights."""
    return Role(text) if text in set(Role) else Role.AGENT
