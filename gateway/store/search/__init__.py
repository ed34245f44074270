"""The search for calls: its index, how that follows the event log, and what is looked for in it."""
