"""What people see: pages, the stream of events to open screens, and JSON for scripts.

It reads what the store remembers and asks ``gateway.handlers`` for everything that changes something.
Screens follow the event log, never a handler's memory, so a reload, a lost connection or a second process
misses nothing.
"""
