"""Power cuts: what would be on the disk if the power had gone at a moment, and does the gateway keep its word with it?

``shim.c`` writes down every change of the files; ``writelog.py`` reads that, ``disk.py`` makes the disk of any moment
from it. ``load.py`` and ``peers.py`` are the machines around the gateway, ``promises.py`` is what was promised to them,
``series.py`` is a gateway whose power is cut again and again.
"""
