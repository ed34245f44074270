"""Whole clusters on this machine: PostgreSQL primary and standby, several gateway nodes, clients, and a checker.

``servers.py`` runs PostgreSQL, ``proxy.py`` slows or cuts the network, ``nodes.py`` runs gateways, ``clients.py`` plays
exchanges, CRMs and screens, ``appliance.py`` is dialled. All write what they were told into a ``History``
(``history.py``), which ``checker.py`` holds against the database afterwards. Every run keeps the logs of all servers.
"""
