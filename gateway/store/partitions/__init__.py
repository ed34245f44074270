"""Tables that grow without end, in partitions on PostgreSQL: events by month, calls with their legs and notes by id."""
