"""Which numbers a transaction gives out, by the kind of its database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from gateway.store.bulk import Driver
from gateway.store.postgresql.head_numbers import HeadNumbers
from gateway.store.writing.numbers import CountedNumbers, Numbers


def numbers_of(driver: Driver) -> Numbers:
    """Return the numbers that the transaction of ``driver`` gives out."""
    return HeadNumbers(driver) if driver.dialect.name == "postgresql" else CountedNumbers(driver)


def lock_drafts(connection: Connection, drafts: Sequence[Any]) -> None:
    """Take the locks of ``drafts`` that are about to be written one by one."""
    numbers_of(Driver(connection)).lock(drafts)
