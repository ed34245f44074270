"""Keeps an import that was given up from writing over what its successor brings."""

from sqlalchemy import Connection, select

from gateway.errors import ImportSuperseded
from gateway.store import tables

imports = tables.imports


def fence(connection: Connection, run_id: int) -> None:
    """Keep the run from being given up until this transaction ends. Raises ``ImportSuperseded`` where it was: another
    may have begun since, and this one must not write over what that brings.
    """
    mine = select(imports.c.id).where(imports.c.id == run_id, imports.c.state == "running")
    if connection.execute(mine.with_for_update(read=True)).first() is None:
        raise ImportSuperseded(run_id)
