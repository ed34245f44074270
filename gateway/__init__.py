"""The gateway between CRMs and telephone exchanges. Start reading at ``server/bootstrap.py``."""

__version__ = "0.1.0"
