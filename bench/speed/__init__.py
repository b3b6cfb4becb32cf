"""Measures how soon ghost text is there wherever a person goes and whatever they do to the text."""
