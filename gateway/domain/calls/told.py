"""What a call has from what exchanges tell of it besides: its ids, its sides, its free fields."""

from collections.abc import Mapping

from gateway.domain.calls.call import NOTHING_ATTACHED, Call
from gateway.domain.calls.free_fields import added, read_fields
from gateway.domain.calls.heard import HeardEvent


def completed(call: Call, heard: HeardEvent) -> Call:
    """Return a call with what its first events did not say of it: where it is, and who calls."""
    if call.extension and call.number:
        return call
    direction = call.direction if call.extension else heard.direction.value
    as_sent = call.number_as_sent if call.number else heard.number_as_sent
    extension, number = call.extension or heard.extension, call.number or heard.number
    return call._replace(extension=extension, number=number, number_as_sent=as_sent, direction=direction)


def with_ref(call: Call, heard: HeardEvent) -> Call:
    """Let the call have the exchange's id, if it has none yet."""
    if not heard.call_ref or call.call_ref:
        return call
    return call._replace(call_ref=heard.call_ref, ref_space=heard.ref_space)


def with_told(call: Call, heard: HeardEvent) -> Call:
    """Let the call have what the exchange attaches to it and nobody has said yet; free fields are told anew."""
    if heard.attached != NOTHING_ATTACHED:
        call = call._replace(attached=_both(call.attached, heard.attached))
    if heard.line_name is not None and call.line_name is None:
        call = call._replace(line_name=heard.line_name)
    return call if heard.fields is None else _with_fields(call, heard.fields)


def _with_fields(call: Call, fields: Mapping[str, str]) -> Call:
    known, cut = added(call.fields, fields)
    return call._replace(fields=known, fields_cut=True if cut else call.fields_cut)


def _both(known: tuple[str | None, ...], new: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the ``known`` values, and where one is None the ``new`` one."""
    return tuple(later if first is None else first for first, later in zip(known, new, strict=True))


def with_known(call: Call, before: Call) -> Call:
    """Return a ``call`` that goes on from ``before``, with what the exchange has told of that one."""
    fields, cut = added(before.fields, read_fields(call.fields))
    return call._replace(
        attached=_both(call.attached, before.attached),
        line_name=before.line_name if call.line_name is None else call.line_name,
        waited_s=before.waited_s if call.waited_s is None else call.waited_s,
        fields=fields,
        fields_cut=True if cut else before.fields_cut,
    )
