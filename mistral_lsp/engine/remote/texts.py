"""Prompts for servers that take them as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mistral_lsp.engine.remote.server import RARELY_SECONDS, ServerError
from mistral_lsp.models.marks import MARKS
from mistral_lsp.types import Prompt, Usage

FORM_OF_HALVES = "suffix-first-alone"
"""Gives a suffix of full length, and no space that is not the file's."""

_MARK = re.compile("|".join(map(re.escape, sorted(MARKS, key=len, reverse=True))))


def spelt_out(prompt: Prompt, spelt: Mapping[str, str]) -> str:
    """The prompt as one text, the marks as the model spells them; BOS is for the server to put."""
    return "".join(
        spelt.get(part.special, "") if part.special else _defused(part.text)
        for part in prompt.parts
    )


def halves(prompt: Prompt) -> tuple[str, str]:
    """What stands before the cursor and what behind it, for a server that knows the marks."""
    before = [part.text for part in prompt.parts if part.label not in ("suffix", "path")]
    behind = [part.text for part in prompt.parts if part.label == "suffix"]
    return _defused("".join(before)), _defused("".join(behind))


def _defused(text: str) -> str:
    """The text without marks that the server would find in it: a space parts them."""
    return _MARK.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)


def only(models: Sequence[str], wanted: str, address: str) -> str:
    """The model that was wanted, or the only one there is. Raises ServerError."""
    if wanted:
        return wanted
    if len(models) == 1:
        return models[0]
    if not models:
        raise ServerError(
            f"The server at {address} names no model. Set mistralLsp.httpModel.", RARELY_SECONDS
        )
    shown = ", ".join(models[:8])
    raise ServerError(
        f"The server at {address} has several models ({shown}). Set mistralLsp.httpModel to one.",
        RARELY_SECONDS,
    )


def at_limit(usage: Usage, reason: str | None, max_tokens: int) -> Usage:
    """The usage at the end: a server that cut the answer off has written all tokens it might."""
    reached = max_tokens if reason == "length" else min(usage.generated_tokens, max_tokens - 1)
    return Usage(usage.prompt_tokens, usage.evaluated_tokens, reached)
