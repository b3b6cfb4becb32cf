"""The open documents of an editor, and the index of its workspace."""
