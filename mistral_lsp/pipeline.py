"""The way of a request from the cursor to ghost text: every stage, by name, in order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mistral_lsp import postprocess
from mistral_lsp.cache import Cache
from mistral_lsp.config import Settings
from mistral_lsp.context import gate
from mistral_lsp.context.cursor import Cursor, read_cursor
from mistral_lsp.context.outline import introduce
from mistral_lsp.document import Snapshot
from mistral_lsp.engine.base import Engine, EngineError
from mistral_lsp.metrics import Metrics
from mistral_lsp.postprocess.base import Situation, Suggestion, confidence
from mistral_lsp.postprocess.limit_lines import is_over
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.window import Plan, make_plan
from mistral_lsp.scheduler import Scheduler, Superseded
from mistral_lsp.types import Answer, Completion, LoadedModel, Prompt, Span, Token, Trigger, Usage

KEPT_PLANS = 64
SUPERSEDED = "a newer request took over"
SMALLEST_BUDGET = 64
NO_USAGE = Usage()
RESERVED_TOKENS = 48
"""Room in the window for marks, the path and the introduction."""

Grow = Callable[[Completion], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A place in a frozen file, and what the user allows."""

    snapshot: Snapshot
    offset: int
    trigger: Trigger
    settings: Settings


@dataclass
class Stages:
    """What requests share: the engine, and what is remembered from one to the next."""

    engine: Engine
    scheduler: Scheduler = field(default_factory=Scheduler)
    cache: Cache = field(default_factory=Cache)
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], float] = time.perf_counter
    plans: OrderedDict[str, Plan] = field(default_factory=OrderedDict)


@dataclass
class Draft:
    """An answer in the making, and what it has cost so far."""

    cursor: Cursor
    model: LoadedModel | None
    tokens: list[Token] = field(default_factory=list)
    complete: bool = False
    usage: Usage = NO_USAGE
    first_token_at: float | None = None
    cached: bool = False
    shown: str = ""
    """The longest beginning that the user was shown."""

    @property
    def answer(self) -> Answer:
        """The raw answer as far as it goes."""
        return Answer(tuple(self.tokens), self.complete)


async def complete(request: Request, stages: Stages, grow: Grow | None = None) -> Completion:
    """Answers a request. `grow` hears of every longer beginning of the answer, while it streams.

    Out of time, the answer is what there is; where there is nothing to show, its `reason` says why.
    Raises CancelledError where the caller is cancelled, and nothing else.
    """
    started = stages.clock()
    cursor = read_cursor(request.snapshot, request.offset)
    draft = Draft(cursor, stages.engine.model)
    try:
        reason = await _write(request, draft, stages, grow)
        completion = _judge(request, draft, reason)
        draft.shown = completion.text or draft.shown
    finally:
        if not draft.cached:
            stages.metrics.shown_tokens += len(draft.answer.tokens_within(len(draft.shown)))
    completion = _timed(completion, draft, started, stages.clock())
    stages.metrics.record(completion)
    return completion


async def _write(request: Request, draft: Draft, stages: Stages, grow: Grow | None) -> str | None:
    """Fills the draft, from the cache or by the engine; gives the reason where that can't be."""
    reason = gate.refuse(request.snapshot, draft.cursor, request.settings, request.trigger)
    if reason is not None:
        return reason
    remembered = stages.cache.find(request.snapshot, request.offset)
    if remembered is None:
        return await _generate(request, draft, stages, grow)
    draft.tokens, draft.complete, draft.cached = list(remembered.tokens), True, True
    stages.scheduler.idle(lambda: _keep_warm(request, stages))
    return None


async def _generate(
    request: Request, draft: Draft, stages: Stages, grow: Grow | None
) -> str | None:
    """Lets the engine write into the draft; gives the reason where that can't be."""
    automatic = request.trigger == "automatic"
    debounce = request.settings.debounce_ms / 1000 if automatic else 0.0
    try:
        await stages.scheduler.newest(lambda: _in_time(request, draft, stages, grow), debounce)
    except Superseded:
        return SUPERSEDED
    except EngineError as error:
        return str(error)
    if draft.complete:
        stages.cache.put(request.snapshot, request.offset, draft.answer)
    return None


async def _in_time(request: Request, draft: Draft, stages: Stages, grow: Grow | None) -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(
            _stream(request, draft, stages, grow), request.settings.deadline_ms / 1000
        )


