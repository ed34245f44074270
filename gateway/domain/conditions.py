"""Conditions on events, as forwards and steps of presets have them: ``direction == 'incoming' and kind != 'withheld'``.

Python's own parser reads them; of what it understands only what is listed here is taken, and nothing of it is ever
evaluated by Python. A condition knows the fields of events and what each holds, so that a wrong name, a text in the
place of a number, and a word that a field never has are found when the configuration is read.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from gateway.domain.event_fields import EVENT_KINDS, FIELDS, EventField, FieldKind, table_of
from gateway.texts.text import Text

LONGEST = 1000
"""Characters of a condition: deep enough for people, and no depth that a parser could stumble over."""
Fields = Mapping[str, str]
Holds = Callable[[Fields], bool]

NAMES: Mapping[str, EventField] = {
    **FIELDS,
    "event": EventField("the kind of event", choices=EVENT_KINDS),
    "kind": FIELDS["number_kind"],
}
"""What a condition may ask for. ``kind`` is what the number is: an event has one as well, which is ``event`` here."""
_READ_FROM = {"kind": "number_kind"}
_ORDER: Mapping[type, Callable[[Any, Any], bool]] = {ast.Lt: lt, ast.LtE: le, ast.Gt: gt, ast.GtE: ge}
_EQUAL: Mapping[type, Callable[[Any, Any], bool]] = {ast.Eq: eq, ast.NotEq: ne}
_SWITCHES = {"true": True, "false": False}
_UNKNOWN: tuple[Any, ...] = (None, "", [], {})
_ADVICE = Text("expected such as direction == 'incoming' and kind != 'withheld'; compare with ==, join by and, or, not")


@dataclass(frozen=True, slots=True)
class EventCondition:
    """A condition that is ready; ``source`` is how it was written, ``names`` the fields that it asks for."""

    source: str
    names: frozenset[str]
    holds: Holds
    """Whether an event with these fields (and ``event``, its kind) meets it; a field that is missing is not known."""


def condition(source: str, more: Mapping[str, EventField] | None = None) -> EventCondition:
    """Return the condition that is written in ``source``, which may ask for ``more`` names.

    Raises ``ValueError`` with a sentence for one that cannot be understood.
    """
    if len(source) > LONGEST:
        raise ValueError(Text("a condition has at most {most} characters", most=LONGEST))
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(Text("{source!r} is no condition; {advice}", source=source, advice=_ADVICE)) from None
    reader = _ConditionReader({**NAMES, **(more or {})})
    holds = reader.truth(tree.body)
    return EventCondition(source, frozenset(reader.used), holds)


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: a field, or a constant, which has no ``field``."""

    read: Callable[[Fields], Any]
    kind: FieldKind
    field: EventField | None = None
    name: str = ""
    constant: Any = None

    @property
    def is_empty(self) -> bool:
        """Whether it is the empty text, by which any field is compared to be unknown."""
        return self.field is None and self.constant == ""


@dataclass(frozen=True, slots=True)
class _ConditionReader:
    """Makes functions of the parts of one condition; ``used`` are the fields that it has met."""

    known: Mapping[str, EventField]
    used: set[str] = field(default_factory=set)

    def truth(self, node: ast.AST) -> Holds:
        """Return whether ``node`` holds. Raises ``ValueError``."""
        if isinstance(node, ast.BoolOp):
            return _joined([self.truth(each) for each in node.values], isinstance(node.op, ast.And))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return lambda fields: not inner(fields)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        return self._alone(self._operand(node))

    def _alone(self, operand: _Operand) -> Holds:
        """Return whether a field that stands alone is known, or a switch is on."""
        if operand.field is None and isinstance(operand.constant, bool):
            return lambda fields: bool(operand.constant)
        if operand.field is None or operand.kind in (FieldKind.WHOLE, FieldKind.TABLE):
            raise ValueError(Text("{name} is no yes or no: compare it, such as ring_s > 20", name=operand.name))
        return lambda fields: bool(operand.read(fields))

    def _compared(self, node: ast.Compare) -> Holds:
        if len(node.ops) > 1:
            raise ValueError(Text("several comparisons in one: join them by and"))
        kind, left = type(node.ops[0]), self._operand(node.left)
        if kind in (ast.In, ast.NotIn):
            return self._within(left, node.comparators[0], wanted=kind is ast.In)
        right = self._operand(node.comparators[0])
        if kind in _EQUAL:
            return _equal(left, right, _EQUAL[kind])
        if kind in _ORDER:
            return _ordered(left, right, _ORDER[kind])
        raise ValueError(_not_taken(node))

    def _within(self, left: _Operand, node: ast.AST, *, wanted: bool) -> Holds:
        if isinstance(node, ast.List | ast.Tuple):
            choices = [self._operand(each) for each in node.elts]
            tests = [_equal(left, each, eq) for each in choices]
            return lambda fields: any(test(fields) for test in tests) is wanted
        names = self._operand(node)
        if names.kind is not FieldKind.NAMES or left.kind is not FieldKind.TEXT:
            raise ValueError(Text("behind in stands a list such as ['mobile', 'fixed'], or rang"))
        return lambda fields: (left.read(fields) in names.read(fields)) is wanted

    def _operand(self, node: ast.AST) -> _Operand:
        if isinstance(node, ast.Constant):
            return _constant(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return _constant(ast.Constant(-_number(node.operand)))
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Subscript):
            return self._member(node)
        raise ValueError(_not_taken(node))

    def _named(self, name: str) -> _Operand:
        if name in _SWITCHES:
            return _constant(ast.Constant(_SWITCHES[name]))
        if name not in self.known:
            near = get_close_matches(name, self.known, n=1)
            told = Text("did you mean {near!r}?", near=near[0]) if near else _known(self.known)
            raise ValueError(Text("unknown name {name!r}; {known}", name=name, known=told))
        field, key = self.known[name], _READ_FROM.get(name, name)
        self.used.add(key)
        return _Operand(_reading(key, field.kind), field.kind, field, name)

    def _member(self, node: ast.Subscript) -> _Operand:
        """Return a free field, such as ``fields['cpf']``."""
        table, key = self._operand(node.value), node.slice
        if table.kind is not FieldKind.TABLE or not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise ValueError(Text("in brackets stands the name of a free field: fields['cpf']"))
        name = key.value
        return _Operand(lambda fields: table.read(fields).get(name, ""), FieldKind.TEXT, EventField(name), name)


