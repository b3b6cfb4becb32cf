"""The engine's own process: serves one loaded model over a socket that only its user can reach.

A native library can abort the process it runs in, so it never runs in the server's.
Run as `python -m mistral_lsp.engine.host SOCKET`; prints a line when it listens, and leaves when
its last client has gone.
"""

from __future__ import annotations

import asyncio
import codecs
import gc
import os
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


class Host:
    """One model, one thread that computes, any number of clients."""

    def __init__(self) -> None:
        """Nothing is loaded until a client asks."""
        self._ready: Ready | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._clients = 0
        self._running: tuple[int, int] | None = None
        self._cancelled: dict[tuple[int, int], bool] = {}  # of every generation not yet finished
        self.empty = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client until it goes."""
        self._clients += 1
        client = id(writer)
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                request = await frames.read_request(reader)
                if isinstance(request, frames.Cancel):
                    self._cancel((client, request.id))
                    continue
                if isinstance(request, frames.Generate):
                    self._cancelled[client, request.id] = False
                task = asyncio.create_task(self._answer(client, request, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(_die_of_bugs)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._clients -= 1
            if self._clients == 0:
                self.empty.set()

    def leave_if_unused(self) -> None:
        """Ends the host where no client has come, so that none is left behind."""
        if self._clients == 0:
            self.empty.set()

    def _cancel(self, key: tuple[int, int]) -> None:
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
            await loop.run_in_executor(self._thread, self._load, request, send)
        elif isinstance(request, frames.Count):
            await loop.run_in_executor(self._thread, self._count, request, send)
        elif isinstance(request, frames.Generate):
            key = (client, request.id)
            await loop.run_in_executor(self._thread, self._generate, key, request, send)
            del self._cancelled[key]

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
        key: tuple[int, int],
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
        key: tuple[int, int],
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
    """Ends the process at an error that nobody foresaw: the server then knows, and starts anew."""
    if not task.cancelled() and task.exception() is not None:
        task.print_stack(file=sys.stderr)
        os._exit(70)


async def run(path: Path) -> None:
    """Listens at `path` until the last client has gone."""
    host = Host()
    server = await asyncio.start_unix_server(host.serve, path, limit=frames.LARGEST_FRAME)
    try:
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        # What native libraries print must not fill a pipe that nobody reads any more.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        asyncio.get_running_loop().call_later(FIRST_CLIENT_SECONDS, host.leave_if_unused)
        await host.empty.wait()
    except BrokenPipeError:
        pass  # whoever started this process is gone already
    finally:
        server.close()
        with suppress(OSError):
            path.unlink()  # noqa: ASYNC240, nothing else runs any more
            path.parent.rmdir()  # noqa: ASYNC240
        # The computing thread may be deep in a native call; nothing it holds outlives the process.
        os._exit(0)


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(run(Path(sys.argv[1])))
