"""What is remembered. SQLAlchemy is used only in this folder.

``database.py`` is the seam: ``sqlite/`` and ``postgresql/`` are behind it. Writing goes through ``writing/journal.py``
(many producers, one transaction), or into ``spool/`` while PostgreSQL is away; reading through ``calls.py``,
``directory.py``, ``search/`` and the event log in ``reading/``. Whoever wants to know what happened reads; nobody is
told. What processes and nodes share beside rows is in ``shared/``, what is told to others in ``letters/``.
"""
