"""Model servers elsewhere, asked over HTTP; one adapter for each dialect."""
