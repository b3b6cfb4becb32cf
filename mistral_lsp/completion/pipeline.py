"""The way of a request from the cursor to ghost text: every stage, by name, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace

from mistral_lsp import postprocess
from mistral_lsp.completion import ahead
from mistral_lsp.completion.cache import Entry
from mistral_lsp.completion.prompting import prepare
from mistral_lsp.completion.request import Request, Stages, parse, refuse
from mistral_lsp.completion.scheduler import Disagreed, Stream, Superseded
from mistral_lsp.completion.situation import situation
from mistral_lsp.context import gate
from mistral_lsp.context.cursor import Cursor, read_cursor
from mistral_lsp.postprocess.base import Suggestion, confidence
from mistral_lsp.postprocess.limit_lines import is_over
from mistral_lsp.types import Answer, Completion, EngineError, LoadedModel, Span, Usage

MOST_LINES = 3
"""Of the likeliest, that a user who asks by hand may choose from."""
LEAST_LIKELY = 0.001
"""What the model itself holds for less likely is no choice."""
SUPERSEDED = "a newer request took over"
NO_USAGE = Usage()
NOTHING = Answer(())

Grow = Callable[[Completion], None]


@dataclass
class Draft:
    """What a request has so far: `answer` is what is left of `entry` for its cursor."""

    cursor: Cursor
    model: LoadedModel | None
    answer: Answer = NOTHING
    entry: Entry | None = None
    usage: Usage = NO_USAGE
    first_token_at: float | None = None
    cached: bool = False
    seen: bool = False
    """Whether the user saw of the answer before this request."""
    shown: str = ""
    """The longest beginning that the user was shown."""


async def complete(request: Request, stages: Stages, grow: Grow | None = None) -> Completion:
    """Answers a request. `grow` hears of every longer beginning of the answer, while it streams.

    Out of time, the answer is what there is; where there is nothing to show, its `reason` says why.
    Raises CancelledError where the caller is cancelled, and nothing else.
    """
    started = stages.clock()
    turn = stages.scheduler.next_turn()
    await parse(request.snapshot)
    draft = Draft(read_cursor(request.snapshot, request.offset), stages.engine.model)
    overtaken = turn != stages.scheduler.turn
    reason = SUPERSEDED if overtaken else await _write(request, draft, stages, grow)
    completion = _judge(request, draft, stages, reason)
    if request.trigger == "invoked" and draft.answer.complete and not completion.text:
        left = request.settings.deadline_ms / 1000 - (stages.clock() - started)
        with contextlib.suppress(asyncio.TimeoutError):
            draft, completion = await asyncio.wait_for(
                _next_best(request, draft, completion, stages), left
            )
    _note_shown(request, draft, stages, completion.text)
    if request.trigger == "invoked" and draft.seen and completion.text:
        if grow is not None:
            grow(completion)  # nobody waits for the others to see this one
        completion = replace(completion, others=await _others(request, completion, stages))
    completion = _timed(completion, draft, started, stages.clock())
    stages.metrics.record(completion)
    return completion


async def _write(request: Request, draft: Draft, stages: Stages, grow: Grow | None) -> str | None:
    """Fills the draft, from the cache or by the engine; gives the reason where that can't be."""
    reason = refuse(request, draft.cursor)
    if reason is not None:
        return reason
    found = stages.cache.find(request.snapshot, request.offset)
    if found is None:
        reason = gate.refuse_to_ask(draft.cursor, request.trigger)
        if reason is None:
            reason = await _generate(request, draft, stages, grow)
    else:
        draft.entry, draft.answer = found
        draft.cached = draft.seen = True
    ahead.use_pause(request, draft.entry, stages)
    return reason


async def _next_best(
    request: Request, draft: Draft, completion: Completion, stages: Stages
) -> tuple[Draft, Completion]:
    """The likeliest answer that can be shown, in place of one that can't; that one, if none can."""
    async with contextlib.aclosing(_other_lines(request, stages)) as lines:
        async for other, judged in lines:
            if other.entry is not None:
                stages.cache.put(other.entry)  # for a user who types it
            return other, judged
    return draft, completion


async def _others(request: Request, shown: Completion, stages: Stages) -> tuple[Completion, ...]:
    """What else may be meant, for a user who sees an answer and asks again; the likeliest first."""
    found: dict[str, Completion] = {shown.text: shown}
    async for _, judged in _other_lines(request, stages):
        found.setdefault(judged.text, judged)
    return tuple(found.values())[1:]


async def _other_lines(
    request: Request, stages: Stages
) -> AsyncGenerator[tuple[Draft, Completion], None]:
    """What can be shown of the answers that begin with one of the likeliest lines each."""
    for line in range(1, MOST_LINES + 1):
        model = stages.engine.model
        if model is None or not model.can_search:
            return
        draft = Draft(read_cursor(request.snapshot, request.offset), model)
        if await _generate(request, draft, stages, None, line) is not None:
            return
        judged = _judge(request, draft, stages, None, LEAST_LIKELY)
        if judged.text:
            yield draft, judged


