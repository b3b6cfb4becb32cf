"""The benches: they measure the real server from outside, as its users experience it."""
