"""Small text tools: URIs, globs, and untrusted text made safe to show."""
