"""A simulated VICIdial with its Agent API, as its AGENT_API.txt has it: texts that begin with SUCCESS or ERROR."""

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.texts.text import Text, verbatim

LOGGED_OUT = "logged-out"


class Vicidial(SimulatedAppliance):
    """``GET /agc/api.php?source=…&user=…&pass=…&agent_user=AGENT&function=external_dial&value=NUMBER``, and
    ``function=external_hangup``; HTTP 200 always. The extension is the agent."""

    name = "vicidial"
    title = "VICIdial"
    evidence = Text("VICIdial's own documentation, not held against a real one")
    login = ("6666", "1234")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("'ERROR: Invalid Username/Password'"),
        LOGGED_OUT: verbatim("'ERROR: agent_user is not logged in'"),
        **SimulatedAppliance.failures,
    }

    def tables(self) -> dict[str, dict[str, Any]]:
        user, password = self.credentials
        tls = {"tls": True, **self.pinned()} if self.pinned() else {}
        where = {"host": f"{self.host}:{self.port}", **tls}
        return {self.name: {"preset": self.name, **where, "user": user, "password": password}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/agc/api.php":
            self.noted(request, "404 Not Found")
            return SimulatedReply.text(404, "Not Found")
        query = {**request.query, **request.form}
        function, agent, number = (query.get(name, "") for name in ("function", "agent_user", "value"))
        if wrong := self._wrong(query):
            self.noted(request, wrong, agent, number)
            return SimulatedReply.text(200, f"ERROR: {wrong}\n")
        if function == "external_dial":
            self.dialled(request, agent, number)
        else:
            self.noted(request, function)
        return SimulatedReply.text(200, f"SUCCESS: {function} function set - {number}|{agent}\n")

    def _wrong(self, query: Mapping[str, str]) -> str:
        user, password = self.credentials
        right = same(query.get("user", ""), user) and same(query.get("pass", ""), password)
        if not right or self.behaviour.fail == "auth":
            return f"Invalid Username/Password - {query.get('user', '')}"
        if not query.get("agent_user"):
            return "no user found"
        if self.behaviour.fail == LOGGED_OUT:
            return f"agent_user is not logged in - {query['agent_user']}"
        known = query.get("function") in ("external_dial", "external_hangup")
        return "" if known and query.get("value") else "NO FUNCTION OR VALUE SPECIFIED"
