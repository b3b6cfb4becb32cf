"""Runs a model: tokens in, tokens out. It knows no process and no editor."""
