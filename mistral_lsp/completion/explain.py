"""Explains the prompt of a request: its parts, and why each is there."""

from __future__ import annotations

from typing import Any

from mistral_lsp.completion.prompting import prepare
from mistral_lsp.completion.request import Request, Workbench, parse, refuse


async def explain(request: Request, workbench: Workbench) -> dict[str, Any]:
    """Describes the prompt for a request, part by part, or gives the reason why there is none.

    Raises EngineError if the model can't be loaded.
    """
    await parse(request.snapshot)
    reason = refuse(request)
    parts: list[dict[str, Any]] = []
    if reason is None:
        prompt = await prepare(request, workbench, await workbench.engine.ready())
        counts = await workbench.engine.weigh(prompt)
        parts = [
            {
                "label": part.special or part.label,
                "tokens": tokens,
                "why": part.why,
                "text": part.text,
            }
            for part, tokens in zip(prompt.parts, counts)
        ]
    model = workbench.engine.model
    return {
        "reason": reason,
        "engine": model.engine if model else None,
        "model": model.model if model else None,
        "form": model.form if model else None,
        "window": model.window if model else None,
        "working_window": model.working_window if model else None,
        "tokens": sum(part["tokens"] for part in parts),
        "parts": parts,
    }
