"""Model files: what a header says, which models are known, where they lie."""
