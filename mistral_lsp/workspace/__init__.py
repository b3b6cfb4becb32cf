"""What an editor has open, and what lies around it."""
