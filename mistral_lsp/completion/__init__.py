"""The way of a request: from a place in a file to the text that is shown there."""
