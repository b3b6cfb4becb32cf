"""An engine's state with a message, and the usage of each of its generations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from mistral_lsp.metrics import Metrics
from mistral_lsp.types import EngineError, Usage

State = Literal["starting", "loading", "ready", "failed", "off"]
OnState = Callable[[State, str], None]
NO_USAGE = Usage()


class Standing:
    """The state of an engine, and a message that explains it to the user."""

    def __init__(self, on_state: OnState):
        """`on_state` is called with each new state or message."""
        self.state: State = "starting"
        self.message = "The engine has not been started."
        self._on_state = on_state
        self._settled = asyncio.Event()

    def change(self, state: State, message: str) -> None:
        """Sets the state and its message. Does nothing if neither changes."""
        if (state, message) == (self.state, self.message):
            return
        self.state, self.message = state, message
        if state in ("ready", "failed", "off"):
            self._settled.set()
        else:
            self._settled.clear()
        self._on_state(state, message)

    async def settled(self) -> None:
        """Waits until the engine is neither starting nor loading."""
        await self._settled.wait()

    def error(self) -> EngineError:
        """Gives the message as an error, for a request that can't be answered now."""
        return EngineError(self.message)


class Meter:
    """Measures a generation's usage, and the time from its stop to its end, for the metrics."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]):
        """`clock` gives a time in seconds."""
        self.usage = NO_USAGE
        self._metrics = metrics
        self._clock = clock
        self._stopped_at: float | None = None

    def count(self, usage: Usage) -> None:
        """Records the usage so far."""
        self._metrics.worked(self.usage, usage)
        self.usage = usage

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped_at is not None

    def stop(self) -> None:
        """Records the present time as that of the stop."""
        self._stopped_at = self._clock()

    def end(self) -> None:
        """Records that the engine is idle again."""
        if self._stopped_at is not None:
            self._metrics.stopped((self._clock() - self._stopped_at) * 1000)
