"""Syntax trees, and the brackets and strings that are open at a place."""
