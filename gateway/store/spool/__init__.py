"""What a node keeps on its own disk while PostgreSQL is away, and how it comes into the database."""
