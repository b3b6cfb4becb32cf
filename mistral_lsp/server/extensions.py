"""What the protocol has beyond LSP: messages of ours, and inline completion that grows."""

from __future__ import annotations

from functools import cache
from typing import Any, Optional, Union

import attrs
import cattrs
from lsprotocol import types
from pygls.protocol import default_converter

DID_MOVE_CURSOR = "mistralLsp/didMoveCursor"
"""From the client: where the cursor rests."""
DID_REJECT = "mistralLsp/didReject"
"""From the client: ghost text at a place was dismissed."""
DID_SHOW = "mistralLsp/didShow"
"""From the client: ghost text was shown."""
DID_ACCEPT = "mistralLsp/didAccept"
"""From the client: `acceptedLength` characters of it were taken."""
STATUS = "mistralLsp/status"
"""To the client: what the engine is doing."""


@attrs.define
class GrowingInlineCompletionParams(types.InlineCompletionParams):
    """The stock parameters with the token that lets an answer grow, which lsprotocol leaves out."""

    partial_result_token: Optional[Union[int, str]] = attrs.field(default=None)


@attrs.define
class GrowingInlineCompletionRequest:
    """A request with these parameters."""

    id: Union[int, str]
    params: GrowingInlineCompletionParams
    method: str = types.TEXT_DOCUMENT_INLINE_COMPLETION
    jsonrpc: str = "2.0"


@attrs.define
class PlaceNotification:
    """A notification of ours that names a place in a document."""

    params: types.TextDocumentPositionParams
    method: str
    jsonrpc: str = "2.0"


def is_id(value: Any) -> bool:
    """Whether a value can be a request's id or a token; JSON has values that nobody finds again."""
    return isinstance(value, (int, str)) and not isinstance(value, bool)


@cache
def make_converter() -> cattrs.Converter:
    """The stock converter that also reads the two classes above. All clients have the same: cattrs
    goes on holding the hooks of one that is gone.
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
