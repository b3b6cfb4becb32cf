"""Recognises secrets in text: by names, by places, by shapes, and by randomness."""
