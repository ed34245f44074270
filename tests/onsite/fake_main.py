"""A main gateway without a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import MainGatewayError


@dataclass
class FakeMain:
    """A main gateway that gives orders, and keeps what it is answered."""

    take: Callable[[], Mapping[str, Any]] = lambda: {"go": True, "within_s": 30}
    taken: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    is_away: bool = False

    def ask(self, verb: str, document: Mapping[str, Any], **_more: Any) -> Mapping[str, Any]:
        if self.is_away:
            raise MainGatewayError("away")
        if verb == "take":
            self.taken.append(document["id"])
            return self.take()
        found = {each["id"]: each["outcome"] for each in document["answers"]}
        self.answers |= found
        return {"taken": list(found)}

    def close(self) -> None:
        pass
