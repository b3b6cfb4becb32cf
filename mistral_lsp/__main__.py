"""Runs the command line as `python -m mistral_lsp`."""

import sys

from mistral_lsp.cli import main

if __name__ == "__main__":
    sys.exit(main())
