"""Chooses the texts of a prompt, and orders them so that the model's KV cache can be reused."""
