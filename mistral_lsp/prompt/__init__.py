"""Packs what the model should see into its window, in the order that the KV cache likes."""
