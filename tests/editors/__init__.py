"""The real editors."""
