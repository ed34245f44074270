"""The recordings of simulated calls: a short soft melody, the same one for the same call."""

import io
import math
import re
import wave
from array import array
from functools import lru_cache
from zlib import crc32

PATH = re.compile(r"/gravacoes/([A-Za-z0-9._-]{1,64})\.wav")

RATE = 8000
"""Samples a second, as telephone recordings have it."""
NOTE_S = 0.3
NOTES_HZ = (392.0, 440.0, 523.25, 587.33, 659.25)


@lru_cache(maxsize=32)
def wav(call_id: str) -> bytes:
    """Make a mono 16-bit WAV of 1.5 s."""
    seed = crc32(call_id.encode())
    samples = array("h")
    for place in range(5):
        samples.extend(_note(NOTES_HZ[(seed >> (3 * place)) % len(NOTES_HZ)]))
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        writer.writeframes(samples.tobytes())
    return out.getvalue()


def _note(hertz: float) -> list[int]:
    count = int(RATE * NOTE_S)
    return [
        int(6000 * math.sin(math.pi * at / count) * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(count)
    ]


def served(call_id: str, wanted: str) -> tuple[int, str, bytes, dict[str, str]]:
    """Return status, type, body and headers; ``wanted`` is the Range header, by which browsers seek."""
    whole = wav(call_id)
    headers = {"Accept-Ranges": "bytes"}
    span = _span(wanted, len(whole))
    if span is None:
        return 200, "audio/wav", whole, headers
    start, end = span
    if start >= end:
        return 416, "audio/wav", b"", {**headers, "Content-Range": f"bytes */{len(whole)}"}
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(whole)}"
    return 206, "audio/wav", whole[start:end], headers


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one behind the last; None when the whole is wanted (RFC 9110, 14.1.2)."""
    found = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", wanted.strip())
    if not found or wanted.endswith("=-"):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
