"""A simulated appliance that dials when a URL is requested, as IP phones and many providers do."""

import re
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, ClassVar

from gateway.simulators.appliance import Request, SimulatedAppliance, SimulatedReply
from gateway.texts.text import Text, verbatim

KEY = "demo"


class UrlAppliance(SimulatedAppliance):
    """``GET /originate?from=EXT&to=NUM&key=KEY`` → ``OK ID`` or ``ERROR reason``; 403 for a wrong key."""

    name = "url"
    title = Text("{protocol} exchange", protocol="URL")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("403 'ERROR wrong key'"),
        "busy": verbatim("200 'ERROR busy'"),
        **SimulatedAppliance.failures,
    }

    @classmethod
    def settings(cls, address: str) -> dict[str, Any]:
        return {
            "adapter": "url",
            "url": address + "/originate?from={{ extension }}&to={{ number }}&key={{ secrets.key }}",
            "success": r"^OK (?P<ref>\S+)",
            "refused": "^ERROR",
            "secrets": {"key": KEY},
        }

    def answer(self, request: Request) -> SimulatedReply:
        query = request.query
        if request.path != "/originate":
            return SimulatedReply.text(404, "ERROR no such address")
        if self.behaviour.fail == "auth" or not compare_digest(query.get("key", "").encode(), KEY.encode()):
            self.noted(request, "wrong key")
            return SimulatedReply.text(403, "ERROR wrong key")
        missing = [name for name in ("from", "to") if not query.get(name)]
        if missing:
            return SimulatedReply.text(200, f"ERROR missing {' and '.join(missing)}")
        if self.behaviour.fail == "busy":
            self.noted(request, "busy", query["from"], query["to"])
            return SimulatedReply.text(200, "ERROR busy")
        return SimulatedReply.text(200, f"OK {self.dialled(request, query['from'], query['to'])}")

    def masked(self, raw: str) -> str:
        return re.sub(r"([?&]key=)[^&\s]*", r"\1****", super().masked(raw))
