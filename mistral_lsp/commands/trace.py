"""The command `trace`: shows the events of one request, with their times."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from mistral_lsp.commands import one_request
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.engine.base import Engine, Generation
from mistral_lsp.types import Completion, Decoding, LoadedModel, Prompt, Token, Usage


@dataclass
class Trace:
    """A list of events, each with the milliseconds since the start.

    No event contains the user's code.
    """

    clock: Callable[[], float] = time.perf_counter
    events: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._started = self.clock()

    def note(self, event: str) -> None:
        """Records an event at the current time."""
        self.events.append((round((self.clock() - self._started) * 1000, 2), event))


class TracedGeneration(Generation):
    """A generation that records the times of its first token and its end."""

    def __init__(self, generation: Generation, trace: Trace):
        self._generation = generation
        self._trace = trace
        self._is_over = False

    @property
    @override
    def usage(self) -> Usage:
        return self._generation.usage

    @override
    async def __aiter__(self) -> AsyncIterator[Token]:
        count = 0
        async for token in self._generation:
            count += 1
            if count == 1:
                self._trace.note(f"first token, {self.usage.evaluated_tokens} tokens were read")
            yield token
        self._is_over = True
        self._trace.note(f"the engine ended by itself, with {count} pieces of text")

    @override
    def stop(self) -> None:
        if not self._is_over:
            self._trace.note(f"the engine is stopped: {self.usage.generated_tokens} tokens")
        self._generation.stop()


class TracedEngine(Engine):
    """An engine that records each call and its time."""

    def __init__(self, engine: Engine, trace: Trace):
        self._engine = engine
        self._trace = trace

    @property
    @override
    def model(self) -> LoadedModel | None:
        return self._engine.model

    @override
    async def ready(self) -> LoadedModel:
        model = await self._engine.ready()
        self._trace.note(f"the model is loaded: {model.model} on {model.engine}")
        return model

    @override
    async def count(self, texts: Sequence[str]) -> list[int]:
        counts = await self._engine.count(texts)
        self._trace.note(f"tokens counted: {sum(counts)} in {len(counts)} texts")
        return counts

    @override
    async def weigh(self, prompt: Prompt) -> list[int]:
        return await self._engine.weigh(prompt)

    @override
    def generate(self, prompt: Prompt, decoding: Decoding) -> TracedGeneration:
        parts = ", ".join(part.label for part in prompt.parts if part.text)
        self._trace.note(f"the prompt is sent ({parts}), for {decoding.max_tokens} tokens at most")
        return TracedGeneration(self._engine.generate(prompt, decoding), self._trace)


async def follow(request: Request, workbench: Workbench) -> dict[str, Any]:
    """Runs a request, and gives the object that `trace --json` prints."""
    trace = Trace()
    workbench.engine = TracedEngine(workbench.engine, trace)

    def grow(completion: Completion) -> None:
        trace.note(f"{len(completion.text)} characters can be shown")

    trace.note(
        f"asked in {request.snapshot.language.name}, {len(request.snapshot.text)} characters"
    )
    result = await one_request.complete(request, workbench, grow)
    length = len(result["text"])
    trace.note(f"answered: {result['reason'] or f'{length} characters'}")
    return {**result, "text": length, "events": trace.events}


def print_trace(result: dict[str, Any]) -> None:
    """Prints the events as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("ms", "+", "what happened")
    before = 0.0
    for milliseconds, event in result["events"]:
        table.add_row(f"{milliseconds:.1f}", f"{milliseconds - before:.1f}", event)
        before = milliseconds
    Console().print(table)
