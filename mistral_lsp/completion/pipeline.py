"""Turns a request into ghost text, by all the stages in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace

from mistral_lsp import postprocess
from mistral_lsp.completion import ahead
from mistral_lsp.completion.cache import Entry
from mistral_lsp.completion.prompting import prepare
from mistral_lsp.completion.request import Request, Workbench, parse, refuse
from mistral_lsp.completion.scheduler import Disagreed, Stream, Superseded
from mistral_lsp.completion.situation import situation
from mistral_lsp.context import gate
from mistral_lsp.postprocess.base import Suggestion, confidence
from mistral_lsp.postprocess.limit_lines import is_over
from mistral_lsp.types import Answer, Completion, Decoding, EngineError, LoadedModel, Span, Usage

MOST_LINES = 3
"""Maximum number of lines offered to a user who asks by hand."""
LEAST_LIKELY = 0.001
"""Minimum probability, 0 to 1, of an answer that is offered as a choice."""
SUPERSEDED = "a newer request took over"
NO_USAGE = Usage()
NOTHING = Answer(())

Grow = Callable[[Completion], None]


@dataclass
class Attempt:
    """The result of a request so far.

    `answer` is the part of `entry` after the request's cursor.
    """

    model: LoadedModel | None
    answer: Answer = NOTHING
    entry: Entry | None = None
    usage: Usage = NO_USAGE
    first_token_at: float | None = None
    cached: bool = False
    seen: bool = False
    """Whether a part of the answer was shown before this request."""
    shown: str = ""
    """The text that this request has shown so far."""


async def complete(request: Request, workbench: Workbench, grow: Grow | None = None) -> Completion:
    """Answers a request. While the answer streams, `grow` gets every longer completion.

    The tokens written before the deadline are the answer. If there is nothing to show, the
    completion's `reason` says why. The only exception raised is CancelledError, if the caller is
    cancelled.
    """
    started = workbench.clock()
    turn = workbench.scheduler.next_turn()
    await parse(request.snapshot)
    attempt = Attempt(workbench.engine.model)
    overtaken = turn != workbench.scheduler.turn
    reason = SUPERSEDED if overtaken else await _write(request, attempt, workbench, grow)
    completion = _judge(request, attempt, workbench, reason)
    if request.trigger == "invoked" and attempt.answer.complete and not completion.text:
        left = request.settings.deadline_ms / 1000 - (workbench.clock() - started)
        with contextlib.suppress(asyncio.TimeoutError):
            attempt, completion = await asyncio.wait_for(
                _next_best(request, attempt, completion, workbench), left
            )
    _note_shown(request, attempt, workbench, completion.text)
    if request.trigger == "invoked" and attempt.seen and completion.text:
        if grow is not None:
            grow(completion)  # shown without waiting for the others
        completion = replace(completion, others=await _others(request, completion, workbench))
    completion = _timed(completion, attempt, started, workbench.clock())
    workbench.metrics.record(completion)
    return completion


async def _write(
    request: Request, attempt: Attempt, workbench: Workbench, grow: Grow | None
) -> str | None:
    """Gets the answer from the cache or the engine.

    Gives the reason if there is no answer, else None.
    """
    reason = refuse(request)
    if reason is not None:
        return reason
    found = workbench.cache.find(request.snapshot, request.offset)
    if found is None:
        reason = gate.refuse_to_ask(request.cursor, request.trigger)
        if reason is None:
            reason = await _generate(request, attempt, workbench, grow)
    else:
        attempt.entry, attempt.answer = found
        attempt.cached = attempt.seen = True
    ahead.use_pause(request, attempt.entry, workbench)
    return reason


async def _next_best(
    request: Request, attempt: Attempt, completion: Completion, workbench: Workbench
) -> tuple[Attempt, Completion]:
    """Gives the most probable answer that the filters keep, with its completion.

    If there is no such answer, gives `attempt` and `completion`.
    """
    async with contextlib.aclosing(_other_lines(request, workbench)) as lines:
        async for other, judged in lines:
            if other.entry is not None:
                workbench.cache.put(other.entry)  # found again if the user types it
            return other, judged
    return attempt, completion


async def _others(
    request: Request, shown: Completion, workbench: Workbench
) -> tuple[Completion, ...]:
    """Gives further completions for a user who asks again, the most probable first."""
    found: dict[str, Completion] = {shown.text: shown}
    async for _, judged in _other_lines(request, workbench):
        found.setdefault(judged.text, judged)
    return tuple(found.values())[1:]


async def _other_lines(
    request: Request, workbench: Workbench
) -> AsyncGenerator[tuple[Attempt, Completion], None]:
    """Generates an answer for each of the most probable lines. Yields those that can be shown."""
    for line in range(1, MOST_LINES + 1):
        model = workbench.engine.model
        if model is None or not model.can_search:
            return
        attempt = Attempt(model)
        if await _generate(request, attempt, workbench, None, line) is not None:
            return
        judged = _judge(request, attempt, workbench, None, LEAST_LIKELY)
        if judged.text:
            yield attempt, judged


async def _generate(
    request: Request,
    attempt: Attempt,
    workbench: Workbench,
    grow: Grow | None,
    line: int | None = None,
) -> str | None:
    """Lets the engine write the answer. Gives the reason if it can't, else None.

    With `line` n, the answer is the n-th most probable line.
    """
    debounce = request.settings.debounce_ms / 1000 if request.trigger == "automatic" else 0.0
    while True:
        agreeing = workbench.scheduler.agreeing(request.snapshot, request.offset)
        stream = agreeing if line is None else None
        begins = stream is None
        attempt.seen = stream is not None and stream.entry.is_seen_at(request.offset)
        if stream is None:
            stream = workbench.scheduler.begin(
                request.snapshot,
                request.offset,
                lambda begun: _stream(request, begun, workbench, line),
                debounce,
            )
        try:
            await asyncio.wait_for(
                _follow(request, attempt, stream, workbench, grow),
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
            attempt.model = stream.model or attempt.model
            attempt.usage = stream.usage if begins else replace(stream.usage, evaluated_tokens=0)
        return None


async def _stream(request: Request, stream: Stream, workbench: Workbench, line: int | None) -> None:
    """Lets the engine write an answer into the stream, until the model or a stop rule ends it.

    For a user who asks by hand, a slower search finds the most probable line.
    """
    stream.model = await workbench.engine.ready()
    prompt = await prepare(request, workbench, stream.model)
    most = request.settings.max_tokens
    searched = 1 if line is None and request.trigger == "invoked" else line
    generation = workbench.engine.generate(prompt, Decoding(most, searched))
    try:
        async for token in generation:
            stream.take(token)
            if is_over(stream.entry.text, situation(request, stream.entry.answer, workbench)):
                break
        else:
            stream.entry.ended = generation.usage.generated_tokens < most
        stream.entry.complete = True
        if line is None:
            workbench.cache.put(stream.entry)
    finally:
        generation.stop()
        stream.usage = generation.usage


async def _follow(
    request: Request, attempt: Attempt, stream: Stream, workbench: Workbench, grow: Grow | None
) -> None:
    """Copies the stream's answer into the attempt, from the cursor on, whenever it grows."""
    attempt.entry = stream.entry
    followed = stream.followed(request.snapshot, request.offset)
    async with contextlib.aclosing(followed) as answers:
        async for answer in answers:
            attempt.answer = answer
            if answer.tokens and attempt.first_token_at is None:
                attempt.first_token_at = workbench.clock()
            if answer.tokens and grow is not None:
                _show_growth(request, attempt, workbench, grow)


