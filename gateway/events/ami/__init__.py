"""Asterisk's manager interface (AMI) as a source of call events.

Pure: bytes or events go in, with the moment at which they came, and what happened to calls comes out as messages of the
domain. Nothing here opens a connection, starts a thread or looks at a clock. What is known of Asterisk's events was
recorded from version 22.10.1; what older versions send (``older.py``) was only read of.
"""
