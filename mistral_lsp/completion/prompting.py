"""Finds or makes the plan for a request, and builds the prompt from the plan."""

from __future__ import annotations

from collections.abc import Sequence

from mistral_lsp.completion.request import Request, Workbench, parse
from mistral_lsp.context import freshness, related, similar
from mistral_lsp.context.outline import introduce
from mistral_lsp.document import Snapshot
from mistral_lsp.models.forms import reads_suffix_last
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.view import see_excerpt
from mistral_lsp.prompt.window import Budget, Plan
from mistral_lsp.types import Excerpt, LoadedModel, Prompt

SMALLEST_BUDGET = 64
"""Minimum budget of a plan, in tokens."""
RESERVED_TOKENS = 48
"""Tokens of the window that are kept free for special tokens, the path and the introduction."""


async def prepare(request: Request, workbench: Workbench, model: LoadedModel) -> Prompt:
    """Builds the prompt for a request, from a stored plan that still fits or from a new plan."""
    plan = await find_plan(request, workbench, model)
    if plan is None:
        budget = _budget(request, model, first=workbench.interactive)
        plan = await make_plan(request, workbench, budget)
        workbench.plans.keep(request.snapshot.uri, plan)
    return build(model.form, plan, *request.told())


async def find_plan(request: Request, workbench: Workbench, model: LoadedModel) -> Plan | None:
    """Gives a stored plan that still fits the request's place, or None.

    Plans for the large working window are preferred to those for the small first window.
    """
    snapshot, offset = request.told()
    for first in (False, True):
        budget = _budget(request, model, first)
        plan = await workbench.plans.find(snapshot, offset, budget, workbench.engine.count)
        if plan is not None:
            present = await freshness.look(workbench.index, [one.file for one in plan.related])
            return workbench.plans.without(snapshot.uri, plan, present)
    return None


async def make_grown_plan(request: Request, workbench: Workbench, model: LoadedModel) -> Plan:
    """Makes a plan for the working window, the larger of the model's two windows."""
    return await make_plan(request, workbench, _budget(request, model, first=False))


async def make_plan(request: Request, workbench: Workbench, budget: Budget) -> Plan:
    """Makes a plan for the request's place, and does not store it."""

    async def count(excerpts: Sequence[str]) -> list[int]:
        return await workbench.engine.count([see_excerpt(excerpt) for excerpt in excerpts])

    async def relate(snapshot: Snapshot, offset: int, tokens: int) -> tuple[Excerpt, ...]:
        if not request.settings.other_files:
            return ()
        index = workbench.index
        alike = await similar.choose(
            snapshot,
            offset,
            index,
            workbench.recent,
            workbench.nearby,
            tokens,
            count,
            similar.DEADLINE_SECONDS if workbench.interactive else None,
        )
        taken = sum(await count([f"{excerpt.path}\n{excerpt.text}" for excerpt in alike]))
        return await related.choose(snapshot, offset, index, tokens - taken, count) + alike

    snapshot, offset = request.told()
    await parse(snapshot)
    return await workbench.plans.make(
        snapshot, offset, budget, workbench.engine.count, introduce, relate
    )


def _budget(request: Request, model: LoadedModel, first: bool) -> Budget:
    limit = model.window - request.settings.max_tokens - RESERVED_TOKENS
    is_first = first and model.first_window < model.working_window
    wanted = (model.first_window if is_first else model.working_window) - RESERVED_TOKENS
    limit = max(SMALLEST_BUDGET, limit)
    suffix = model.most_suffix if reads_suffix_last(model.form) else limit
    return Budget(min(limit, max(SMALLEST_BUDGET, wanted)), limit, not is_first, suffix)
