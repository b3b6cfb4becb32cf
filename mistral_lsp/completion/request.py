"""What requests are, and what they share: the engine, its turn, and what is remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from mistral_lsp.completion.cache import Cache
from mistral_lsp.completion.rejections import Rejections
from mistral_lsp.completion.scheduler import Scheduler
from mistral_lsp.config import Settings
from mistral_lsp.context import freshness, gate, related, similar
from mistral_lsp.context.cursor import Cursor
from mistral_lsp.context.index import Index
from mistral_lsp.context.outline import introduce
from mistral_lsp.context.recent import Recent
from mistral_lsp.document import Snapshot
from mistral_lsp.engine.base import Engine
from mistral_lsp.metrics import Metrics
from mistral_lsp.postprocess.base import Situation
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.templates import reads_suffix_last
from mistral_lsp.prompt.view import blot_file, is_in_secret, see, see_excerpt
from mistral_lsp.prompt.window import Budget, Plan, Plans
from mistral_lsp.types import Answer, Excerpt, LoadedModel, Prompt, Trigger

SMALLEST_BUDGET = 64
RESERVED_TOKENS = 48
"""Room in the window for marks, the path and the introduction."""

NEARBY = 2_000
"""Characters on either side of the cursor."""
PARSED_AT_ONCE = 20_000
"""Characters; a longer text is parsed by a thread, so that no other file's request waits for it."""

SHORT_SUFFIX = 64
"""Tokens, where a keystroke costs the reading of all of them."""


def _no_later() -> Snapshot | None:
    return None


@dataclass(frozen=True, slots=True)
class Request:
    """A place in a frozen file, and what the user allows. `latest` gives the file as it is now, or
    None where nobody edits it. `before` is the text of the earlier cells, where it is a notebook's.
    """

    snapshot: Snapshot
    offset: int
    trigger: Trigger
    settings: Settings
    latest: Callable[[], Snapshot | None] = _no_later
    before: str = ""

    def told(self) -> tuple[Snapshot, int]:
        """The file as the model is told of it, and the place in that: behind the earlier cells."""
        if not self.before:
            return self.snapshot, self.offset
        return self.snapshot.replaced(0, 0, self.before), len(self.before) + self.offset


@dataclass
class Stages:
    """What requests share. Where nobody types (not `interactive`), pauses are not used, and the
    first window is a whole one at once.
    """

    engine: Engine
    scheduler: Scheduler = field(default_factory=Scheduler)
    cache: Cache = field(default_factory=Cache)
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], float] = time.perf_counter
    plans: Plans = field(default_factory=Plans)
    rejections: Rejections = field(default_factory=Rejections)
    index: Index = field(default_factory=Index)
    recent: Recent = field(default_factory=lambda: Recent(see))
    nearby: similar.Nearby = field(default_factory=lambda: similar.Nearby(blot_file))
    interactive: bool = True


async def parse(snapshot: Snapshot) -> None:
    """Has the snapshot's tree made, by a thread where that may take long."""
    if len(snapshot.text) > PARSED_AT_ONCE and not snapshot.lazy_tree.is_made:
        await asyncio.to_thread(snapshot.lazy_tree.get)


def refuse(request: Request, cursor: Cursor) -> str | None:
    """Why nothing is offered at the request's place, or None."""
    snapshot = request.snapshot
    reason = gate.refuse(snapshot, cursor, request.settings, request.trigger)
    if reason is None and is_in_secret(snapshot, request.offset):
        return "the cursor stands in a secret"
    return reason


async def prepare(request: Request, stages: Stages, model: LoadedModel) -> Prompt:
    """The prompt for a request: in the window that was read for its place, or in a first one."""
    plan = await find_plan(request, stages, model)
    if plan is None:
        budget = _budget(request, model, first=stages.interactive)
        plan = await make_plan(request, stages, budget)
        stages.plans.keep(request.snapshot.uri, plan)
    return build(model.form, plan, *request.told())


