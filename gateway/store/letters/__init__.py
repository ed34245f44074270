"""Letters to those who are told of events: the outbox, what became of each letter, and for how long it is kept."""
