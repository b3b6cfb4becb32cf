"""Works ahead while the engine is idle: reads prompts, grows windows, writes next lines."""

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

BREATH_SECONDS = 0.02
"""Seconds before an engine without abort reads ahead, so that a quick next key is not delayed."""
REST_SECONDS = 0.3
"""Seconds. After such a pause, the user is assumed not to be in the middle of a word."""
NEARLY_TYPED = 8
"""Characters. With at most so many left to type in a line, the next one is written ahead."""
SURE = 0.8
"""Least mean probability of a line's tokens at which the next line is written ahead."""
NEXT_LINE_TOKENS = 48
"""Tokens of a line written ahead, at most."""


async def look(request: Request, workbench: Workbench) -> None:
    """Reads the prompt for a place where the cursor rests, so that the first answer is quick.

    The place may be within an answer: clients send no request while the user types ghost text.
    """
    turn = workbench.scheduler.turn
    await parse(request.snapshot)
    if workbench.scheduler.turn != turn:
        return  # somebody asked for an answer meanwhile
    if refuse(request) is None:
        found = workbench.cache.find(request.snapshot, request.offset)
        use_pause(request, found[0] if found else None, workbench)


def use_pause(request: Request, entry: Entry | None, workbench: Workbench) -> None:
    """Starts to work ahead at the request's place; `entry` is the answer there, if any."""
    if not workbench.interactive:
        return
    line = entry if entry is not None and _is_nearly_typed(entry, request.offset) else None
    workbench.scheduler.idle(lambda: _get_ready(request, line, workbench), about=line)


async def _get_ready(request: Request, line: Entry | None, workbench: Workbench) -> None:
    """Reads the prompt at the cursor.

    `line` is an answer that the user has typed nearly to its end; then the model writes the line
    after it instead. It first waits for the model to be loaded. After a rest, it also grows the
    window.
    """
    with contextlib.suppress(EngineError):
        model = await workbench.engine.ready()
        if line is None:
            if not model.can_abort:
                await asyncio.sleep(BREATH_SECONDS)
            await _read(await prepare(request, workbench, model), workbench, model)
        else:
            await _write_next_line(request, line, workbench, model)
        await asyncio.sleep(REST_SECONDS)
        workbench.recent.note(request.snapshot, request.offset)
        await _grow_window(request, workbench, model)


async def _read(prompt: Prompt, workbench: Workbench, model: LoadedModel) -> None:
    """Lets the engine read a prompt up to the end of the prefix, where the user types.

    If only special tokens follow, or the engine can splice, the rest is read, too. Then the first
    token's probabilities are ready, and an answer begins without an eval.
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
    """Whether the user is about to finish the answer's first line, and the model is sure of it."""
    typed = offset - entry.offset
    line = entry.text.partition("\n")[0]
    tokens = entry.answer.tokens_within(len(line))
    sure = sum(token.probability for token in tokens) >= SURE * len(tokens)
    return sure and typed > 0 and len(line) - typed <= NEARLY_TYPED


async def _write_next_line(
    request: Request, entry: Entry, workbench: Workbench, model: LoadedModel
) -> None:
    """Writes the next line into the cache, as if the user had typed the entry's line to its end."""
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
    """Reads a larger window, or one that starts further down, before the current one is full.

    An engine that can hold two windows also reads one with newer excerpts of other files, since
    this does not delay a typing user.
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
