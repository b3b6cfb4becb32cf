"""The request, and the workbench shared by all requests: engine, scheduler, caches, index."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from mistral_lsp.completion.cache import Cache
from mistral_lsp.completion.rejections import Rejections
from mistral_lsp.completion.scheduler import Scheduler
from mistral_lsp.config import Settings
from mistral_lsp.context import gate, similar
from mistral_lsp.context.cursor import Cursor, read_cursor
from mistral_lsp.context.index import Index
from mistral_lsp.context.recent import Recent
from mistral_lsp.document import Snapshot
from mistral_lsp.engine.base import Engine
from mistral_lsp.metrics import Metrics
from mistral_lsp.prompt.view import blot_file, is_in_secret, see
from mistral_lsp.prompt.window import Plans
from mistral_lsp.types import Trigger

PARSED_AT_ONCE = 20_000
"""Maximum number of characters of a text that is parsed on the event loop. A longer text is parsed
in a thread, so that requests for other files don't wait.
"""


def _no_later() -> Snapshot | None:
    return None


@dataclass(frozen=True)
class Request:
    """A place in a snapshot, and the user's settings.

    `latest` gives the newest snapshot of the file, or None for a file that is not being edited. For
    a notebook's cell, `before` is the text of the earlier cells.
    """

    snapshot: Snapshot
    offset: int
    trigger: Trigger
    settings: Settings
    latest: Callable[[], Snapshot | None] = _no_later
    before: str = ""

    @cached_property
    def cursor(self) -> Cursor:
        """What is around the request's place: the line, its region, and the open brackets.

        The first use parses the text. A long text should be parsed before, by `parse`.
        """
        return read_cursor(self.snapshot, self.offset)

    def told(self) -> tuple[Snapshot, int]:
        """Gives the snapshot with `before` in front of its text, and the request's offset there."""
        if not self.before:
            return self.snapshot, self.offset
        return self.snapshot.replaced(0, 0, self.before), len(self.before) + self.offset


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses before work ahead of a request, in seconds.

    An engine that can't abort waits for `breath` before it reads ahead, so that it does not delay a
    key typed in this time. After `rest`, the user is assumed not to be in the middle of a word.
    """

    breath: float = 0.02
    rest: float = 0.3


@dataclass
class Workbench:
    """The objects shared by all requests.

    `interactive` is False if no user is typing, for example on the command line. Then nothing is
    done in pauses, and the first prompt fills the large working window at once.
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
    pauses: Pauses = Pauses()


async def parse(snapshot: Snapshot) -> None:
    """Parses a long text in a thread. A short text is parsed when its tree is first used."""
    if len(snapshot.text) > PARSED_AT_ONCE and not snapshot.lazy_tree.is_made:
        await asyncio.to_thread(snapshot.lazy_tree.get)


def refuse(request: Request) -> str | None:
    """Gives the reason why nothing is offered at the request's place, or None."""
    snapshot = request.snapshot
    reason = gate.refuse(snapshot, request.cursor, request.settings, request.trigger)
    if reason is None and is_in_secret(snapshot, request.offset):
        return "the cursor stands in a secret"
    return reason
