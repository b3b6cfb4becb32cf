"""Runs what must hold all day. `python -m bench.soak` runs everything; name parts to run those."""

from __future__ import annotations

import argparse
import json
import sys

from bench.soak import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(fuzz.run(options.messages, options.seed), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
