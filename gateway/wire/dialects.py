"""How one company's exchanges write their events, and which answers they can read: its ``listener`` settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.config.tables import ListenerSettings
from gateway.wire.forms import Names, known_names
from gateway.wire.operations import OPERATIONS
from gateway.wire.parameters import Operation


@dataclass(frozen=True, slots=True)
class Dialect:
    """``names`` by operation: every spelling of a parameter, with the parameter that it means."""

    names: Mapping[str, Names]
    body: str
    status_on_error: int | None
    fault_status: int | None
    refuses_headers: bool = False
    """Whether SOAP header blocks that must be understood are refused."""
    keep_unknown: bool = False
    """Whether parameters that nobody knows are free fields of the call."""
    classic_wsdl: bool = False
    """Whether the rpc/encoded contract has the names and the charset of the classic WConnect."""

    def reply(self, call_id: int) -> bytes:
        """Return the body that says that an event was taken."""
        return self.body.replace("{id}", str(call_id)).encode()


def dialect_of(rules: ListenerSettings, *, takes_token: bool) -> Dialect:
    """Return the dialect that ``rules`` describe.

    A tenant without token leaves ``&token=`` to the address of a recording that was not encoded.
    """
    token = ("token",) if takes_token else ()
    names = {name: spellings(operation, rules, token) for name, operation in OPERATIONS.items()}
    return Dialect(
        names,
        rules.reply,
        rules.status_on_error,
        rules.fault_status,
        refuses_headers=rules.must_understand == "refuse",
        keep_unknown=rules.keep_unknown,
        classic_wsdl=rules.wsdl_names == "classic",
    )


def spellings(operation: Operation, rules: ListenerSettings, more: tuple[str, ...]) -> Names:
    """Return every spelling of the operation's parameters; the company's own names count before those of parameters
    that came later, which its settings may not know.
    """
    aliases = {
        spelling: name
        for name, others in rules.aliases.items()
        if name in operation.names
        for other in others
        for spelling in (other, other.lower())
    }
    firm = [parameter.name for parameter in operation.parameters if not parameter.by_name]
    return {**known_names(*operation.names), **aliases, **known_names(*firm, *more)}
