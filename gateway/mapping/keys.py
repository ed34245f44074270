"""Secrets of a source as the keys that signatures are made with."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Literal

from gateway.texts.text import Text

KeyForm = Literal["text", "base64", "hex", "whsec"]
SHORTEST = 8
"""Characters of a secret; fewer are guessed by trying them all."""
_PREFIX = re.compile(r"wh(sec|pk)_")


def key_of(secret: str, form: KeyForm) -> bytes:
    """Return the key that ``secret`` writes in ``form``. Raises ``ValueError``, which does not show the secret.

    ``whsec`` is the form of Standard Webhooks: base64 behind ``whsec_`` (``whpk_`` of a public key), which may be left
    out.
    """
    try:
        return _READERS[form](secret)
    except (ValueError, binascii.Error):
        raise ValueError(Text("the secret is not written in {form}", form=form)) from None


def _from_base64(secret: str) -> bytes:
    text = "".join(secret.split()).replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


_READERS: Mapping[KeyForm, Callable[[str], bytes]] = {
    "text": str.encode,
    "base64": _from_base64,
    "hex": bytes.fromhex,
    "whsec": lambda secret: _from_base64(_PREFIX.sub("", secret.strip(), count=1)),
}
