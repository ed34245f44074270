"""A machine whose clock is wrong: by CLOCK_AHEAD_S seconds.

Python imports this module at its start, where its folder is in PYTHONPATH.
"""

import os
import time

_ahead_s = float(os.environ.get("CLOCK_AHEAD_S", "0"))
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _ahead_s
time.time_ns = lambda: _time_ns() + int(_ahead_s * 1e9)
