"""How the directory comes in: a source speaks (``gateway.source``), what it says is put together, read and compared,
and only what changed is written.

``columns`` and ``sheet`` understand tables, ``accounts`` makes accounts of what was said, ``run`` does one import from
beginning to end, ``desk`` decides which and when.
"""
