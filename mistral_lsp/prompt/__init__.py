"""Packs the prompt into the model's window, in an order that reuses the KV cache."""
