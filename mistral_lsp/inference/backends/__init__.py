"""The backends: one file for each inference library."""
