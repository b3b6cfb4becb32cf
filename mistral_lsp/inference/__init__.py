"""Runs a model: tokens in, tokens out. Independent of processes and editors."""
