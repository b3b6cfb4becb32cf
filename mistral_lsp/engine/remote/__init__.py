"""Asks a server that somebody else runs; one adapter a dialect."""
