"""The servers that mistral-lsp is compared with, each driven as its own clients drive it."""
