"""The latency bench: waiting times for ghost text while typing, ours and other servers'."""
