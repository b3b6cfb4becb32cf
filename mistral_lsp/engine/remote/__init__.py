"""Model servers elsewhere, asked by HTTP; one adapter for each dialect."""
