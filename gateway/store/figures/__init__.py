"""Figures of a period, counted from the calls; whole hours of the past from sums that are kept beside them.

``triggers.py`` has the database note each hour whose calls change once it is summed. Noted hours, and those that are
not summed yet, are counted from the calls, so that a page says the same with sums and without.
"""