async def _generate(
    request: Request, draft: Draft, stages: Stages, grow: Grow | None, line: int = 0
) -> str | None:
    """Lets the engine write into the draft, all of the answer or what begins with another `line`;
    gives the reason where that can't be.
    """
    debounce = request.settings.debounce_ms / 1000 if request.trigger == "automatic" else 0.0
    while True:
        agreeing = stages.scheduler.agreeing(request.snapshot, request.offset)
        stream = None if line else agreeing
        begins = stream is None
        draft.seen = stream is not None and stream.entry.is_seen_at(request.offset)
        if stream is None:
            stream = stages.scheduler.begin(
                request.snapshot,
                request.offset,
                lambda begun: _stream(request, begun, stages, line),
                debounce,
            )
        try:
            await asyncio.wait_for(
                _follow(request, draft, stream, stages, grow),
                debounce + request.settings.deadline_ms / 1000,
            )
        except Disagreed:
            continue
        except asyncio.TimeoutError:
            stream.stop()
            await stream.settle()
        except Superseded:
            return SUPERSEDED
        except EngineError as error:
            return str(error)
        except asyncio.CancelledError:
            _leave(request, stream)
            raise
        finally:
            draft.model = stream.model or draft.model
            draft.usage = stream.usage if begins else replace(stream.usage, evaluated_tokens=0)
        return None


async def _stream(request: Request, stream: Stream, stages: Stages, line: int) -> None:
    """Writes an answer, for whoever follows it, up to where the text is over."""
    stream.model = await stages.engine.ready()
    prompt = await prepare(request, stages, stream.model)
    prompt = replace(prompt, line=line or int(request.trigger == "invoked"))
    cursor = read_cursor(request.snapshot, request.offset)
    most = request.settings.max_tokens
    generation = stages.engine.generate(prompt, most)
    try:
        async for token in generation:
            stream.take(token)
            if is_over(stream.entry.text, situation(request, cursor, stream.entry.answer, stages)):
                break
        else:
            stream.entry.ended = generation.usage.generated_tokens < most
        stream.entry.complete = True
        if not line:
            stages.cache.put(stream.entry)
    finally:
        generation.stop()
        stream.usage = generation.usage


async def _follow(
    request: Request, draft: Draft, stream: Stream, stages: Stages, grow: Grow | None
) -> None:
    """Takes over what the stream writes behind the request's cursor."""
    draft.entry = stream.entry
    followed = stream.followed(request.snapshot, request.offset)
    async with contextlib.aclosing(followed) as answers:
        async for answer in answers:
            draft.answer = answer
            if answer.tokens and draft.first_token_at is None:
                draft.first_token_at = stages.clock()
            if answer.tokens and grow is not None:
                _show_growth(request, draft, stages, grow)


def _leave(request: Request, stream: Stream) -> None:
    """Stops the stream that a cancelled request followed, unless somebody goes on with it: another
    request, or the user by typing what it writes.
    """
    if stream.is_followed:
        return
    later = request.latest()
    if later is None or not stream.agrees(later):
        stream.stop()


def _note_shown(request: Request, draft: Draft, stages: Stages, text: str) -> None:
    if text and draft.entry is not None:
        typed = request.offset - draft.entry.offset
        stages.rejections.show(request.snapshot, request.offset, text)
        stages.metrics.shown_tokens += draft.entry.see(typed + len(text))


def _show_growth(request: Request, draft: Draft, stages: Stages, grow: Grow) -> None:
    """Passes on what has become longer; what was shown once is never taken back or rewritten.

    Beside text on the line, or within a later line, the filters may still change their mind.
    """
    completion = _judge(request, draft, stages, None)
    lead = len(completion.text) - len(completion.text.lstrip())
    if "\n" in completion.text[lead:]:
        completion = replace(completion, text=completion.text.rpartition("\n")[0])
    beside = draft.cursor.line_suffix.strip()
    longer = len(completion.text) > len(draft.shown) and completion.text.startswith(draft.shown)
    if longer and not beside:
        draft.shown = completion.text
        _note_shown(request, draft, stages, completion.text)
        grow(completion)


def _judge(
    request: Request, draft: Draft, stages: Stages, reason: str | None, least: float = 0.0
) -> Completion:
    """What the filters leave of the draft, as an answer to the request; what is less likely than
    the `least` goes in any case.
    """
    suggestion = Suggestion("", reason=reason)
    if reason is None:
        place = situation(request, draft.cursor, draft.answer, stages)
        least = max(least, place.min_confidence)
        place = replace(place, min_confidence=least, shown=len(draft.shown))
        suggestion = postprocess.suggest(place)
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
