"""PostgreSQL behind the store's seam: engine, schema, heads, doorbell, and the writer's transactions."""
