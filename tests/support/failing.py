"""Runs the real server with handlers that fail; their errors contain a line of the user's code.

Run as `python -m tests.support.failing`, with the options of mistral-lsp.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from mistral_lsp import cli
from mistral_lsp.server import features, serve
from mistral_lsp.server.app import App
from mistral_lsp.types import UserError

CODE = "password = hunter2"
MENDABLE = "The model is missing; download it."
NOTIFICATIONS = ("test/failsAsNote", "test/failsLaterAsNote")
REQUESTS = ("test/fails", "test/failsLater")


def fail(*_: Any) -> None:
    raise KeyError(CODE)


async def fail_later(*_: Any) -> None:
    await asyncio.sleep(0)
    raise ValueError(CODE) from KeyError(CODE)


async def fail_in_a_task(*_: Any) -> None:
    asyncio.create_task(fail_later())  # noqa: RUF006  nobody asks how it ended
    await asyncio.sleep(0.01)


def register(app: App) -> None:
    """Registers the usual handlers and the failing ones with `app`."""
    features.register(app)
    for method, handler in zip(
        REQUESTS + NOTIFICATIONS, (fail, fail_later, fail, fail_later), strict=True
    ):
        app.feature(method)(handler)
    app.command("test.fails")(fail)
    app.command("test.failsLater")(fail_later)
    app.command("test.failsInATask")(fail_in_a_task)

    @app.command("test.isMendable")
    def mendable(*_: Any) -> None:
        raise UserError(MENDABLE)


if __name__ == "__main__":
    vars(serve)["register"] = register
    sys.exit(cli.main())
