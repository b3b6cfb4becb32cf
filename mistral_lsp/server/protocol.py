"""Extends pygls' protocol: streams answers, handles documents, and answers every request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import cattrs
from lsprotocol import types
from pygls.exceptions import (
    FeatureNotificationError,
    FeatureRequestError,
    JsonRpcException,
)
from pygls.protocol import LanguageServerProtocol, lsp_method

from mistral_lsp.server.extensions import (
    DID_MOVE_CURSOR,
    DID_REJECT,
    GrowingInlineCompletionRequest,
    PlaceNotification,
    is_id,
)
from mistral_lsp.types import UserError

logger = logging.getLogger(__name__)

OWN_DOCUMENTS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)
CHANGES = (types.TEXT_DOCUMENT_DID_CHANGE, types.NOTEBOOK_DOCUMENT_DID_CHANGE)
INVALID_REQUEST, INVALID_PARAMS, NOT_INITIALIZED = -32600, -32602, -32002
MOST_EDITS = 20_000
"""Maximum number of edits in one message. Reading more would block the event loop."""
INTERNAL_ERROR, REQUEST_FAILED = -32603, -32803
UNFORESEEN = "mistral-lsp failed here in a way that nobody foresaw; its log says where."


class Protocol(LanguageServerProtocol):
    """pygls' protocol with our own document handlers, and with an answer to every request."""

    def __init__(self, *arguments: Any, **named: Any):
        """Removes pygls' handlers of document notifications, so that only our own handlers run."""
        super().__init__(*arguments, **named)
        self.exit_code: int | None = None
        self.on_lost_change: Callable[[Any], None] = lambda params: None
        for method in OWN_DOCUMENTS:
            del self.fm.builtin_features[method]

    def get_message_type(  # type: ignore[override]
        self, method: str
    ) -> type | None:
        """Gives the class for messages of a method.

        For inline completion and for our own notifications, it is a class of ours.
        """
        if method == types.TEXT_DOCUMENT_INLINE_COMPLETION:
            return GrowingInlineCompletionRequest
        if method in (DID_MOVE_CURSOR, DID_REJECT):
            return PlaceNotification
        return _types_of(method)[0]

    def get_result_type(  # type: ignore[override]
        self, method: str
    ) -> type | None:
        """Gives the class for answers to requests of a method."""
        return _types_of(method)[1]

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        """Handles `exit`: makes `read_messages` return. The caller then cleans up."""
        self.exit_code = 0 if self._shutdown else 1

    def receive(self, data: Any) -> None:
        """Handles one message, decoded from JSON. Answers an invalid request with an error."""
        if not isinstance(data, dict) or data.get("jsonrpc") != self.VERSION:
            self._refuse(data, INVALID_REQUEST, "This is no JSON-RPC 2.0 message.")
            return
        logger.debug("received %s id=%s", data.get("method", "response"), data.get("id"))
        reason = self._out_of_order(data)
        if reason is not None:
            self._refuse(data, *reason)
        elif "method" in data or self._awaits_response(data.get("id")):
            self._dispatch(data)

    def _out_of_order(self, data: dict[str, Any]) -> tuple[int, str] | None:
        """Gives an error's code and text if a message is not allowed now, or None if it is."""
        method = data.get("method")
        if "method" not in data:
            return None
        if not isinstance(method, str):
            return INVALID_REQUEST, "A message's method is no string."
        if "id" in data and (reason := self._no_request(method, data["id"])):
            return INVALID_REQUEST, reason
        if self._workspace is None and not self._may_come_first(method):
            return NOT_INITIALIZED, f"{method} came before initialize."
        if self._workspace is not None and method == types.INITIALIZE:
            return INVALID_REQUEST, "initialize came a second time."
        if self._shutdown and method != types.EXIT:
            return INVALID_REQUEST, f"{method} came after shutdown."
        return None

    def _no_request(self, method: str, number: Any) -> str | None:
        """Gives the reason why a message with an id is not a valid request, or None if it is."""
        if not is_id(number):
            return "A request's id is neither a number nor a string."
        if number in self._request_futures:
            return "A request with this id is not answered yet."
        kind = self.get_message_type(method)
        if kind is not None and not hasattr(kind, "id"):
            return f"{method} is a notification and has no id."
        return None

    def _awaits_response(self, number: Any) -> bool:
        """Whether a response with this id is awaited.

        pygls keeps the client's and our own requests in one table, and fails on a late response.
        """
        future: Any = self._request_futures.get(number) if is_id(number) else None
        if future is None or future.done() or isinstance(future, asyncio.Future):
            logger.warning("left out a response that nothing waits for")
            return False
        return True

    def _handle_cancel_notification(self, msg_id: Any) -> None:
        if is_id(msg_id):
            super()._handle_cancel_notification(msg_id)

    def _send_handler_result(self, future: Any, *, msg_id: Any) -> None:
        """Answers a request with its handler's result, or with an error.

        The error contains the message of a UserError, but not that of other exceptions.
        """
        error = None if future.cancelled() else future.exception()
        if error is None or isinstance(error, JsonRpcException):
            super()._send_handler_result(future, msg_id=msg_id)
            return
        self._request_futures.pop(msg_id, None)
        known = isinstance(error, UserError)
        told = (REQUEST_FAILED, str(error)) if known else (INTERNAL_ERROR, UNFORESEEN)
        self._send_response(msg_id, error=types.ResponseError(*told))
        self._server._report_server_error(error, FeatureRequestError)

    def _check_handler_result(self, future: Any) -> None:
        """Reports the exception of a notification's handler, if it raised one."""
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._server._report_server_error(error, FeatureNotificationError)

    def _send_response(
        self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None
    ) -> None:
        """Answers a request. Removes the traceback that pygls adds to errors."""
        if error is not None and error.data is not None:
            error = types.ResponseError(error.code, UNFORESEEN)
        super()._send_response(msg_id, result, error)

    def _may_come_first(self, method: str) -> bool:
        return method in (types.INITIALIZE, types.EXIT)

    def _dispatch(self, data: dict[str, Any]) -> None:
        try:
            if _has_too_many_edits(data):
                raise JsonRpcException(f"more than {MOST_EDITS} edits", INVALID_PARAMS)
            message = self.structure_message(data)
            if isinstance(message, types.InitializeRequest):
                message.params.root_uri = _readable(message.params.root_uri)
        except JsonRpcException as error:
            cause = error.__cause__
            detail = "; ".join(cattrs.transform_error(cause)) if cause else str(error)
            self._refuse(data, INVALID_PARAMS, f"Invalid parameters: {detail}")
            if data.get("method") in CHANGES:
                self.on_lost_change(data.get("params"))
            return
        if isinstance(message, types.ExecuteCommandRequest):
            # pygls would call a command without any arguments, and it would fail.
            message.params.arguments = message.params.arguments or []
        self.handle_message(message)

    def _refuse(self, data: Any, code: int, message: str) -> None:
        """Answers a request with an error. For any other message, only logs the error."""
        logger.warning("refused a message: %s", message)
        number = data.get("id") if isinstance(data, dict) else None
        if isinstance(number, (int, str)) and is_id(number) and "method" in data:
            self._send_response(number, error=types.ResponseError(code, message))


def _types_of(method: str) -> tuple[type | None, type | None]:
    """Gives the classes of a method's messages and of its answers.

    pygls would cache them with the protocol as a key, which keeps a disconnected client in memory.
    """
    message, answer, *_ = types.METHOD_TO_TYPES.get(method, (None, None))
    return message, answer


def _readable(uri: str | None) -> str | None:
    """Gives the URI, or None if pygls would fail on it."""
    try:
        urlsplit(uri or "")
    except ValueError:
        return None
    return uri


def _has_too_many_edits(data: dict[str, Any]) -> bool:
    return sum(map(len, _edits(data.get("params")))) > MOST_EDITS


def _edits(params: Any) -> list[list[Any]]:
    """Gives the lists of edits in a didChange message, of a document or of a notebook's cells."""
    lists = [_within(params, "contentChanges")]
    cells = _within(params, "change", "cells", "textContent")
    lists += [_within(cell, "changes") for cell in cells] if isinstance(cells, list) else []
    return [edits for edits in lists if isinstance(edits, list)]


def _within(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
