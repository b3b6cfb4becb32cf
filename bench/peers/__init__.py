"""Peers: the servers compared with mistral-lsp, each driven as its own clients drive it."""
