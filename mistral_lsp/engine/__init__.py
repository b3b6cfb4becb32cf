"""Runs models: in a child process that this package starts, feeds and watches."""

import importlib.util

FASTEST_FIRST = ("llama_cpp", "ctransformers")


def installed() -> list[str]:
    """The engines that can be imported here, fastest first."""
    return [name for name in FASTEST_FIRST if importlib.util.find_spec(name)]
