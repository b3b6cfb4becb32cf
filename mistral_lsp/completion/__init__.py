"""Answers requests: from a place in a file to the completion shown there."""
