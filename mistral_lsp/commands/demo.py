"""The command `demo`: streams ghost text at three cursors of a real file, and shows the times."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.syntax import Syntax
from rich.text import Text

from mistral_lsp.commands.one_request import engine_workbench, patient_settings
from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.types import Completion
from mistral_lsp.workspace.session import Session

CURSORS = (
    "return self.lines[number].removesuffix",
    "if line < len(self._lines):",
    "def set_text(self, text: str) -> None:",
)
"""Pieces of the shown file. At the middle of each, the model writes the rest of the line."""
LINES_AROUND = 5
PAUSE_SECONDS = 0.6


async def show(path: Path, overrides: Mapping[str, Any]) -> int:
    """Runs the demonstration on the file at `path`."""
    console = Console()
    session = Session(patient_settings(overrides))
    text = path.read_text(encoding="utf-8")  # noqa: ASYNC240, nothing else runs yet
    async with engine_workbench(session) as workbench:
        with console.status("loading the model …"):
            model = await workbench.engine.ready()
        console.print(
            f"[bold]{model.model}[/] on [bold]{model.engine}[/], {path.name}, "
            "ghost text in [cyan italic]italics[/]\n"
        )
        for number, line in enumerate(CURSORS):
            await _show_cursor(console, session, workbench, text, line, number)
    return 0


async def _show_cursor(
    console: Console, session: Session, workbench: Workbench, text: str, line: str, number: int
) -> None:
    start = text.index(line)
    offset = start + len(line) // 2
    request = _request(session, text, offset, number)
    with Live(_picture(request, ""), console=console, auto_refresh=False) as live:

        def grow(growing: Completion) -> None:
            live.update(_picture(request, growing.text), refresh=True)

        done = await pipeline.complete(request, workbench, grow)
        live.update(_picture(request, done.text), refresh=True)
    console.print(f"\n[dim]read anew: {_cost(done)}[/]")
    warm = await pipeline.complete(_request(session, text, offset - 1, number), workbench)
    console.print(f"[dim]one keystroke later: {_cost(warm)}[/]\n")
    await asyncio.sleep(PAUSE_SECONDS)


def _request(session: Session, text: str, offset: int, number: int) -> Request:
    """Creates a request at `offset`. The rest of the line after `offset` is removed."""
    uri = f"untitled:cursor-{number}.py"
    session.open(uri, "python", 0, text[:offset] + text[text.index("\n", offset) :])
    snapshot = session.snapshot(uri)
    assert snapshot is not None
    return Request(snapshot, offset, "automatic", session.settings)


def _cost(done: Completion) -> str:
    return (
        f"prompt tokens {done.usage.evaluated_tokens}, "
        f"first token {done.first_token_ms or 0:.0f} ms, all {done.total_ms:.0f} ms"
    )


def _picture(request: Request, ghost: str) -> Group:
    """Renders the lines around the cursor, with the ghost text inserted."""
    snapshot = request.snapshot
    number, column = snapshot.place(request.offset)
    first = max(0, number - LINES_AROUND)
    above = "\n".join(snapshot.line(place) for place in range(first, number))
    below = "\n".join(snapshot.line(place) for place in range(number + 1, number + LINES_AROUND))
    line = Text(f"{number + 1:4} " + snapshot.line(number)[:column])
    for place, part in enumerate(ghost.split("\n")):
        line.append(("\n     " if place else "") + part, style="cyan italic")
    line.append(snapshot.line(number)[column:])
    return Group(_code(above, first + 1), line, _code(below, number + 2))


def _code(text: str, first: int) -> Syntax:
    return Syntax(
        text,
        "python",
        theme="ansi_dark",
        line_numbers=True,
        start_line=first,
        background_color="default",
    )
