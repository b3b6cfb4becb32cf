"""Measures the latency of ghost text after moves and edits of every kind."""
