"""The speed checks: how fast ghost text comes after moves and edits of every kind."""
