"""Counts requests and keeps the latest measurements, for the status."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mistral_lsp.types import Completion, Usage

KEPT_SAMPLES = 512


def percentile(samples: Sequence[float], percent: float) -> float | None:
    """Gives the nearest-rank percentile of `samples`, or None if there are none."""
    if not samples:
        return None
    ordered = sorted(samples)
    rank = max(1, math.ceil(percent / 100 * len(ordered)))
    return round(ordered[rank - 1], 2)


def _samples() -> deque[float]:
    return deque(maxlen=KEPT_SAMPLES)


@dataclass
class Metrics:
    """Counters since the start, and the last KEPT_SAMPLES measurements of each kind."""

    asked: int = 0
    answered: int = 0
    empty: int = 0
    cached: int = 0
    cancelled: int = 0
    stale: int = 0
    shown: int = 0
    accepted: int = 0
    accepted_characters: int = 0
    engine_evaluated_tokens: int = 0
    engine_decoded_tokens: int = 0
    shown_tokens: int = 0
    """Number of decoded tokens whose text was sent to the client. Each token is counted once."""
    last: Completion | None = None
    first_ms: deque[float] = field(default_factory=_samples)
    total_ms: deque[float] = field(default_factory=_samples)
    evaluated_tokens: deque[float] = field(default_factory=_samples)
    """Prompt tokens evaluated for each recent request; 0 if its answer was cached. Refused requests
    are left out.
    """
    cancel_to_idle_ms: deque[float] = field(default_factory=_samples)

    def record(self, completion: Completion) -> None:
        """Records the result of a request."""
        self.last = completion
        self.answered += bool(completion.text)
        self.empty += not completion.text
        self.cached += completion.cached
        if completion.cached or completion.usage.prompt_tokens:
            self.evaluated_tokens.append(completion.usage.evaluated_tokens)
        if completion.first_token_ms is not None:
            self.first_ms.append(completion.first_token_ms)
            self.total_ms.append(completion.total_ms)

    def worked(self, before: Usage, after: Usage) -> None:
        """Adds the engine's work between two readings of its usage, even if no result was shown."""
        self.engine_evaluated_tokens += after.evaluated_tokens - before.evaluated_tokens
        self.engine_decoded_tokens += after.generated_tokens - before.generated_tokens

    def stopped(self, milliseconds: float) -> None:
        """Records the milliseconds from a stop until the engine was idle."""
        self.cancel_to_idle_ms.append(milliseconds)

    def work(self) -> dict[str, int]:
        """Counts the tokens since the start: evaluated in prompts, decoded, and shown."""
        return {
            "evaluated": self.engine_evaluated_tokens,
            "decoded": self.engine_decoded_tokens,
            "shown": self.shown_tokens,
        }

    def last_request(self) -> dict[str, Any] | None:
        """Gives the result of the latest request: reason, tokens and times, but not its text."""
        if self.last is None:
            return None
        return {
            "reason": self.last.reason,
            **dataclasses.asdict(self.last.usage),
            "first_token_ms": self.last.first_token_ms,
            "total_ms": self.last.total_ms,
            "cached": self.last.cached,
        }

    def requests(self) -> dict[str, int]:
        """Gives the number of requests since the start, for each outcome."""
        names = ("asked", "answered", "empty", "cached", "cancelled", "stale", "shown", "accepted")
        return {name: getattr(self, name) for name in names}

    def latency_ms(self) -> dict[str, float | None]:
        """Gives percentiles of the milliseconds to the first token and to the whole answer.

        Only requests that reached the model are included.
        """
        return {
            "first_p50": percentile(self.first_ms, 50),
            "first_p95": percentile(self.first_ms, 95),
            "total_p50": percentile(self.total_ms, 50),
            "total_p95": percentile(self.total_ms, 95),
        }
