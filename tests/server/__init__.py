"""The server: requests of clients that wait, flood and leave."""
