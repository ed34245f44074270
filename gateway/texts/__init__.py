"""Sentences that people read: what one is (``text.py``), its translations (``catalogues.py``; a ``.po`` for each area
and language), and whose language counts (``languages.py``).

A sentence is written in English where it belongs, as a ``Text``: the id of the message and its facts, nothing rendered.
Whoever answers a reader renders it in the reader's language. Nothing decides by a sentence; codes decide.
``text.py`` may be imported from everywhere; nothing here imports anything else of the gateway.
"""
