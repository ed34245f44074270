"""Events from a table of finished calls in a database of others: Asterisk's ``cdr``, a tariff program's.

A table is looked at again and again: what was added since is found by a column that grows, with rows that come late or
are changed afterwards. A row is read as a line of text is (``gateway/events/lines``): by a description, often a preset.
``position.py`` knows where to look, ``reading.py`` makes calls of rows, ``source.py`` joins them. docs/sources.md
explains the settings.
"""
