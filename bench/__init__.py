"""Measures the server as a user meets it."""
