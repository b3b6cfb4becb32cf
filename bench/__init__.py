"""Benches: measure the real server from outside, as its users meet it."""
