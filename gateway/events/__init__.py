"""Event sources that the gateway goes and gets: a manager interface, lines of text, a table of finished calls.

Each kind is a class of ``gateway.event_source`` in a folder of its own, found by entry point. The runner gives each
configured source a thread of its own, in one process at a time, and does for all of them what is not their trade:
who runs it, pauses, writing down, the traffic log, what people are shown.
"""
