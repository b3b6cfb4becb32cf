"""Checks of the server's promises, one function each."""
