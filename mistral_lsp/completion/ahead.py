"""What is read and written before anybody asks for it, while the engine has nothing else to do."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from mistral_lsp.completion.cache import Entry
from mistral_lsp.completion.prompting import find_plan, make_grown_plan, prepare
from mistral_lsp.completion.request import Request, Workbench, parse, refuse
from mistral_lsp.completion.situation import situation
from mistral_lsp.context.cursor import read_cursor
from mistral_lsp.postprocess.limit_lines import is_over
from mistral_lsp.prompt.build import build
from mistral_lsp.types import EngineError, LoadedModel, Prompt

BREATH_SECONDS = 0.02
"""Where reading can't be aborted, sooner it would be in the way of a key that follows at once."""
REST_SECONDS = 0.3
"""A pause that says that the user is not in the middle of a word."""
NEARLY_TYPED = 8
"""Characters left of a line from which on the next one is worth writing."""
SURE = 0.8
"""Mean probability of a line's tokens from which on the user is taken to want it."""
NEXT_LINE_TOKENS = 48


async def look(request: Request, workbench: Workbench) -> None:
    """Reads the window for a place where the cursor rests, so that the first answer is quick. The
    place may lie in an answer, for clients ask nothing while their user types what is shown.
    """
    turn = workbench.scheduler.turn
    await parse(request.snapshot)
    if workbench.scheduler.turn != turn:
        return  # somebody asked for an answer meanwhile
    cursor = read_cursor(request.snapshot, request.offset)
    if refuse(request, cursor) is None:
        found = workbench.cache.find(request.snapshot, request.offset)
        use_pause(request, found[0] if found else None, workbench)


def use_pause(request: Request, entry: Entry | None, workbench: Workbench) -> None:
    """Gets ready for what may come next at a place that `entry` has an answer for, or nothing."""
    if not workbench.interactive:
        return
    line = entry if entry is not None and _is_nearly_typed(entry, request.offset) else None
    workbench.scheduler.idle(lambda: _get_ready(request, line, workbench), about=line)


async def _get_ready(request: Request, line: Entry | None, workbench: Workbench) -> None:
    """Reads on at the cursor, or writes what follows the `line` that is nearly typed; after a
    moment also reads a better window. The place where a file was opened waits for the model.
    """
    with contextlib.suppress(EngineError):
        model = await workbench.engine.ready()
        if line is None:
            if not model.can_abort:
                await asyncio.sleep(BREATH_SECONDS)
            await _read(await prepare(request, workbench, model), workbench)
        else:
            await _write_next_line(request, line, workbench, model)
        await asyncio.sleep(REST_SECONDS)
        workbench.recent.note(request.snapshot, request.offset)
        await _grow_window(request, workbench, model)


async def _read(prompt: Prompt, workbench: Workbench) -> None:
    """Lets the engine read a prompt, up to the last text that typing appends to.

    Where only a mark follows, that is read, too: the model's word on what comes next then waits for
    the next key, which needs no eval to begin an answer.
    """
    labels = [part.label for part in prompt.parts]
    if "prefix" not in labels:
        return  # at a file's start, where nothing is read that typing would append to
    behind = labels.index("prefix") + 1
    only_marks = all(part.special for part in prompt.parts[behind:])
    parts = prompt if only_marks else replace(prompt, parts=prompt.parts[:behind])
    reading = workbench.engine.generate(parts, max_tokens=0, background=True)
    try:
        async for _ in reading:
            pass
    finally:
        reading.stop()


def _is_nearly_typed(entry: Entry, offset: int) -> bool:
    """Whether the user has taken up a line and will soon be at its end."""
    typed = offset - entry.offset
    line = entry.text.partition("\n")[0]
    tokens = entry.answer.tokens_within(len(line))
    sure = sum(token.probability for token in tokens) >= SURE * len(tokens)
    return sure and typed > 0 and len(line) - typed <= NEARLY_TYPED


async def _write_next_line(
    request: Request, entry: Entry, workbench: Workbench, model: LoadedModel
) -> None:
    """Writes what follows the entry's line, as if the user had typed that to its end."""
    line = entry.text.partition("\n")[0]
    following = entry.behind(f"{line}\n")
    plan = await find_plan(request, workbench, model)
    if not line.strip() or plan is None or workbench.cache.holds(following):
        return
    untyped = f"{line}\n"[request.offset - entry.offset :]
    prompt = build(model.form, plan, *request.told(), untyped)
    cursor = read_cursor(request.snapshot, request.offset)
    here = situation(request, cursor, following.answer, workbench)
    below = here.nesting.behind(untyped)
    place = replace(here, line_prefix="", line_suffix="", nesting=below, has_open_string=False)
    writing = workbench.engine.generate(prompt, NEXT_LINE_TOKENS, background=True)
    try:
        async for token in writing:
            following.take(token)
            if is_over(following.text, place):
                break
        else:
            following.ended = writing.usage.generated_tokens < NEXT_LINE_TOKENS
        following.complete = True
        workbench.cache.put(following)
    finally:
        writing.stop()


async def _grow_window(request: Request, workbench: Workbench, model: LoadedModel) -> None:
    """Reads a larger window, or one that starts further down, before the present one is full; also
    one with other excerpts of other files, where that costs a user who goes on typing nothing.
    """
    plan = await find_plan(request, workbench, model)
    if plan is None:
        return
    snapshot, offset = request.told()
    holds_two = model.first_window < model.working_window
    tight = await plan.is_tight(snapshot.text, offset, workbench.engine.count)
    if not tight and not holds_two:
        return
    grown = await make_grown_plan(request, workbench, model)
    if not tight and not plan.is_behind(grown):
        return
    if not holds_two:
        workbench.plans.keep(
            request.snapshot.uri, grown
        )  # what was read for the other is lost anyway
    await _read(build(model.form, grown, snapshot, offset), workbench)
    if holds_two:
        workbench.plans.keep(request.snapshot.uri, grown)
