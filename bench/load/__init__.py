"""The load bench: measures how many editors one model server can serve."""
