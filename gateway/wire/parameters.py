"""What an operation is, and its parameters: by name, by position, and which of their values are secret.

A wire hands over its parameters as text by name, and gets the message that they mean.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property

from gateway.domain.messages import Message, Origin
from gateway.domain.records import record
from gateway.texts.text import Text

Texts = Mapping[str, str]

LOGIN = ("UsuarioLogin", "UsuarioSenha")
CALL_WITH_LOGIN = 4
"""``ClickToCall(ramal, telefone, login, senha)``; or is it ``ClickToCall(ramal, telefone, central, id_pedido)``?"""


@record(frozen=True, slots=True)
class Sender:
    """Who sent the parameters, and when: what a message needs beside them. ``login`` is an agent's."""

    tenant: str
    zone: tzinfo
    origin: Origin
    received_at: int
    login: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; on every wire it is text, whatever type the peer guessed for it.

    ``field`` is the field of the call log (``calls --format json``, API) that shows it, or of the agents' states; empty
    where none does.
    ``later`` says that it came after the rpc/encoded contract: there it stands behind all others, because clients made
    of an older WSDL send theirs in its order. One that counts ``by_name`` only is not read by position either: what old
    clients send there is something else, such as a login.
    """

    name: str
    help: Text
    field: str
    required: bool = False
    later: bool = False
    by_name: bool = False


@dataclass(frozen=True)
class Operation:
    """One operation. ``build`` makes its message, or None where there is nothing to handle (``Teste``).

    ``dials`` tells the two kinds of access apart: who may send events, and who may have a call placed.
    ``takes_login`` says that an agent's login among the parameters is looked at.
    """

    name: str
    help: Text
    parameters: tuple[Parameter, ...]
    build: Callable[[Texts, Sender], Message | None]
    dials: bool = False
    takes_login: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """The names in order, for peers that send them by position."""
        return tuple(parameter.name for parameter in self.parameters if not parameter.by_name)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """The parameters' names by their spelling in small letters, which some peers do not keep to.

        Every request may also carry an agent's login, as the classic WConnect wants it in each.
        """
        return {name.lower(): name for name in (*self.names, *LOGIN)}

    @cached_property
    def published(self) -> tuple[str, ...]:
        """The names in the rpc/encoded contract, in its order: with the login where an operation looks at it."""
        later = tuple(parameter.name for parameter in self.parameters if parameter.later)
        names = tuple(name for name in self.names if name not in later)
        return (*names, *(LOGIN if self.takes_login else ()), *later)

    @cached_property
    def published_positions(self) -> tuple[str, ...]:
        """Those of the rpc/encoded contract that are read by position."""
        by_name = {parameter.name for parameter in self.parameters if parameter.by_name}
        return tuple(name for name in self.published if name not in by_name)


class EitherReading(dict[str, str]):
    """Parameters by position that are a login and its password, or an appliance that nobody knows and a request's id.

    They hold both readings: where no agent has this login and password, the appliance is named as unknown.
    """

    def as_login(self) -> dict[str, str]:
        """Return them read as a login."""
        return {name: text for name, text in self.items() if name not in ("central", "id_pedido")}


def by_position(
    values: Sequence[str], operation: Operation, names: Sequence[str], appliances: Collection[str]
) -> dict[str, str]:
    """Return ``values`` by the ``names`` of their positions; in a click-to-call a login may stand behind the number.

    ``appliances`` are those of the company: any other third value of four is a login.
    """
    if operation.dials and len(values) == CALL_WITH_LOGIN and values[2].strip() and values[2] not in appliances:
        order = ("ramal", "telefone", *LOGIN, "central", "id_pedido")
        return EitherReading(zip(order, (*values, *values[2:]), strict=True))
    if operation.takes_login and len(values) > len(operation.positional):
        names = operation.published_positions
    return {name: value for name, value in zip(names, values, strict=False) if value}


def hidden(values: Iterable[str], texts: Texts, operation: Operation) -> Iterable[str]:
    """Return those of a request's ``values`` that the traffic log must not keep; ``texts`` are those that were read.

    An operation that takes a login may get it under any name, so that all are hidden that are nothing else.
    """
    if not operation.takes_login:
        return [texts.get(LOGIN[1], "")]
    public = set(texts) - {LOGIN[1]} - ({LOGIN[0], "id_pedido"} if isinstance(texts, EitherReading) else set())
    return (Counter(values) - Counter(texts[name] for name in public)).elements()
