"""Answers requests: finds the completion to show at a place in a file."""
