"""Registers the handlers of all messages that the server supports."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types

from mistral_lsp.document import Snapshot
from mistral_lsp.server import completion, notebooks, offer, sync, watching
from mistral_lsp.server.app import App
from mistral_lsp.server.extensions import (
    DID_ACCEPT,
    DID_MOVE_CURSOR,
    DID_REJECT,
    DID_SHOW,
    GrowingInlineCompletionParams,
)
from mistral_lsp.types import Completion, Trigger


def register(app: App) -> None:
    """Registers all handlers with `app`."""
    _register_lifecycle(app)
    _register_documents(app)
    _register_notebooks(app)
    _register_files(app)
    _register_inline_completion(app)
    _register_hints(app)
    _register_commands(app)


def _register_lifecycle(app: App) -> None:
    @app.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        text_document = params.capabilities.text_document
        # For a client that shows ghost text, the popup would only repeat it.
        if not (text_document and text_document.inline_completion):
            _register_popup_completion(app)
        app.begin(params)

    @app.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        app.engine.start()
        await app.pull_settings()
        await watching.watch(app)

    @app.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        app.change_folders(params.event)

    @app.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configuration(params: types.DidChangeConfigurationParams) -> None:
        workspace = app.client_capabilities.workspace
        if workspace and workspace.configuration:
            await app.pull_settings()
        elif isinstance(params.settings, dict):
            await app.take_settings(params.settings.get("mistralLsp", params.settings))


def _register_documents(app: App) -> None:
    @app.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        sync.open_document(app.session, params)
        app.indexing.start(params.text_document.uri)

    @app.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        problem = sync.change_document(app.session, params, app.encoding)
        if problem:
            app.warn(problem)

    def lost_change(params: Any) -> None:
        problem = sync.lose_change(app.session, params)
        if problem:
            app.warn(problem)

    app.protocol.on_lost_change = lost_change

    @app.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        app.indexing.take(app.session.snapshot(params.text_document.uri))

    @app.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        sync.close_document(app.session, params)
        app.freed_memory.give_back()


def _register_notebooks(app: App) -> None:
    @app.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenNotebookDocumentParams) -> None:
        notebooks.open_notebook(app.session, params)
        app.indexing.start(params.notebook_document.uri)

    @app.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeNotebookDocumentParams) -> None:
        for problem in notebooks.change_notebook(app.session, params, app.encoding):
            app.warn(problem)

    @app.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseNotebookDocumentParams) -> None:
        notebooks.close_notebook(app.session, params)
        app.freed_memory.give_back()


def _register_files(app: App) -> None:
    @app.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed(params: types.DidChangeWatchedFilesParams) -> None:
        deleted = types.FileChangeType.Deleted
        gone = [event.uri for event in params.changes if event.type == deleted]
        there = [event.uri for event in params.changes if event.type != deleted]
        watching.note(app, gone, there)

    @app.feature(types.WORKSPACE_DID_CREATE_FILES, watching.ALL_FILES)
    def created(params: types.CreateFilesParams) -> None:
        watching.note(app, [], [file.uri for file in params.files])

    @app.feature(types.WORKSPACE_DID_RENAME_FILES, watching.ALL_FILES)
    def renamed(params: types.RenameFilesParams) -> None:
        old, new = [file.old_uri for file in params.files], [file.new_uri for file in params.files]
        watching.note(app, old, new)

    @app.feature(types.WORKSPACE_DID_DELETE_FILES, watching.ALL_FILES)
    def deleted(params: types.DeleteFilesParams) -> None:
        watching.note(app, [file.uri for file in params.files], [])


def _register_inline_completion(app: App) -> None:
    @app.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(
        params: GrowingInlineCompletionParams,
    ) -> types.InlineCompletionList:
        invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
        send = _sender(app, params.partial_result_token)
        found, snapshot = await _answer(app, params, "invoked" if invoked else "automatic", send)
        return completion.inline_list(found, snapshot, app.encoding)


def _sender(app: App, token: int | str | None) -> completion.Send | None:
    """Gives a function that sends growing completions, or None if the client gave no token."""
    if token is None:
        return None

    def send(growing: Completion, snapshot: Snapshot) -> None:
        items = completion.inline_list(growing, snapshot, app.encoding)
        app.progress(types.ProgressParams(token=token, value=items))

    return send


def _register_popup_completion(app: App) -> None:
    options = types.CompletionOptions(trigger_characters=list(".:([{=, "))

    @app.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    async def popup_completion(params: types.CompletionParams) -> types.CompletionList:
        kind = params.context.trigger_kind if params.context else None
        asked = kind == types.CompletionTriggerKind.Invoked
        found, snapshot = await _answer(app, params, "popup" if asked else "automatic", None)
        return completion.popup_list(found, snapshot, app.encoding)


async def _answer(
    app: App,
    params: GrowingInlineCompletionParams | types.CompletionParams,
    trigger: Trigger,
    send: completion.Send | None,
) -> tuple[Completion, Snapshot | None]:
    try:
        return await completion.answer(
            app.session, app.workbench, params, app.encoding, trigger, send
        )
    except asyncio.CancelledError:
        app.metrics.cancelled += 1
        raise


def _register_hints(app: App) -> None:
    @app.feature(DID_MOVE_CURSOR)
    async def did_move_cursor(params: types.TextDocumentPositionParams) -> None:
        await completion.look(app.session, app.workbench, params, app.encoding)

    @app.feature(DID_REJECT)
    def did_reject(params: types.TextDocumentPositionParams) -> None:
        completion.reject(app.session, app.workbench, params, app.encoding)


def _register_commands(app: App) -> None:
    @app.command("mistralLsp.status")
    def report(*arguments: Any) -> dict[str, Any]:
        return app.report()

    @app.command("mistralLsp.reload")
    async def reload(*arguments: Any) -> dict[str, Any]:
        await app.reload()
        return app.report()

    @app.command("mistralLsp.models")
    async def models(*arguments: Any) -> dict[str, Any]:
        return await offer.offer(app.session.settings)

    @app.command("mistralLsp.explain")
    async def explain(place: types.TextDocumentPositionParams) -> dict[str, Any] | None:
        return await completion.explain(app.session, app.workbench, place, app.encoding)

    @app.feature(DID_SHOW)
    def did_show(params: Any) -> None:
        app.metrics.shown += 1

    @app.feature(DID_ACCEPT)
    def did_accept(params: Any) -> None:
        app.metrics.accepted += 1
        length = getattr(params, "acceptedLength", 0)
        app.metrics.accepted_characters += length if isinstance(length, int) else 0
