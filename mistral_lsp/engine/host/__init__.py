"""The process that computes: one for all editors of a user."""
