"""Runs one request without an editor. Several commands share this code."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mistral_lsp import config
from mistral_lsp.completion import pipeline
from mistral_lsp.completion.pipeline import Grow
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.engine.choose import new_engine, wanted_by
from mistral_lsp.types import Span, UserError
from mistral_lsp.workspace.session import Session

PATIENT_MS = 120_000
MOST_DIGITS = 18
"""Maximum number of digits of line and column together."""


@asynccontextmanager
async def opened(
    place: str, overrides: Mapping[str, Any]
) -> AsyncIterator[tuple[Request, Workbench]]:
    """Gives a request at FILE:LINE:COL, and a workbench with an engine.

    Raises UserError if there is no such place.
    """
    path, line, column = split_place(place)
    session = Session(patient_settings(overrides))
    request = make_request(session, path, line, column)
    async with engine_workbench(session) as workbench:
        yield request, workbench


@asynccontextmanager
async def engine_workbench(session: Session) -> AsyncIterator[Workbench]:
    """Gives a workbench with an engine for the session's settings. Disconnects at the end."""
    # Sets no options for the host's exit. So a host shared with editors exits as they want, and
    # any other host exits with this client.
    engine = new_engine(wanted_by(session.settings).without_wishes())
    engine.start()
    try:
        yield Workbench(engine, interactive=False)
    finally:
        await engine.close()


def patient_settings(overrides: Mapping[str, Any]) -> config.Settings:
    """Gives the user's settings, with a deadline long enough for loading the model."""
    settings, problems = config.load_user_settings()
    if problems:
        raise UserError(" ".join(problems))
    return config.read({**overrides, "deadlineMs": PATIENT_MS}, settings)[0]


def split_place(place: str) -> tuple[Path, int, int]:
    """Splits FILE:LINE:COL into path, line and column.

    The given numbers count from 1, the returned ones from 0.
    """
    name, _, rest = place.rpartition(":")
    name, _, line = name.rpartition(":")
    numbers = f"{line}{rest}"
    if not (name and line and rest and _are_digits(numbers) and int(line) and int(rest)):
        raise UserError(f"Say where as FILE:LINE:COL, counted from 1, not {place!r}.")
    return Path(name), int(line) - 1, int(rest) - 1


def _are_digits(text: str) -> bool:
    """Whether a text is a number that int() accepts, with at most MOST_DIGITS digits."""
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def make_request(session: Session, path: Path, line: int, column: int) -> Request:
    """Creates a request at a place in a file. Raises UserError if there is no such place."""
    try:
        # Editors don't count a byte order mark as a column.
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    uri = path.resolve().as_uri()
    session.set_roots([Path.cwd().as_uri()])
    session.open(uri, "", 0, text)
    snapshot = session.snapshot(uri)
    if snapshot is None or line >= snapshot.line_count() or column > len(snapshot.line(line)):
        raise UserError(f"{path} has no line {line + 1} with a column {column + 1}.")
    return Request(snapshot, snapshot.offset(line, column), "invoked", session.settings)


async def complete(
    request: Request, workbench: Workbench, grow: Grow | None = None
) -> dict[str, Any]:
    """Runs a request, and gives the object that `complete --json` prints."""
    done = await pipeline.complete(request, workbench, grow)
    return {
        "text": done.text.replace("\n", request.snapshot.line_end),
        "range": _range(request, done.span),
        "reason": done.reason,
        "engine": done.engine,
        "model": done.model,
        "form": done.form,
        **dataclasses.asdict(done.usage),
        "first_token_ms": done.first_token_ms,
        "total_ms": done.total_ms,
        "cached": done.cached,
    }


def _range(request: Request, span: Span) -> dict[str, dict[str, int]]:
    ends = {}
    for name, offset in (("start", span.start), ("end", span.end)):
        line, column = request.snapshot.place(offset)
        ends[name] = {"line": line + 1, "column": column + 1}
    return ends


def print_explanation(result: dict[str, Any]) -> None:
    """Prints the explanation of a prompt as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if result["reason"]:
        console.print(f"Nothing would be asked: {result['reason']}")
        return
    table = Table("part", "tokens", "why", "text", caption=f"{result['tokens']} tokens in all")
    for part in result["parts"]:
        text = part["text"]
        shown = text if len(text) <= 400 else f"{text[:200]}\n…\n{text[-200:]}"
        table.add_row(part["label"], str(part["tokens"]), part["why"], Text(shown))
    console.print(f"{result['model']} on {result['engine']}, form {result['form']}")
    console.print(table)
