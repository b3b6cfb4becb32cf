"""Checks how many secrets reach prompts, and how much code is mistaken for secrets."""
