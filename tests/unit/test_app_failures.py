"""The messages of a failing engine: a window on the user's screen for each would be too many."""

from __future__ import annotations

import pytest

from mistral_lsp.server.app import App


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(App, "send_status", lambda app: None)
    monkeypatch.setattr(App, "_show_progress", lambda app: no_progress())
    monkeypatch.setattr(App, "window_show_message", lambda app, told: messages.append(told.message))
    return messages


async def no_progress() -> None:
    pass


async def test_a_server_that_fails_again_and_again_is_shown_once(shown) -> None:
    app = App({})
    for _ in range(3):
        app._engine_changed("loading", "It may be loading.")
        app._engine_changed("failed", "It failed.")
    assert shown == ["mistral-lsp: It failed."]
    app._engine_changed("failed", "It failed otherwise.")
    assert len(shown) == 2
    app._engine_changed("ready", "m on openai.")
    app._engine_changed("failed", "It failed.")
    assert len(shown) == 3, "it was there in between"
    assert app.last_error == "It failed."
