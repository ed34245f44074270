"""Which addresses a target may be at, where only public ones are allowed: looked at on the very address connected to.

A name is looked up once and its addresses are judged as they come, so that no second look-up can change them (DNS
rebinding), and none of the ways to write an address hides it: ``2130706433``, ``0x7f.1``, ``::ffff:127.0.0.1``.
"""

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

Address = IPv4Address | IPv6Address
METADATA = frozenset(map(ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254")))
"""Where clouds tell a machine its own secrets."""
_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddress(OSError):
    """A host's name leads to addresses that are not public."""


def allowed(host: str, found: Sequence[Any]) -> list[Any]:
    """Return those of getaddrinfo's answers for ``host`` that may be connected to. Raises ``PrivateAddress`` when there
    is none.

    Any private address may be that the configuration writes out itself; none to which a name leads.
    """
    kept = [each for each in found if _may_be(host, str(each[4][0]))]
    if found and not kept:
        raise PrivateAddress("the host's name leads to a private address")
    return kept


def _may_be(host: str, address: str) -> bool:
    at = ip_address(address)
    return is_public(at) or (_written_out(host) == at and not _never(at))


def is_public(address: Address) -> bool:
    """Return whether everybody in the internet means the same host by ``address``."""
    inner = _inside(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and address not in METADATA


def _inside(address: Address) -> IPv4Address | None:
    """Return the address of IPv4 that one of IPv6 stands for, if it does."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def _written_out(host: str) -> Address | None:
    """Return the address that ``host`` is written as, in its usual form; None where it is a name, or anything else."""
    with suppress(ValueError):
        return ip_address(host.strip("[]"))
    return None


def _never(address: Address) -> bool:
    """Return whether no target can be at ``address``, however plainly it is written."""
    special = address.is_link_local or address.is_unspecified or address.is_multicast or address in METADATA
    return special or _inside(address) is not None
