"""The load bench: how many editors one model server can serve."""
