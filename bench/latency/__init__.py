"""How long a person waits for ghost text while typing, ours and other servers'."""
