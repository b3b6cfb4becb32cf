"""Runs a model: tokens in, tokens out. Knows nothing of processes and editors."""
