"""Logging in: which passwords may be chosen, how often a wrong one may be given, how much hashing costs us.

``gateway.logins.passwords`` is the entrance to all of it. Nothing here knows wires or pages.
"""