async def find_plan(request: Request, stages: Stages, model: LoadedModel) -> Plan | None:
    """The plan that serves at the request's place: a grown one before a first one."""
    snapshot, offset = request.told()
    for first in (False, True):
        budget = _budget(request, model, first)
        plan = await stages.plans.find(snapshot, offset, budget, stages.engine.count)
        if plan is not None:
            present = await freshness.look(stages.index, [one.file for one in plan.related])
            return stages.plans.without(snapshot.uri, plan, present)
    return None


async def make_grown_plan(request: Request, stages: Stages, model: LoadedModel) -> Plan:
    """A new plan with as much as this machine can read in about a second."""
    return await make_plan(request, stages, _budget(request, model, first=False))


async def make_plan(request: Request, stages: Stages, budget: Budget) -> Plan:
    """A new plan for the request's place, not kept yet."""

    async def count(excerpts: Sequence[str]) -> list[int]:
        return await stages.engine.count([see_excerpt(excerpt) for excerpt in excerpts])

    async def relate(snapshot: Snapshot, offset: int, tokens: int) -> tuple[Excerpt, ...]:
        if not request.settings.other_files:
            return ()
        index = stages.index
        alike = await similar.choose(
            snapshot,
            offset,
            index,
            stages.recent,
            stages.nearby,
            tokens,
            count,
            similar.DEADLINE_SECONDS if stages.interactive else None,
        )
        taken = sum(await count([f"{excerpt.path}\n{excerpt.text}" for excerpt in alike]))
        return await related.choose(snapshot, offset, index, tokens - taken, count) + alike

    snapshot, offset = request.told()
    await parse(snapshot)
    return await stages.plans.make(snapshot, offset, budget, stages.engine.count, introduce, relate)


def _budget(request: Request, model: LoadedModel, first: bool) -> Budget:
    limit = model.window - request.settings.max_tokens - RESERVED_TOKENS
    is_first = first and model.first_window < model.working_window
    wanted = (model.first_window if is_first else model.working_window) - RESERVED_TOKENS
    limit = max(SMALLEST_BUDGET, limit)
    suffix = SHORT_SUFFIX if reads_suffix_last(model.form) else limit
    return Budget(min(limit, max(SMALLEST_BUDGET, wanted)), limit, not is_first, suffix)


def situation(request: Request, cursor: Cursor, answer: Answer, stages: Stages) -> Situation:
    """What the filters know of an answer and its place. What was dismissed is offered to those who
    ask by hand, and so is what the model doubts.
    """
    rejected: frozenset[str] = frozenset()
    min_confidence = 0.0
    if request.trigger == "automatic":
        rejected = stages.rejections.at(request.snapshot, request.offset)
        min_confidence = request.settings.min_confidence
    return Situation(
        line_prefix=cursor.line_prefix,
        line_suffix=cursor.line_suffix,
        following=cursor.following,
        nesting=cursor.nesting,
        has_open_string=cursor.has_open_string,
        indent=cursor.indent,
        language=cursor.language,
        multiline=request.settings.multiline,
        min_confidence=min_confidence,
        answer=answer,
        rejected=rejected,
        nearby=request.snapshot.text[max(0, request.offset - NEARBY) : request.offset + NEARBY],
        errors=partial(_errors, request.snapshot, request.offset)
        if request.snapshot.tree is not None and cursor.language.is_code
        else None,
    )


def _errors(snapshot: Snapshot, offset: int, text: str | None, replaced: int) -> int:
    tree = snapshot.tree
    assert tree is not None
    start = end = offset
    if text is None:
        number, column = snapshot.place(offset)
        start, end, text = offset - column, offset - column + len(snapshot.line(number)), ""
    if not text and not replaced and start == end:
        return tree.count_errors()
    completed = snapshot.text[:start] + text + snapshot.text[end + replaced :]
    later = tree.updated(completed)
    return (later or tree).count_errors()  # where nobody can tell, it is no worse
