"""The peers: other servers, compared with mistral-lsp. Each is used as its own clients use it."""
