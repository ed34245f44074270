"""What an exchange told, as a text that a later start of this or a newer version reads."""

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from gateway.domain.messages import AgentStateChanged, CallMessage

Told = CallMessage | AgentStateChanged
ADAPTERS: Mapping[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Told)}


def packed(message: Told) -> str:
    """Return ``message`` as a text."""
    kind = type(message).__name__
    return json.dumps([kind, ADAPTERS[kind].dump_python(message, mode="json", warnings=False)])


def unpacked(text: str) -> Told:
    """Return the message that ``packed`` made a text of. Raises ``ValueError`` for what this version cannot read."""
    try:
        kind, fields = json.loads(text)
        message: Told = ADAPTERS[kind].validate_python(fields)
    except (KeyError, TypeError, ValidationError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    return message