def _joined(parts: list[Holds], every: bool) -> Holds:
    if every:
        return lambda fields: all(part(fields) for part in parts)
    return lambda fields: any(part(fields) for part in parts)


def _reading(name: str, kind: FieldKind) -> Callable[[Fields], Any]:
    """Return what reads a field as its kind; None where it is not known."""
    if kind is FieldKind.WHOLE:
        return lambda fields: _whole(fields.get(name, ""))
    if kind is FieldKind.SWITCH:
        return lambda fields: _SWITCHES.get(fields.get(name, ""))
    if kind is FieldKind.NAMES:
        return lambda fields: fields.get(name, "").split()
    if kind is FieldKind.TABLE:
        return lambda fields: table_of(fields.get(name, ""))
    return lambda fields: fields.get(name, "")


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.lstrip("-").isdigit() and len(text) <= 20 else None


def _number(node: ast.AST) -> int:
    """Return a whole number that is written out. Raises ``ValueError`` for anything else."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    raise ValueError(_not_taken(node))


def _constant(node: ast.Constant) -> _Operand:
    value, kinds = node.value, {str: FieldKind.TEXT, int: FieldKind.WHOLE, bool: FieldKind.SWITCH}
    kind = kinds.get(type(value))
    if kind is None:
        raise ValueError(_not_taken(node))
    return _Operand(lambda fields: value, kind, name=repr(value), constant=value)


def _equal(left: _Operand, right: _Operand, test: Callable[[Any, Any], bool]) -> Holds:
    for one, other in ((left, right), (right, left)):
        if other.is_empty and one.field is not None:
            return lambda fields: test(one.read(fields) in _UNKNOWN, True)
    _fit(left, right)
    return lambda fields: test(left.read(fields), right.read(fields))


def _ordered(left: _Operand, right: _Operand, test: Callable[[Any, Any], bool]) -> Holds:
    """Return a comparison of size, which holds for nothing that is not known."""
    _fit(left, right)
    if left.kind is not right.kind and FieldKind.MOMENT not in (left.kind, right.kind):
        raise ValueError(_unlike(left, right))
    if left.kind not in (FieldKind.WHOLE, FieldKind.MOMENT) and right.kind not in (FieldKind.WHOLE, FieldKind.MOMENT):
        raise ValueError(Text("{name} is no number and no time: < and > do not say anything of it", name=left.name))

    def holds(fields: Fields) -> bool:
        one, other = left.read(fields), right.read(fields)
        return one not in (None, "") and other not in (None, "") and test(one, other)

    return holds


def _fit(left: _Operand, right: _Operand) -> None:
    """Refuse a comparison that can never hold. Raises ``ValueError``."""
    texts = (FieldKind.TEXT, FieldKind.MOMENT)
    if left.kind is not right.kind and not (left.kind in texts and right.kind in texts):
        raise ValueError(_unlike(left, right))
    for one, other in ((left, right), (right, left)):
        if one.field and one.field.choices and other.field is None and other.constant not in one.field.choices:
            raise ValueError(_no_choice(one, str(other.constant)))


def _unlike(left: _Operand, right: _Operand) -> Text:
    field, other = (left, right) if left.field else (right, left)
    return Text(_WRONG_KIND[field.kind].id, name=field.name, other=other.name)


_WRONG_KIND = {
    **dict.fromkeys(
        (FieldKind.TEXT, FieldKind.MOMENT),
        Text("{name} is a text, and {other} is none: write texts with quotes, such as '3501'"),
    ),
    FieldKind.WHOLE: Text("{name} is a number, and {other} is none: write numbers without quotes"),
    FieldKind.SWITCH: Text("{name} is true or false, and {other} is neither: write {name}, or {name} == true"),
    FieldKind.NAMES: Text("{name} is a list: write such as '3501' in {name}"),
    FieldKind.TABLE: Text("{name} has several texts: write such as {name}['cpf'] == '123'"),
}


def _no_choice(operand: _Operand, came: str) -> Text:
    choices = operand.field.choices if operand.field else ()
    near = get_close_matches(came, choices, n=1)
    if came in EVENT_KINDS:
        return Text("{name} is never {came!r}: the kind of event is called event", name=operand.name, came=came)
    if near:
        return Text("{name} is never {came!r}; did you mean {near!r}?", name=operand.name, came=came, near=near[0])
    return Text("{name} is never {came!r}, but {known}", name=operand.name, came=came, known=", ".join(choices))


def _known(known: Mapping[str, EventField]) -> Text:
    return Text("known: {known}", known=", ".join(sorted(known)))


def _not_taken(node: ast.AST) -> Text:
    try:
        source = ast.unparse(node)
    except (RecursionError, ValueError, AttributeError):
        source = type(node).__name__
    return Text("{source!r} has no place in a condition; {advice}", source=source, advice=_ADVICE)
