"""The browser's script knows which of two positions comes first, as the gateway does."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

from tests.peers import need

SCRIPT = Path(__file__).parents[2] / "gateway" / "desk" / "static" / "desk" / "positions.js"
IN_ORDER = ["0", "7", "57", "1024", "1.6", "1.57", "2.3", "10.1"]


def test_positions_are_in_the_order_of_epochs_and_numbers() -> None:
    node = need("node", package="nodejs")
    pairs = [
        *pairwise(IN_ORDER),
        *((later, earlier) for earlier, later in pairwise(IN_ORDER)),
        ("1.6", "1.6"),
        ("6", 6),
    ]
    code = f"import {{ isBefore }} from '{SCRIPT.as_uri()}';"
    code += f"console.log(JSON.stringify({json.dumps(pairs)}.map(([one, other]) => isBefore(one, other))))"
    command = [node, "--no-warnings", "--experimental-default-type=module", "--input-type=module", "-e", code]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    expected = [True] * (len(IN_ORDER) - 1) + [False] * (len(IN_ORDER) - 1) + [False, False]
    assert json.loads(found) == expected
