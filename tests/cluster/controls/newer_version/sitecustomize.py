"""A version with more migrations than ours: those of the folder NEWER_MIGRATIONS.

Python imports this module at its start, where its folder is in PYTHONPATH.
"""

import os
from pathlib import Path

from gateway.store import revisions

revisions.MIGRATIONS = Path(os.environ["NEWER_MIGRATIONS"])
