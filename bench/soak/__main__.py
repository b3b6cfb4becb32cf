"""Runs all soak tests, or those named on the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from bench.soak import faults, fuzz, grammars, headers, models, typing
from mistral_lsp.models import store


def main() -> int:
    """Prints a JSON object for each soak test. Gives 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--faults", type=int, default=1_000)
    parser.add_argument("--headers", type=int, default=100_000)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=1_000)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "fuzz": lambda: fuzz.run(options.messages, options.seed),
        "faults": lambda: faults.run(options.faults, options.seed),
        "model-faults": lambda: faults.run(
            options.faults // 20, options.seed, store.locate(""), sites=1
        ),
        "headers": lambda: headers.run(options.headers, options.seed),
        "grammars": lambda: grammars.run(options.texts, options.seed),
        "models": lambda: models.run(options.models, options.seed),
        "typing": lambda: typing.run(options.hours, options.seed),
    }
    wrong = False
    for name in options.parts or parts:
        found = parts[name]()
        wrong = wrong or bool(found["wrongs"])
        print(json.dumps({name: found}, indent=1), flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
