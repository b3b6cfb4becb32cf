"""Model files: their headers, the registry of known models, and their places on disk."""
