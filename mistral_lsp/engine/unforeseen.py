"""Turns an unexpected exception into a message for the user and a line of the log."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mistral_lsp.types import EngineError, UserError

logger = logging.getLogger(__name__)


def sentence(what: str, error: BaseException) -> str:
    """Gives a sentence on the failure of `what`, with the place in our code.

    The exception's text is left out, since it may contain the user's code.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "mistral_lsp" in Path(frame.filename).parts] or frames
    where = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return (
        f"{what} met an error that was not foreseen: {type(error).__name__}{where}. Run "
        "mistralLsp.reload; if it comes again, report it, with: mistral-lsp doctor --bundle FILE."
    )


@contextmanager
def told(what: str) -> Iterator[None]:
    """Replaces any exception in the `with` block by an EngineError, except a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - the waiting caller needs an answer
        said = sentence(what, error)
        logger.error("%s", said)
        raise EngineError(said) from error


def watched(
    task: asyncio.Task[None], what: str, failed: Callable[[str], None] = lambda said: None
) -> asyncio.Task[None]:
    """Logs the failure of a task, and calls `failed` with a message. Gives the same task."""

    def over(done: asyncio.Task[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            said = str(error) if isinstance(error, UserError) else sentence(what, error)
            logger.error("%s", said)
            failed(said)

    task.add_done_callback(over)
    return task
