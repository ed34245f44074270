"""How long ago an event may be that belongs to a call, in milliseconds; what each rule means by a while."""

LONGEST_CALL_MS = 24 * 3600 * 1000
"""An open call older than this is not ended any more by an end that only names the same pair."""
LONGEST_RING_MS = 120 * 1000
"""After this long an order no longer claims a call that starts: somebody dialled the same number by hand."""
START_REPEAT_MS = 30 * 1000
"""A second start of the same pair within this time is the exchange trying again, not a second call."""
END_REPEAT_MS = 60 * 1000
"""The same for ends."""
OVERTAKEN_MS = 10 * 1000
"""A start may be heard this long after its end: exchanges send both from different processes."""
KNOWN_BY_ID_MS = 26 * 24 * 3600 * 1000
"""A call that began so long before is known by the exchange's id, and a missed one returned by a call; where the
database keeps older ones apart, these are not looked for. Less than a month, so that two months are looked through.
"""
LATE_MS = 3600 * 1000
"""The same where both say when they happened, so that a queue in the exchange may have held them back."""
GROUP_MS = 5 * 1000
"""The same caller ringing several extensions within this time rings a group."""
TRANSFER_MS = 4 * 3600 * 1000
"""A call that began within this time may be ended by another extension, to which it was transferred."""
SAME_MOMENT_MS = 2 * 1000
CLOCK_MS = 120 * 1000
"""How far an exchange's clock may be off ours before we take it for another moment."""
LONGEST_RECORD_MS = 7 * 24 * 3600 * 1000
"""A record of a finished call that comes later finds only a call with its id."""
