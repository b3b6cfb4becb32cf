"""Ghost text from a fill-in model on your own machine, for any editor that speaks LSP."""

__version__ = "0.1.0"
