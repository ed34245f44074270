"""Which side of a call is ours.

WConnect's listeners get ``ramal`` (the destination) and ``telefone`` (the origin). Exchanges differ for calls
made: some
send the outside number as ``ramal``, some keep the extension there. Which of the two is an extension of the tenant
decides; where both readings are possible, what the exchange says of the direction (or the order behind the call) does.
"""

from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import NumberKind, NumberPlan, Reading, read
from gateway.domain.records import record


@record(frozen=True, slots=True)
class Sides:
    """Our extension, the other party as read, and the direction seen from the tenant.

    ``perhaps`` is another reading of a complete number: the one that a dial plan makes it of. Only an order tells.
    """

    extension: str
    other: Reading
    direction: Direction
    perhaps: Reading | None = None


def tell_sides(ramal: str, telefone: str, plan: NumberPlan, said: Direction | None = None) -> Sides:
    """Tell our side from the other one. ``said`` is the direction the exchange gave, if any."""
    destination, origin = read(ramal, plan), read(telefone, plan)
    ours = (destination.kind is NumberKind.EXTENSION, origin.kind is NumberKind.EXTENSION)
    if ours == (False, True):
        return Sides(origin.national, destination, Direction.OUTGOING)
    if ours == (True, True):
        return Sides(destination.national, origin, Direction.INTERNAL)
    extension = destination.national or ramal
    return Sides(extension, origin, said if said in (Direction.INCOMING, Direction.OUTGOING) else Direction.INCOMING)
