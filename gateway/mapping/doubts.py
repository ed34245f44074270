"""Why a request does not prove that its source sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DoubtCode(StrEnum):
    """What is wrong; the remark of the same name in the traffic log has the sentence."""

    SECRET_MISSING = "secret_missing"  # noqa: S105
    SECRET_WRONG = "secret_wrong"  # noqa: S105
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRONG = "signature_wrong"
    TIMESTAMP_MISSING = "timestamp_missing"
    TIMESTAMP_OFF = "timestamp_off"
    NOT_COVERED = "not_covered"
    EVENT_UNKNOWN = "event_unknown"
    TOKEN_WRONG = "token_wrong"  # noqa: S105
    BODY_CHANGED = "body_changed"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong and the facts of its sentence; no fact is a secret."""

    code: DoubtCode
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def gave_nothing(self) -> bool:
        """Whether the request brought no proof at all, so that nothing was guessed."""
        return self.code in (DoubtCode.SECRET_MISSING, DoubtCode.SIGNATURE_MISSING)
