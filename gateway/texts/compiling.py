"""Catalogues as translators write them (``.po``) into those that programs read (``.mo``)."""

import os
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compiled(po: Path) -> bytes:
    """Return what the ``.mo`` of ``po`` holds. Raises ``OSError`` and babel's ``PoFileError``."""
    target = BytesIO()
    with po.open("rb") as source:
        write_mo(target, read_po(source, abort_invalid=True))
    return target.getvalue()


def keep(mo: Path, data: bytes) -> None:
    """Write ``mo`` whole, for several processes may do so at once; where nobody may write there, do without it."""
    half = mo.with_name(f".{mo.name}.{os.getpid()}")
    with suppress(OSError):
        half.write_bytes(data)
        half.replace(mo)


def sources(folder: Path) -> Iterator[Path]:
    """Yield each ``LANGUAGE/LC_MESSAGES/AREA.po`` below ``folder``."""
    yield from sorted(folder.glob("*/LC_MESSAGES/*.po"))
