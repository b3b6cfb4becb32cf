"""Small tools for the text of others: URIs, globs, and what can be shown of it."""
