"""The language server of one editor, from initialize to exit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException
from pygls.lsp.server import LanguageServer

from mistral_lsp import __version__, config
from mistral_lsp.completion.request import Workbench
from mistral_lsp.engine.base import Service
from mistral_lsp.engine.choose import AnyWanted, new_engine, wanted_by
from mistral_lsp.engine.standing import State
from mistral_lsp.metrics import Metrics
from mistral_lsp.server import extensions, notebooks, status
from mistral_lsp.server.extensions import make_converter
from mistral_lsp.server.protocol import UNFORESEEN, Protocol
from mistral_lsp.server.settings import Layers
from mistral_lsp.system.memory import FreedMemory
from mistral_lsp.text import uris
from mistral_lsp.types import EngineError, UserError
from mistral_lsp.workspace.indexing import Indexing
from mistral_lsp.workspace.session import Session

logger = logging.getLogger(__name__)

CONFIGURATION_SECONDS = 5.0


class App(LanguageServer):
    """The state of one editor's server, and the operations that several handlers share."""

    protocol: Protocol

    def __init__(self, overrides: Mapping[str, Any]):
        """Creates a server. `overrides` from the command line override all other settings."""
        super().__init__(
            "mistral-lsp",
            __version__,
            notebook_document_sync=notebooks.SYNC,
            protocol_cls=Protocol,
            converter_factory=make_converter,
        )
        self._layers = Layers(overrides)
        self._folders: list[str] = []
        self._shown_problems: set[str] = set()
        self._shown_failure = ""
        self._reloading = asyncio.Lock()
        self._progress: asyncio.Task[None] | None = None
        self.last_error: str | None = None
        self.metrics = Metrics()
        self.freed_memory = FreedMemory()
        self.session = Session(self._layers.read()[0])
        self.engine = self._new_engine()
        self.workbench = Workbench(self.engine, metrics=self.metrics)
        self.indexing = Indexing(self.workbench.index, self.session)

    @property
    def encoding(self) -> str:
        """The units in which the client counts columns: UTF-8, UTF-16 or UTF-32."""
        return self.workspace.position_encoding or types.PositionEncodingKind.Utf16

    def _wanted(self) -> AnyWanted:
        return wanted_by(self.session.settings)

    def _new_engine(self) -> Service:
        return new_engine(self._wanted(), self._engine_changed, self.metrics)

    # Settings

    def begin(self, params: types.InitializeParams) -> None:
        """Takes the workspace folders and the settings from the initialize request."""
        folders = [folder.uri for folder in params.workspace_folders or []]
        self._folders = folders or [params.root_uri or ""]
        self.indexing.set_folders(self._folders)
        self._layers.at_start = params.initialization_options
        self._read(None)
        self.engine = self.workbench.engine = self._new_engine()

    def change_folders(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """Adds and removes workspace folders."""
        gone = {uris.parse(folder.uri) for folder in event.removed}
        self._folders = [uri for uri in self._folders if uris.parse(uri) not in gone]
        self._folders += [folder.uri for folder in event.added]
        self.indexing.set_folders(self._folders)

    async def pull_settings(self) -> None:
        """Asks the client for its settings, if the client supports that."""
        workspace = self.client_capabilities.workspace
        if not (workspace and workspace.configuration):
            return
        item = types.ConfigurationItem(section=config.SECTION)
        with contextlib.suppress(asyncio.TimeoutError, JsonRpcException):
            answer = await asyncio.wait_for(
                self.workspace_configuration_async(types.ConfigurationParams(items=[item])),
                CONFIGURATION_SECONDS,
            )
            await self.take_settings(answer[0] if answer else None)

    async def take_settings(self, raw: Any) -> None:
        """Takes new settings from the client. Starts another engine if they require one."""
        before = self.session.settings
        self._read(raw)
        after = self.session.settings
        if after == before:
            return
        self.workbench.cache.clear()
        if (after.other_files, after.exclude) != (before.other_files, before.exclude):
            await self.indexing.restart()
        if after.enabled != before.enabled:
            self.send_status()
        wanted = self._wanted()
        if wanted.without_wishes() != self.engine.wanted.without_wishes():
            await self.reload()
        elif wanted != self.engine.wanted:
            self.engine.wish(wanted)

    def _read(self, later: Any) -> None:
        self.session.settings, problems = self._layers.read(later)
        for problem in problems:
            self.warn(problem)

    # Engine

    async def reload(self) -> None:
        """Starts a new engine with the current settings.

        The old engine's host keeps running if other clients use it.
        """
        async with self._reloading:
            await self.engine.leave()
            self.engine = self.workbench.engine = self._new_engine()
            self.workbench.cache.clear()
            self.workbench.plans.clear()
            self.engine.start()

    def _engine_changed(self, state: State, message: str) -> None:
        logger.info("engine %s: %s", state, message)
        if state == "failed":
            self.last_error = message
            if message != self._shown_failure:  # a server that is tried again may fail again
                self._tell(types.MessageType.Error, message)
            self._shown_failure = message
        elif state in ("ready", "off"):
            self._shown_failure = ""
        self.send_status()
        if state == "loading" and self._progress is None:
            self._progress = asyncio.create_task(self._show_progress())

    async def _show_progress(self) -> None:
        """Shows the progress of loading, until the model is loaded or loading has failed."""
        window = self.client_capabilities.window
        if window and window.work_done_progress:
            token = f"mistral-lsp-load-{uuid.uuid4()}"
            with contextlib.suppress(JsonRpcException):  # the client may refuse it
                await self.work_done_progress.create_async(token)
                await self._follow_loading(token)
        self._progress = None

    async def _follow_loading(self, token: str) -> None:
        begin = types.WorkDoneProgressBegin(title="mistral-lsp", message=self.engine.message)
        self.work_done_progress.begin(token, begin)
        with contextlib.suppress(EngineError):
            await self.engine.ready()
        end = types.WorkDoneProgressEnd(message=self.engine.message)
        self.work_done_progress.end(token, end)

    # Messages

    def send_status(self) -> None:
        """Sends the engine's state to the client."""
        self.protocol.notify(extensions.STATUS, status.state(self.session.settings, self.engine))

    def warn(self, problem: str) -> None:
        """Shows a problem to the user. The same problem is shown only once."""
        self.last_error = problem
        if problem not in self._shown_problems:
            self._shown_problems.add(problem)
            self._tell(types.MessageType.Warning, problem)

    def _tell(self, kind: types.MessageType, text: str) -> None:
        logger.warning("%s", text)
        self.window_show_message(types.ShowMessageParams(kind, f"mistral-lsp: {text}"))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Logs an unexpected exception.

        If it comes from a notification, also shows it to the user, because a notification has no
        response that could contain the error.
        """
        if not isinstance(error, (JsonRpcException, UserError)):
            logger.error("an unforeseen error", exc_info=error)
        if source is not FeatureRequestError:
            self.warn(str(error) if isinstance(error, UserError) else UNFORESEEN)

    def report(self) -> dict[str, Any]:
        """Gives the answer to the command mistralLsp.status."""
        return status.report(
            self.session.settings,
            self.engine,
            self.metrics,
            len(self.workbench.index),
            self.last_error,
        )

    async def finish(self) -> None:
        """Stops background work and disconnects from the engine."""
        if self._progress is not None:
            self._progress.cancel()
        await self.indexing.close()
        await self.engine.close()
