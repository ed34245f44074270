"""What becomes of a call: which events are one call (pairing), what they do to it (states, book), results, whose it is.

``book.py`` is where to begin: it decides what an event changes, of ``heard.py``'s events and ``call.py``'s calls.
"""
