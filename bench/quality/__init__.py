"""The quality bench: suggestions of mistral-lsp, and of other ways to ask the same model."""
