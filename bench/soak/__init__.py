"""Soak tests: random messages, faults, hours of typing, damaged files, texts for grammars."""
