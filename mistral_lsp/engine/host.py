"""The engine's own process: serves one loaded model to all of its user's editors.

A native library can abort the process it runs in, so it never runs in a server's. The host leaves
some time after its last client has gone.
"""

from __future__ import annotations

import asyncio
import codecs
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from mistral_lsp.engine import frames
from mistral_lsp.engine.base import EngineError
from mistral_lsp.engine.load import Ready, load
from mistral_lsp.types import Usage, UserError

FIRST_CLIENT_SECONDS = 20.0

Key = tuple[int, int]
"""A client and one of its generations."""


class Host:
    """One model, one thread that computes, any number of clients."""

    def __init__(self) -> None:
        """Nothing is loaded until a client asks."""
        self._ready: Ready | None = None
        self._computing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        # Tokens are counted beside the computing, or they would wait for another editor's prompt.
        self._counting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="count")
        self._clients = 0
        self._keep_seconds = 0
        self._remember = False
        self._running: Key | None = None
        self._cancelled: dict[Key, bool] = {}  # of every generation not yet finished
        self._background: set[Key] = set()  # those of them that step aside
        self.unused = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client until it goes."""
        self._clients += 1
        client = id(writer)
        tasks: set[asyncio.Task[None]] = set()
        frames.write(writer, frames.Hello(os.getpid()))
        try:
            while True:
                request = await frames.read_request(reader)
                if isinstance(request, frames.Cancel):
                    self._cancel((client, request.id))
                    continue
                if isinstance(request, frames.Generate):
                    self._admit((client, request.id), request.background)
                task = asyncio.create_task(self._answer(client, request, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(_die_of_bugs)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._forget(client)
            writer.close()

    def _forget(self, client: int) -> None:
        for key in self._cancelled:
            if key[0] == client:
                self._cancel(key)
        self._clients -= 1
        if self._clients == 0:
            wait = self._keep_seconds if self._ready is not None else 0
            asyncio.get_running_loop().call_later(wait, self.leave_if_unused)

    def leave_if_unused(self) -> None:
        """Ends the host where no client is left."""
        if self._clients == 0:
            self.unused.set()

    def keep_states(self) -> None:
        """Keeps what was read for the next start, where the user wants that."""
        if self._ready is not None:
            self._computing.submit(self._ready.leave, self._remember).result()

    def _admit(self, key: Key, background: bool) -> None:
        self._cancelled[key] = False
        if background:
            self._background.add(key)
        else:
            for other in self._background:
                self._cancel(other)

    def _cancel(self, key: Key) -> None:
        if key not in self._cancelled:
            return
        self._cancelled[key] = True
        if self._ready is not None and self._running == key:
            self._ready.backend.abort(True)

    async def _answer(
        self, client: int, request: frames.Request, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()

        def send(reply: frames.Reply) -> None:
            loop.call_soon_threadsafe(frames.write, writer, reply)

        if isinstance(request, frames.Load):
            self._keep_seconds = max(self._keep_seconds, request.keep_loaded_seconds)
            self._remember = request.remember_windows
            await loop.run_in_executor(self._computing, self._load, request, send)
        elif isinstance(request, frames.Count):
            await loop.run_in_executor(self._counting, self._count, request, send)
        elif isinstance(request, frames.Generate):
            key = (client, request.id)
            await loop.run_in_executor(self._computing, self._generate, key, request, send)
            del self._cancelled[key]
            self._background.discard(key)

    def _load(self, request: frames.Load, send: Callable[[frames.Reply], object]) -> None:
        try:
            if self._ready is None:
                self._ready = load(request)
                gc.freeze()  # it all stays, so that looking through it again is time lost
            send(frames.Loaded(self._ready.model))
        except UserError as error:
            send(frames.Failed(str(error)))

    def _count(self, request: frames.Count, send: Callable[[frames.Reply], object]) -> None:
        ready = self._loaded()
        send(
            frames.Counted(request.id, [len(ready.tokenizer.text(text)) for text in request.texts])
        )

    def _generate(
        self,
        key: Key,
        request: frames.Generate,
        send: Callable[[frames.Reply], object],
    ) -> None:
        ready = self._loaded()
        # In this order: an abort that was meant for the one before is lowered first.
        ready.backend.abort(False)
        self._running = key
        ready.loop.usage = Usage()
        error = ""
        # A cancel that came before this line is on record; one that comes later aborts.
        try:
            if not self._cancelled[key]:
                self._decode(ready, key, request, send)
        except UserError as failure:
            error = str(failure)
        finally:
            self._running = None
        send(frames.Finished(request.id, ready.loop.usage, error))

    def _decode(
        self,
        ready: Ready,
        key: Key,
        request: frames.Generate,
        send: Callable[[frames.Reply], object],
    ) -> None:
        ids = ready.tokenizer.prompt(request.prompt)
        if len(ids) + request.max_tokens > ready.model.window:
            raise EngineError(
                f"The prompt has {len(ids)} tokens; {request.max_tokens} more don't fit "
                f"into a window of {ready.model.window}. Lower mistralLsp.maxTokens."
            )
        characters = codecs.getincrementaldecoder("utf-8")()
        for token, probability in ready.loop.generate(
            ids, request.max_tokens, lambda: self._cancelled[key]
        ):
            try:
                text = characters.decode(ready.backend.token_bytes(token))
            except UnicodeDecodeError:
                return  # the model wrote no text; what came before it stands
            send(frames.Decoded(request.id, text, probability, ready.loop.usage))

    def _loaded(self) -> Ready:
        if self._ready is None:
            raise EngineError("No model is loaded yet.")
        return self._ready


def _die_of_bugs(task: asyncio.Task[None]) -> None:
    """Ends the process at an error that nobody foresaw: the servers then know, and start anew."""
    if not task.cancelled() and task.exception() is not None:
        task.print_stack(file=sys.stderr)
        os._exit(70)


def serve(listening: socket.socket, path: Path) -> None:
    """Serves at a socket that listens at `path`, until nobody needs it; ends the process."""
    asyncio.run(_serve(listening, path))


async def _serve(listening: socket.socket, path: Path) -> None:
    host = Host()
    server = await asyncio.start_unix_server(host.serve, sock=listening, limit=frames.LARGEST_FRAME)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, host.unused.set)
    loop.call_later(FIRST_CLIENT_SECONDS, host.leave_if_unused)
    try:
        await host.unused.wait()
        # First the name: whoever looks for a host from here on starts another one.
        with suppress(OSError):
            path.unlink()  # noqa: ASYNC240, nothing else runs any more
        server.close()
        host.keep_states()
    finally:
        # The computing thread may be deep in a native call; nothing it holds outlives the process.
        os._exit(0)
