"""Short runs of the soak tests that `make soak` runs for hours."""
