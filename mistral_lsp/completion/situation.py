"""Collects what the filters need to know about an answer and its place."""

from __future__ import annotations

from functools import partial

from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.document import Snapshot
from mistral_lsp.postprocess.base import Situation
from mistral_lsp.types import Answer

NEARBY = 2_000
"""Number of characters on each side of the cursor in `Situation.nearby`."""


def situation(request: Request, answer: Answer, workbench: Workbench) -> Situation:
    """Gives what the filters need to know about an answer and its place.

    The filters drop dismissed and improbable answers only for automatic requests.
    """
    cursor = request.cursor
    rejected: frozenset[str] = frozenset()
    min_confidence = 0.0
    if request.trigger == "automatic":
        rejected = workbench.rejections.at(request.snapshot, request.offset)
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
    return (later or tree).count_errors()  # without a new tree, no new errors are assumed
