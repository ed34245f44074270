"""What telephony means here: messages, numbers, dial plan, pairing.

Nothing in this folder does I/O, knows the web or the database, or imports from the rest of the gateway.
"""
