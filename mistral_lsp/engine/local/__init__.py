"""The language server's side of a host: finds or starts it, and talks with it."""
