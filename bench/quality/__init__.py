"""How good the suggestions are, and those of other ways to ask the same model."""
