"""Units, and properties of them."""
