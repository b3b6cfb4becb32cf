"""Recognises secrets in text: by names, places, shapes and randomness."""
