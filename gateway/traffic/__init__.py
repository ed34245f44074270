"""The traffic log's care for secrets: which texts of a request are secret, and how they are found in its bytes.

Whoever reads a request tells which texts it took for secrets (``told.py``); they are masked in every spelling that
bytes may give them (``spelled.py``). What nobody could read is known by names of fields alone (``traffic/masking.py``).
"""