async def _stream(request: Request, draft: Draft, stages: Stages, grow: Grow | None) -> None:
    draft.model = await stages.engine.ready()
    prompt = await prepare(request, stages, draft.model)
    generation = stages.engine.generate(prompt, request.settings.max_tokens)
    try:
        async for token in generation:
            draft.first_token_at = draft.first_token_at or stages.clock()
            draft.tokens.append(token)
            if is_over(draft.answer.text, _situation(request, draft)):
                break
            if grow is not None:
                _show_growth(request, draft, grow)
        draft.complete = True
    finally:
        generation.stop()
        draft.usage = generation.usage


async def _keep_warm(request: Request, stages: Stages) -> None:
    """Reads on in the prompt while the cache answers, so that the next answer starts at once."""
    if stages.engine.model is None:
        return
    with contextlib.suppress(EngineError):
        prompt = await prepare(request, stages, stages.engine.model)
        end = [part.label for part in prompt.parts].index("prefix") + 1
        reading = stages.engine.generate(replace(prompt, parts=prompt.parts[:end]), max_tokens=0)
        try:
            async for _ in reading:
                pass
        finally:
            reading.stop()


def _show_growth(request: Request, draft: Draft, grow: Grow) -> None:
    """Passes on what has become longer; what was shown once is never taken back or rewritten.

    Beside text on the line, or within a later line, the filters may still change their mind.
    """
    completion = _judge(request, draft, None)
    lead = len(completion.text) - len(completion.text.lstrip())
    if "\n" in completion.text[lead:]:
        completion = replace(completion, text=completion.text.rpartition("\n")[0])
    beside = draft.cursor.line_suffix.strip()
    longer = len(completion.text) > len(draft.shown) and completion.text.startswith(draft.shown)
    if longer and not beside:
        draft.shown = completion.text
        grow(completion)


async def prepare(request: Request, stages: Stages, model: LoadedModel) -> Prompt:
    """The prompt for a request, in the form and the window of `model`."""
    room = min(model.working_window, model.window - request.settings.max_tokens)
    plan = await make_plan(
        stages.plans.get(request.snapshot.uri),
        request.snapshot,
        request.offset,
        max(SMALLEST_BUDGET, room - RESERVED_TOKENS),
        stages.engine.count,
        introduce,
    )
    stages.plans[request.snapshot.uri] = plan
    stages.plans.move_to_end(request.snapshot.uri)
    if len(stages.plans) > KEPT_PLANS:
        stages.plans.popitem(last=False)
    return build(model.form, plan, request.snapshot, request.offset)


def _situation(request: Request, draft: Draft) -> Situation:
    cursor = draft.cursor
    return Situation(
        line_prefix=cursor.line_prefix,
        line_suffix=cursor.line_suffix,
        following=cursor.following,
        opens_block=cursor.language.block_openers,
        closes_by_indentation=cursor.language.closes_by_indentation,
        multiline=request.settings.multiline,
        min_confidence=request.settings.min_confidence,
        answer=draft.answer,
    )


def _judge(request: Request, draft: Draft, reason: str | None) -> Completion:
    """What the filters leave of the draft, as an answer to the request."""
    suggestion = Suggestion("", reason=reason)
    if reason is None:
        suggestion = postprocess.suggest(_situation(request, draft))
    return Completion(
        text=suggestion.text,
        span=Span(request.offset, request.offset + suggestion.replaced),
        reason=suggestion.reason,
        cached=draft.cached,
        confidence=confidence(draft.answer, len(suggestion.text)) if suggestion.text else None,
    )


def _timed(completion: Completion, draft: Draft, started: float, now: float) -> Completion:
    first = draft.first_token_at
    return replace(
        completion,
        engine=draft.model.engine if draft.model else None,
        model=draft.model.model if draft.model else None,
        form=draft.model.form if draft.model else None,
        usage=draft.usage,
        first_token_ms=None if first is None else round((first - started) * 1000, 2),
        total_ms=round((now - started) * 1000, 2),
    )


@dataclass(frozen=True, slots=True)
class Explained:
    """A part of a prompt, with its tokens and why it is there."""

    label: str
    tokens: int
    why: str
    text: str


async def explain(request: Request, stages: Stages) -> tuple[str | None, list[Explained]]:
    """The prompt that `complete` would send, part by part; or the reason why it would not.

    Raises EngineError where the model can't be loaded.
    """
    cursor = read_cursor(request.snapshot, request.offset)
    reason = gate.refuse(request.snapshot, cursor, request.settings, request.trigger)
    if reason is not None:
        return reason, []
    prompt = await prepare(request, stages, await stages.engine.ready())
    counts = await stages.engine.count([part.text for part in prompt.parts])
    return None, [
        Explained(part.special or part.label, 1 if part.special else tokens, part.why, part.text)
        for part, tokens in zip(prompt.parts, counts)
    ]
