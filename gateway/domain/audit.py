"""What is written down of who did what, for those who have to answer for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from gateway.texts.text import Text

LONGEST_SUBJECT = 255
LONGEST_DETAIL = 2000


class AuditAction(StrEnum):
    """What was done."""

    LOGGED_IN = auto()
    LOGIN_FAILED = auto()
    LOGGED_OUT = auto()
    SESSION_ENDED = auto()
    LISTENED = auto()
    EXPORTED = auto()
    CALL_CORRECTED = auto()
    CALL_MARKED_OVER = auto()
    MISSED_CLEARED = auto()
    MISSED_RESTORED = auto()
    DIRECTORY_CORRECTED = auto()
    DIRECTORY_IMPORTED = auto()
    APPLIANCE_PROBED = auto()
    SOURCE_READ = auto()
    TRAFFIC_READ = auto()
    TRAFFIC_SENT_AGAIN = auto()
    FORWARD_CHANGED = auto()
    AGENT_ADDED = auto()
    AGENT_CHANGED = auto()
    AGENT_LOCKED = auto()
    AGENT_UNLOCKED = auto()
    AGENT_REMOVED = auto()
    PASSWORD_CHANGED = auto()
    AUDIT_READ = auto()
    PROGRAM_CONNECTED = auto()
    PROGRAM_REVOKED = auto()
    OLD_REMOVED = auto()
    ONSITE_KEY_ADDED = auto()
    ONSITE_KEY_RENEWED = auto()
    ONSITE_KEY_REVOKED = auto()


NAMES: Mapping[AuditAction, Text] = {
    AuditAction.LOGGED_IN: Text("logged in at the desk"),
    AuditAction.LOGIN_FAILED: Text("failed to log in"),
    AuditAction.LOGGED_OUT: Text("logged out at the desk"),
    AuditAction.SESSION_ENDED: Text("ended a session"),
    AuditAction.LISTENED: Text("listened to a recording"),
    AuditAction.EXPORTED: Text("exported"),
    AuditAction.CALL_CORRECTED: Text("said whose a call is"),
    AuditAction.CALL_MARKED_OVER: Text("marked a call as ended"),
    AuditAction.MISSED_CLEARED: Text("took missed calls off the list"),
    AuditAction.MISSED_RESTORED: Text("put missed calls back into the list"),
    AuditAction.DIRECTORY_CORRECTED: Text("corrected the directory"),
    AuditAction.DIRECTORY_IMPORTED: Text("had the directory imported"),
    AuditAction.APPLIANCE_PROBED: Text("probed an appliance"),
    AuditAction.SOURCE_READ: Text("read what a source sent"),
    AuditAction.TRAFFIC_READ: Text("read the traffic log"),
    AuditAction.TRAFFIC_SENT_AGAIN: Text("sent an event again"),
    AuditAction.FORWARD_CHANGED: Text("sent again or gave up what a forward was to be told"),
    AuditAction.AGENT_ADDED: Text("added an agent"),
    AuditAction.AGENT_CHANGED: Text("changed an agent"),
    AuditAction.AGENT_LOCKED: Text("locked an agent"),
    AuditAction.AGENT_UNLOCKED: Text("unlocked an agent"),
    AuditAction.AGENT_REMOVED: Text("removed an agent"),
    AuditAction.PASSWORD_CHANGED: Text("changed a password"),
    AuditAction.AUDIT_READ: Text("exported the audit log"),
    AuditAction.PROGRAM_CONNECTED: Text("connected a program, such as the browser extension"),
    AuditAction.PROGRAM_REVOKED: Text("revoked a program's session"),
    AuditAction.OLD_REMOVED: Text("removed what is older than it is kept"),
    AuditAction.ONSITE_KEY_ADDED: Text("made a key for a gateway on site"),
    AuditAction.ONSITE_KEY_RENEWED: Text("replaced the key of a gateway on site"),
    AuditAction.ONSITE_KEY_REVOKED: Text("revoked the key of a gateway on site"),
}
"""Each action in words, behind the login of who did it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What ``login`` did ``at`` (milliseconds since 1970 UTC), from the address ``client``, with what (``subject``).

    ``detail`` is JSON of what was asked for, without passwords. ``login`` is as it was given, where nobody had logged
    in.
    """

    tenant: str
    at: int
    login: str
    client: str
    action: AuditAction
    subject: str = ""
    detail: str = ""
    id: int = 0
