"""The way into the database: drafts, tickets, one writer for each lane, a batch and what it looks up, numbers."""
