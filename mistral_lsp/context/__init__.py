"""Reads the code around the cursor and in other files, and decides whether to offer anything."""