def _leave(request: Request, stream: Stream) -> None:
    """Stops the stream of a cancelled request, unless the stream is still useful.

    A stream is useful if another request follows it, or if the user is typing its answer.
    """
    if stream.is_followed:
        return
    later = request.latest()
    if later is None or not stream.agrees(later):
        stream.stop()


def _note_shown(request: Request, attempt: Attempt, workbench: Workbench, text: str) -> None:
    if text and attempt.entry is not None:
        typed = request.offset - attempt.entry.offset
        workbench.rejections.show(request.snapshot, request.offset, text)
        workbench.metrics.shown_tokens += attempt.entry.see(typed + len(text))


def _show_growth(request: Request, attempt: Attempt, workbench: Workbench, grow: Grow) -> None:
    """Passes the completion to `grow` if it extends the text shown so far.

    Passes nothing if there is text after the cursor on its line. After the first line, passes only
    whole lines: the filters may still change the last one.
    """
    completion = _judge(request, attempt, workbench, None)
    lead = len(completion.text) - len(completion.text.lstrip())
    if "\n" in completion.text[lead:]:
        completion = replace(completion, text=completion.text.rpartition("\n")[0])
    beside = request.cursor.line_suffix.strip()
    longer = len(completion.text) > len(attempt.shown) and completion.text.startswith(attempt.shown)
    if longer and not beside:
        attempt.shown = completion.text
        _note_shown(request, attempt, workbench, completion.text)
        grow(completion)


def _judge(
    request: Request, attempt: Attempt, workbench: Workbench, reason: str | None, least: float = 0.0
) -> Completion:
    """Runs the filters on the attempt's answer, and makes the completion for the request.

    Text less probable than `least` is dropped, whatever the settings say.
    """
    suggestion = Suggestion("", reason=reason)
    if reason is None:
        place = situation(request, attempt.answer, workbench)
        least = max(least, place.min_confidence)
        place = replace(place, min_confidence=least, shown=len(attempt.shown))
        suggestion = postprocess.suggest(place)
    return Completion(
        text=suggestion.text,
        span=Span(request.offset, request.offset + suggestion.replaced),
        reason=suggestion.reason,
        cached=attempt.cached,
        confidence=confidence(attempt.answer, len(suggestion.text)) if suggestion.text else None,
    )


def _timed(completion: Completion, attempt: Attempt, started: float, now: float) -> Completion:
    first = attempt.first_token_at
    return replace(
        completion,
        engine=attempt.model.engine if attempt.model else None,
        model=attempt.model.model if attempt.model else None,
        form=attempt.model.form if attempt.model else None,
        usage=attempt.usage,
        first_token_ms=None if first is None else round((first - started) * 1000, 2),
        total_ms=round((now - started) * 1000, 2),
    )
