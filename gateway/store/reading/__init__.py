"""The event log as it is read: positions, epochs, who follows it and what wakes them."""
