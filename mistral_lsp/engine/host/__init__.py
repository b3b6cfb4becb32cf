"""The host: the process that runs the model for all editors of a user."""
