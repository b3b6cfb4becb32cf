"""Works while the engine is idle: reads prompts, makes windows larger, writes next lines."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from mistral_lsp.completion.cache import Entry
from mistral_lsp.completion.prompting import find_plan, make_grown_plan, prepare
from mistral_lsp.completion.request import Request, Workbench, parse, refuse
from mistral_lsp.completion.situation import situation
from mistral_lsp.postprocess.limit_lines import is_over
from mistral_lsp.prompt.build import build
from mistral_lsp.types import Decoding, EngineError, LoadedModel, Prompt

NEARLY_TYPED = 8
"""When at most this many characters of a line are left to type, the next line is written ahead."""
SURE = 0.8
"""Minimum mean probability of the current line's tokens. Otherwise, no line is written ahead."""
NEXT_LINE_TOKENS = 48
"""Maximum number of tokens of a line written ahead."""


async def look(request: Request, workbench: Workbench) -> None:
    """Works ahead for the place where the cursor rests, so that the next answer comes quickly.

    The cursor may be within ghost text. While the user types ghost text, clients send no requests.
    """
    turn = workbench.scheduler.turn
    await parse(request.snapshot)
    if workbench.scheduler.turn != turn:
        return  # somebody asked for an answer meanwhile
    if refuse(request) is None:
        found = workbench.cache.find(request.snapshot, request.offset)
        use_pause(request, found[0] if found else None, workbench)


def use_pause(request: Request, entry: Entry | None, workbench: Workbench) -> None:
    """Starts to work ahead in the background.

    `entry` is the answer at the request's place, or None.
    """
    if not workbench.interactive:
        return
    line = entry if entry is not None and _is_nearly_typed(entry, request.offset) else None
    workbench.scheduler.idle(lambda: _get_ready(request, line, workbench), about=line)


async def _get_ready(request: Request, line: Entry | None, workbench: Workbench) -> None:
    """Reads the prompt at the cursor, or writes the next line if `line` is given.

    `line` is an answer whose first line the user has nearly typed. The work starts once the model
    is loaded. If the pause lasts `Pauses.rest` longer, the window grows, too.
    """
    with contextlib.suppress(EngineError):
        model = await workbench.engine.ready()
        if line is None:
            if not model.can_abort:
                await asyncio.sleep(workbench.pauses.breath)
            await _read(await prepare(request, workbench, model), workbench, model)
        else:
            await _write_next_line(request, line, workbench, model)
        await asyncio.sleep(workbench.pauses.rest)
        workbench.recent.note(request.snapshot, request.offset)
        await _grow_window(request, workbench, model)


async def _read(prompt: Prompt, workbench: Workbench, model: LoadedModel) -> None:
    """Lets the engine read a prompt up to the end of the prefix, where the user types.

    The engine also reads the rest of the prompt if that is only special tokens, or if the engine
    can move the suffix in its KV cache. The probabilities of the first token are then ready before
    a request comes.
    """
    labels = [part.label for part in prompt.parts]
    if "prefix" not in labels:
        return  # at a file's start there is no prefix to read ahead
    behind = labels.index("prefix") + 1
    only_marks = all(part.special for part in prompt.parts[behind:])
    if not only_marks and not model.can_splice:
        prompt = replace(prompt, parts=prompt.parts[:behind])
    reading = workbench.engine.generate(prompt, Decoding(0, background=True))
    try:
        async for _ in reading:
            pass
    finally:
        reading.stop()


def _is_nearly_typed(entry: Entry, offset: int) -> bool:
    """Whether the user has nearly typed the answer's first line, and the model is sure of it."""
    typed = offset - entry.offset
    line = entry.text.partition("\n")[0]
    tokens = entry.answer.tokens_within(len(line))
    sure = sum(token.probability for token in tokens) >= SURE * len(tokens)
    return sure and typed > 0 and len(line) - typed <= NEARLY_TYPED


async def _write_next_line(
    request: Request, entry: Entry, workbench: Workbench, model: LoadedModel
) -> None:
    """Lets the model write the line after the entry's first line, and caches the answer.

    The prompt ends as if the user had typed the first line to its end.
    """
    line = entry.text.partition("\n")[0]
    following = entry.behind(f"{line}\n")
    plan = await find_plan(request, workbench, model)
    if not line.strip() or plan is None or workbench.cache.holds(following):
        return
    untyped = f"{line}\n"[request.offset - entry.offset :]
    prompt = build(model.form, plan, *request.told(), untyped)
    here = situation(request, following.answer, workbench)
    below = here.nesting.behind(untyped)
    place = replace(here, line_prefix="", line_suffix="", nesting=below, has_open_string=False)
    writing = workbench.engine.generate(prompt, Decoding(NEXT_LINE_TOKENS, background=True))
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
    """Reads a new window before the present one is full.

    The new window is larger, or starts further down. An engine that can hold two windows also reads
    a new one when the present excerpts of other files are out of date. Such an engine can do so
    without delaying the user.
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
        )  # reading it discards the old plan's KV cache anyway
    await _read(build(model.form, grown, snapshot, offset), workbench, model)
    if holds_two:
        workbench.plans.keep(request.snapshot.uri, grown)
