"""Checks how many secrets get into prompts, and how much code is mistaken for secrets."""
