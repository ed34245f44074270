"""How long the browser's script waits before it comes back, run by Node with a connection that is none."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.peers import need

SCRIPT = Path(__file__).parents[2] / "gateway" / "desk" / "static" / "desk" / "stream.js"
PAGE = """
const waits = [], sources = [];
let goOn;
Math.random = () => 0.5;
globalThis.setInterval = () => 0;
globalThis.setTimeout = (then, ms) => { waits.push(Math.round(ms)); goOn = then; return 0; };
globalThis.fetch = async () => { throw new Error("away"); };
globalThis.EventSource = class {
  static OPEN = 1;
  heard = {};
  constructor() { sources.push(this); }
  addEventListener(kind, then) { this.heard[kind] = then; }
  close() {}
};
const place = { events: "/events", session: "s", me: "/me", token: "t" };
const stream = new Stream(place, { told() {}, stated() {}, left() {} });
const now = () => sources.at(-1);
const fail = (times) => { for (let at = 0; at < times; at++) { now().onerror(); goOn(); } };
const told = (ms) => now().heard.farewell({ data: JSON.stringify({ back_in_ms: ms }), lastEventId: "1.6" });
stream.open("1.5", false);
now().onopen();
"""


def waits(happens: str) -> list[int]:
    """Return the page's waits, in milliseconds, chance left out, while ``happens``."""
    code = f"import {{ Stream }} from '{SCRIPT.as_uri()}';{PAGE}{happens};console.log(JSON.stringify(waits));"
    command = [need("node", package="nodejs"), "--no-warnings", "--experimental-default-type=module"]
    command += ["--input-type=module", "-e", code]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return list(json.loads(found))


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        ("fail(7)", [300, 600, 1200, 2400, 4800, 5000, 5000]),
        ("told(4000); fail(5)", [4000, 300, 600, 1200, 2400]),
        ("told(0); fail(3)", [300, 300, 600]),
        ("told(4000); fail(3); now().onopen(); fail(2)", [4000, 300, 600, 300, 600]),
    ],
)
def test_a_page_waits_as_it_was_told_and_then_longer_and_longer(happens: str, expected: list[int]) -> None:
    assert waits(happens) == expected
