"""The language server; no other package knows the Language Server Protocol."""
