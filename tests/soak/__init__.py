"""Short runs of what `make soak` runs for long."""
