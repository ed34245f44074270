"""One file for each protocol that appliances speak. See ``gateway/adapter.py`` for what an adapter is.

Adapters import only ``gateway.adapter``, ``gateway.domain``, ``gateway.errors`` and each other; nobody
imports them: they are found through the entry-point group ``cti_gateway.adapters``.
"""
