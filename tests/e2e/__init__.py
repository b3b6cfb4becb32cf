"""The real server process, over its pipes."""
