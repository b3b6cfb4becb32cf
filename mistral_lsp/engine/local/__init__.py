"""The part of the language server that finds or starts a host, and talks with it."""
