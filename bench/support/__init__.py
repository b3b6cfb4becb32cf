"""Helpers shared by several benches."""
