"""The side of a host that the server is on: finds one or starts it, and talks with it."""
