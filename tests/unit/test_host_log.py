"""The host's log, which goes into bug reports, tells where the host died, without code."""

from __future__ import annotations

import asyncio
import os

from mistral_lsp.engine.host import serve

CODE = "password = hunter2"


async def fail() -> None:
    raise KeyError(CODE)


async def test_an_error_that_nobody_foresaw_is_logged_without_its_words(capfd, monkeypatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    task = asyncio.create_task(fail())
    task.add_done_callback(serve._die_of_bugs)
    await asyncio.wait([task])
    await asyncio.sleep(0)
    log = capfd.readouterr().err
    assert codes == [70]
    assert "in fail" in log and log.endswith("KeyError\n") and "hunter2" not in log
