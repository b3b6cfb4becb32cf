"""The host's log, a part of bug reports, tells the place of a failure but contains no code."""

from __future__ import annotations

import asyncio

import pytest

from mistral_lsp.engine.unforeseen import told, watched
from mistral_lsp.types import UserError

CODE = "password = hunter2"


async def fail() -> None:
    raise KeyError(CODE)


async def test_an_error_that_nobody_foresaw_is_logged_without_its_words(caplog) -> None:
    said: list[str] = []
    await asyncio.wait([watched(asyncio.create_task(fail()), "The engine", said.append)])
    assert len(said) == 1 and "KeyError in test_host_log.py" in said[0]
    assert said[0] in caplog.text and "hunter2" not in caplog.text


async def test_an_error_that_the_user_can_mend_keeps_its_words(caplog) -> None:
    async def refuse() -> None:
        raise UserError("Set another model.")

    await asyncio.wait([watched(asyncio.create_task(refuse()), "The engine")])
    assert "Set another model." in caplog.text
    with pytest.raises(UserError, match="another model"), told("The engine"):
        await refuse()
