"""Answers completion requests: converts LSP requests for the pipeline, and its answers for LSP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lsprotocol import types

from mistral_lsp.completion import ahead, pipeline
from mistral_lsp.completion.explain import explain as explain_request
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.document import Snapshot
from mistral_lsp.server import convert
from mistral_lsp.types import Completion, Span, Trigger
from mistral_lsp.workspace.session import Session

logger = logging.getLogger(__name__)

Send = Callable[[Completion, Snapshot], None]


@dataclass(frozen=True, slots=True)
class Selected:
    """The item selected in the editor's popup. Accepting it replaces `span` by `text`.

    Both are empty if there is no popup. The request is answered as if the item had been accepted,
    because editors show only ghost text that begins with the item.
    """

    span: Span
    text: str = ""

    def accepted(self, snapshot: Snapshot) -> tuple[Snapshot, int]:
        """Gives the file with the item inserted, and the offset after the item."""
        if self.span.start == self.span.end and not self.text:
            return snapshot, self.span.start
        changed = snapshot.replaced(self.span.start, self.span.end, self.text)
        return changed, self.span.start + len(self.text)

    def extended(self, completion: Completion) -> Completion:
        """Converts a completion for the file with the item into one for the file without it."""
        if not completion.text:
            return completion
        longer = len(self.text) - (self.span.end - self.span.start)
        span = Span(self.span.start, completion.span.end - longer)
        others = tuple(map(self.extended, completion.others))
        return replace(completion, text=self.text + completion.text, span=span, others=others)


async def answer(
    session: Session,
    workbench: Workbench,
    params: types.InlineCompletionParams | types.CompletionParams,
    encoding: str,
    trigger: Trigger,
    send: Send | None = None,
) -> tuple[Completion, Snapshot | None]:
    """Runs a request through the pipeline. Gives the completion and the file it is for.

    `send` gets the growing completions, until the text changes. If the text changes before the
    answer is ready, the completion is empty.
    """
    workbench.metrics.asked += 1
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return _nothing(workbench, f"{params.text_document.uri} is not open"), None
    if snapshot.refusal:
        return _nothing(workbench, snapshot.refusal), None
    offset = convert.offset(snapshot, params.position, encoding)
    if offset is None:
        return _nothing(workbench, f"the file has no line {params.position.line + 1}"), None

    selected = _selected(params, snapshot, offset, encoding)

    def grow(completion: Completion) -> None:
        if send is not None and session.is_current(snapshot):
            send(selected.extended(completion), snapshot)

    request = _request(session, *selected.accepted(snapshot), trigger)
    completion = await pipeline.complete(request, workbench, grow if send else None)
    completion = selected.extended(completion)
    if completion.text and not session.is_current(snapshot):
        workbench.metrics.stale += 1
        reason = "the document has changed since"
        completion = replace(completion, text="", reason=reason, others=())
    logger.debug("answered in %s ms: %s", completion.total_ms, completion.reason or "text")
    return completion, snapshot


async def look(
    session: Session, workbench: Workbench, params: types.TextDocumentPositionParams, encoding: str
) -> None:
    """Works ahead for the place where the cursor rests. Ignores a place that does not exist."""
    place = _place(session, params, encoding)
    if place is not None:
        await ahead.look(_request(session, *place, "automatic"), workbench)


async def explain(
    session: Session, workbench: Workbench, params: types.TextDocumentPositionParams, encoding: str
) -> dict[str, Any] | None:
    """Explains the prompt for an automatic request at a place.

    Gives None if there is no such place.
    """
    place = _place(session, params, encoding)
    if place is None:
        return None
    return await explain_request(_request(session, *place, "automatic"), workbench)


def reject(
    session: Session, workbench: Workbench, params: types.TextDocumentPositionParams, encoding: str
) -> None:
    """Records that the user has dismissed the ghost text at a place."""
    place = _place(session, params, encoding)
    if place is not None:
        workbench.rejections.reject(*place)


def _place(
    session: Session, params: types.TextDocumentPositionParams, encoding: str
) -> tuple[Snapshot, int] | None:
    snapshot = session.snapshot(params.text_document.uri)
    offset = convert.offset(snapshot, params.position, encoding) if snapshot else None
    return None if snapshot is None or offset is None else (snapshot, offset)


def _selected(
    params: types.InlineCompletionParams | types.CompletionParams,
    snapshot: Snapshot,
    offset: int,
    encoding: str,
) -> Selected:
    """Gives the selected item, if its range contains the cursor. Otherwise gives an empty one."""
    info = getattr(params.context, "selected_completion_info", None)
    if info is not None:
        start = convert.offset(snapshot, info.range.start, encoding)
        end = convert.offset(snapshot, info.range.end, encoding)
        if start is not None and end is not None and start <= offset <= end:
            return Selected(Span(start, end), info.text)
    return Selected(Span(offset, offset))


def _request(session: Session, snapshot: Snapshot, offset: int, trigger: Trigger) -> Request:
    def latest() -> Snapshot | None:
        return session.snapshot(snapshot.uri)

    before = session.before(snapshot.uri)
    return Request(snapshot, offset, trigger, session.settings, latest, before)


def _nothing(workbench: Workbench, reason: str) -> Completion:
    completion = Completion("", Span(0, 0), reason=reason)
    workbench.metrics.record(completion)
    return completion


def with_own_ends(text: str, snapshot: Snapshot) -> str:
    """Gives a text with the file's own line ends."""
    return text.replace("\n", snapshot.line_end)


def inline_list(
    completion: Completion, snapshot: Snapshot | None, encoding: str
) -> types.InlineCompletionList:
    """Builds the answer to textDocument/inlineCompletion.

    Each item has a range. Without one, an editor would replace the word at the cursor.
    """
    if not completion.text or snapshot is None:
        return types.InlineCompletionList(items=[])
    return types.InlineCompletionList(
        items=[
            types.InlineCompletionItem(
                insert_text=with_own_ends(one.text, snapshot),
                range=convert.to_range(snapshot, one.span, encoding),
            )
            for one in (completion, *completion.others)
        ]
    )


def popup_list(
    completion: Completion, snapshot: Snapshot | None, encoding: str
) -> types.CompletionList:
    """Builds the answer to textDocument/completion.

    Its one item names mistral-lsp as its source.
    """
    if not completion.text or snapshot is None:
        return types.CompletionList(is_incomplete=True, items=[])
    start = completion.span.start
    line, column = snapshot.place(start)
    word = _word_before(snapshot.line(line)[:column])
    # Editors filter items by the word at the cursor, so the item's text has to begin with it.
    where = convert.to_range(snapshot, Span(start - len(word), completion.span.end), encoding)
    text = with_own_ends(word + completion.text, snapshot)
    first_line = text.strip().splitlines()[0]
    item = types.CompletionItem(
        label=first_line if len(first_line) <= 60 else f"{first_line[:59]}…",
        kind=types.CompletionItemKind.Text,
        detail="mistral-lsp",
        documentation=text,
        text_edit=types.TextEdit(where, text),
        filter_text=text,
        sort_text="0000",
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
    )
    return types.CompletionList(is_incomplete=True, items=[item])


def _word_before(line_prefix: str) -> str:
    stripped = line_prefix.rstrip("_")
    while stripped and stripped[-1].isalnum():
        stripped = stripped[:-1].rstrip("_")
    return line_prefix[len(stripped) :]
