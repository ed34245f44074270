"""How lines come: over a connection that we or the exchange make, from a file or a folder, by syslog.

Each has ``run``, which feeds a ``LineReading`` until it is to stop or the connection ends, and ``probe``.
"""
