"""How a simulated appliance behaves: well, slowly, or as one of its kind that fails."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.texts.text import Text


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What the person who runs the simulator wants of it.

    ``fail`` is one of the appliance's own ``failures``. Every answer comes after ``delay_s``; the extension answers
    after ringing ``ring_s``, for which appliances that wait for it hold their answer back. ``drop`` takes the order to
    dial and then closes the connection without an answer. An empty ``username`` means the appliance's usual login,
    an empty ``auth`` its usual kind. A CRM fails at each ``fail_every``-th event only.
    """

    fail: str = ""
    delay_s: float = 0.0
    ring_s: float = 0.0
    drop: bool = False
    username: str = ""
    password: str = ""
    auth: str = ""
    fail_every: int = 1

    def checked(self, name: str, failures: Mapping[str, Text], auths: tuple[str, ...]) -> "Behaviour":
        """Return itself. Raises ``ValueError`` with a sentence for a failure or a login that ``name`` does not have."""
        if self.fail and self.fail not in failures:
            facts = {"name": name, "failure": self.fail, "known": ", ".join(failures)}
            raise ValueError(Text("{name} has no failure {failure!r}; it has: {known}", **facts))
        if self.auth and self.auth not in auths:
            known = ", ".join(auths) or Text("no login by HTTP")
            told = Text("{name} cannot ask for {auth!r}; it asks for: {known}", name=name, auth=self.auth, known=known)
            raise ValueError(told)
        return self


FAULT = "fault"
ANY = {FAULT: Text("HTTP 500 with a page, as from a broken web server")}
"""What everything that speaks HTTP can do; not recorded from any one appliance."""

FAULT_PAGE = (
    b"<html><head><title>500 Internal Server Error</title></head><body>500 Internal Server Error</body></html>\n"
)
