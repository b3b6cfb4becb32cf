"""What requests are, and what they share: the engine, its turn, and what is remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mistral_lsp.completion.cache import Cache
from mistral_lsp.completion.rejections import Rejections
from mistral_lsp.completion.scheduler import Scheduler
from mistral_lsp.config import Settings
from mistral_lsp.context import gate, similar
from mistral_lsp.context.cursor import Cursor
from mistral_lsp.context.index import Index
from mistral_lsp.context.recent import Recent
from mistral_lsp.document import Snapshot
from mistral_lsp.engine.base import Engine
from mistral_lsp.metrics import Metrics
from mistral_lsp.prompt.view import blot_file, is_in_secret, see
from mistral_lsp.prompt.window import Plans
from mistral_lsp.types import Trigger

PARSED_AT_ONCE = 20_000
"""Characters; a longer text is parsed by a thread, so that no other file's request waits for it."""


def _no_later() -> Snapshot | None:
    return None


@dataclass(frozen=True, slots=True)
class Request:
    """A place in a frozen file, and what the user allows. `latest` gives the file as it is now, or
    None where nobody edits it. `before` is the text of the earlier cells, where it is a notebook's.
    """

    snapshot: Snapshot
    offset: int
    trigger: Trigger
    settings: Settings
    latest: Callable[[], Snapshot | None] = _no_later
    before: str = ""

    def told(self) -> tuple[Snapshot, int]:
        """The file as the model is told of it, and the place in that: behind the earlier cells."""
        if not self.before:
            return self.snapshot, self.offset
        return self.snapshot.replaced(0, 0, self.before), len(self.before) + self.offset


@dataclass
class Workbench:
    """What requests share. Where nobody types (not `interactive`), pauses are not used, and the
    first window is a whole one at once.
    """

    engine: Engine
    scheduler: Scheduler = field(default_factory=Scheduler)
    cache: Cache = field(default_factory=Cache)
    metrics: Metrics = field(default_factory=Metrics)
    clock: Callable[[], float] = time.perf_counter
    plans: Plans = field(default_factory=Plans)
    rejections: Rejections = field(default_factory=Rejections)
    index: Index = field(default_factory=Index)
    recent: Recent = field(default_factory=lambda: Recent(see))
    nearby: similar.Nearby = field(default_factory=lambda: similar.Nearby(blot_file))
    interactive: bool = True


async def parse(snapshot: Snapshot) -> None:
    """Has the snapshot's tree made, by a thread where that may take long."""
    if len(snapshot.text) > PARSED_AT_ONCE and not snapshot.lazy_tree.is_made:
        await asyncio.to_thread(snapshot.lazy_tree.get)


def refuse(request: Request, cursor: Cursor) -> str | None:
    """Why nothing is offered at the request's place, or None."""
    snapshot = request.snapshot
    reason = gate.refuse(snapshot, cursor, request.settings, request.trigger)
    if reason is None and is_in_secret(snapshot, request.offset):
        return "the cursor stands in a secret"
    return reason
