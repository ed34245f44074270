"""A gateway made wrong on purpose: its imports do not look whether they were given up.

Python imports this module at its start, where its folder is in PYTHONPATH.
"""

from gateway.store.imports import loading

loading.fence = lambda connection, run_id: None
