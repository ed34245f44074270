"""Names of WSDLs as XML names: the field's hold spaces and more."""

import re
from collections.abc import Iterable

from gateway.texts.text import Text

_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NO_NAME = re.compile(f"^[^{_START}]|[^{_START}0-9.\xb7\u0300-\u036f\u203f\u2040-]")
"""Where a name is none by the production NCName of XML Namespaces."""


def safe(name: str) -> str:
    """Return ``name`` as an XML name: what may not stand in one becomes ``_xHHHH_``, as .NET does it.

    >>> safe("WConnect CRM SeniorPort")
    'WConnect_x0020_CRM_x0020_SeniorPort'
    """
    return _NO_NAME.sub(lambda found: f"_x{ord(found[0]):04X}_", name)


def written(name: str) -> str:
    """Return a safe name as its WSDL writes it.

    >>> written("WConnect_x0020_CRM_x0020_Senior")
    'WConnect CRM Senior'
    """
    return re.sub(r"_x([0-9A-F]{4,6})_", lambda found: chr(int(found[1], 16) % 0x110000), name)


def listed(names: Iterable[str]) -> Text | str:
    """Return ``names`` as a sentence has them."""
    return ", ".join(names) or Text("none")


def local_of(name: str) -> str:
    """Return the local part of ``{namespace}name``, also where the namespace has braces of its own, which lxml refuses.

    >>> local_of("{http://{{host}}/calls}Dial")
    'Dial'
    """
    return name.rpartition("}")[2]
