"""The server frees the memory of each TCP client that has left, except the first."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio, gc, json, weakref

from mistral_lsp.server import serve
from mistral_lsp.server.app import App

made = []


class Noted(App):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        made.append(weakref.ref(self))


def framed(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body


async def talk(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x = 1"}
    for message in (
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ):
        writer.write(framed(**message))
    await reader.read()
    writer.close()


async def main():
    async def client(reader, writer):
        await serve._serve(reader, writer, {"engine": "scripted"})

    serve.App = Noted
    server = await asyncio.start_server(client, "127.0.0.1", 0)
    frozen = []
    for _ in range(8):
        await talk(server.sockets[0].getsockname()[1])
        await asyncio.sleep(0.05)
        gc.collect()
        frozen.append(gc.get_freeze_count())
    server.close()
    print(sum(one() is not None for one in made), frozen[-1] <= frozen[1])


asyncio.run(main())
"""


def test_only_the_first_client_stays_in_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["1", "True"], done.stderr
