"""What is remembered. SQLAlchemy is used only in this folder.

Writing goes through ``journal.py`` (many producers, one transaction); reading through ``calls.py``,
``directory.py`` and ``log.py``. Whoever wants to know what happened reads; nobody is told.
"""
