"""The quality bench: judges our suggestions, and those of other tools with the same model."""
