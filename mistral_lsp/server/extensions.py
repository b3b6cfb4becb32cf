"""Extensions of LSP: our own messages, and inline completion that streams."""

from __future__ import annotations

from functools import cache
from typing import Any, Optional, Union

import attrs
import cattrs
from lsprotocol import types
from pygls.protocol import default_converter

DID_MOVE_CURSOR = "mistralLsp/didMoveCursor"
"""Sent by the client: the cursor rests at a place."""
DID_REJECT = "mistralLsp/didReject"
"""Sent by the client: the user has dismissed the ghost text at a place."""
DID_SHOW = "mistralLsp/didShow"
"""Sent by the client: ghost text has been shown."""
DID_ACCEPT = "mistralLsp/didAccept"
"""Sent by the client: the user has accepted `acceptedLength` characters of ghost text."""
STATUS = "mistralLsp/status"
"""Sent to the client: the engine's state."""


@attrs.define
class GrowingInlineCompletionParams(types.InlineCompletionParams):
    """The parameters of an inline completion request, with a `partialResultToken`.

    The class of lsprotocol lacks this token, which a client sends to get growing answers.
    """

    partial_result_token: Optional[Union[int, str]] = attrs.field(default=None)


@attrs.define
class GrowingInlineCompletionRequest:
    """An inline completion request whose parameters may have a `partialResultToken`."""

    id: Union[int, str]
    params: GrowingInlineCompletionParams
    method: str = types.TEXT_DOCUMENT_INLINE_COMPLETION
    jsonrpc: str = "2.0"


@attrs.define
class PlaceNotification:
    """One of our own notifications, about a place in a document."""

    params: types.TextDocumentPositionParams
    method: str
    jsonrpc: str = "2.0"


def is_id(value: Any) -> bool:
    """Whether a JSON value can be the id of a request, or a progress token.

    Both are numbers or strings.
    """
    return isinstance(value, (int, str)) and not isinstance(value, bool)


@cache
def make_converter() -> cattrs.Converter:
    """Gives pygls' converter, which here also reads this module's inline completion classes.

    All clients share one converter, because cattrs never frees the functions registered with one.
    """
    converter: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call]

    def read_params(data: dict[str, Any], _: type) -> GrowingInlineCompletionParams:
        context = data.get("context")
        # Clients built on vscode-languageclient before 10.0 send VS Code's own 0 for "invoked".
        if isinstance(context, dict) and context.get("triggerKind") == 0:
            data = {**data, "context": {**context, "triggerKind": 1}}
        stock = converter.structure(data, types.InlineCompletionParams)
        fields = {name: getattr(stock, name) for name in attrs.fields_dict(type(stock))}
        token = data.get("partialResultToken")
        return GrowingInlineCompletionParams(
            **fields, partial_result_token=token if is_id(token) else None
        )

    def read_request(data: dict[str, Any], _: type) -> GrowingInlineCompletionRequest:
        params = converter.structure(data["params"], GrowingInlineCompletionParams)
        return GrowingInlineCompletionRequest(data["id"], params)

    converter.register_structure_hook(GrowingInlineCompletionParams, read_params)
    converter.register_structure_hook(GrowingInlineCompletionRequest, read_request)
    return converter
