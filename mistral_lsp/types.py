"""The plain frozen records that travel between the stages of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trigger = Literal["automatic", "popup", "invoked"]
"""`invoked` means that the user asked by a key or a command. A `popup` may have been asked for so,
too, or open while the user types: clients make no difference. Gates of taste stay open for both.
"""


BLOT = "xxxxxxxx"
"""Stands in a prompt in place of a secret, so that the code around it stays code."""


SCRIPT_VARIABLE = "MISTRAL_LSP_SCRIPT"
"""Names the file that the scripted engine answers from."""


class UserError(Exception):
    """Something the user can mend; the message says what is wrong and what to do about it."""


class EngineError(UserError):
    """The engine can't answer; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of the text, in str offsets."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a prompt: plain text, or the name of one of the model's special tokens, with the
    text to write where a model can do without that token.
    """

    label: str
    text: str = ""
    special: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of another file stands in a prompt; `file` tells that one from all others."""

    path: str
    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked, in order, the fill-in form that decided the order, and the path of
    the file that it is about. Where `line` is not 0, the line at that place in the order of
    likelihood is looked for, which takes longer than to take the likeliest token each time.
    """

    form: str
    parts: tuple[Part, ...]
    document: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A decoded token: its text ("" while a character is incomplete), its probability in 0..1."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote, raw. `complete` tells that it ended by itself or by a stop rule."""

    tokens: tuple[Token, ...]
    complete: bool = False

    @property
    def text(self) -> str:
        """The tokens' text, joined."""
        return "".join(token.text for token in self.tokens)

    def tokens_within(self, length: int) -> tuple[Token, ...]:
        """The tokens that make the first `length` characters; one cut in two counts whole."""
        reached = 0
        for place, token in enumerate(self.tokens):
            if reached >= length:
                return self.tokens[:place]
            reached += len(token.text)
        return self.tokens


@dataclass(frozen=True, slots=True)
class Usage:
    """What one generation cost the engine, in tokens."""

    prompt_tokens: int = 0
    evaluated_tokens: int = 0
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that an engine holds ready.

    `window` is the most tokens (prompt and answer) that it may ever see; `working_window` what this
    machine reads in about a second, where a window grows to while the user rests; `first_window`
    what it reads in a moment, so that a new place does not keep the user waiting. The last two are
    equal where the engine can't hold two windows at once. `can_abort`: a cancel stops it at once,
    not only between two evals. `can_search`: it heeds a prompt's `line`.
    """

    engine: str
    model: str
    form: str
    window: int
    first_window: int
    working_window: int
    note: str = ""
    can_abort: bool = True
    can_search: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of a request: `text` replaces `span`; where it is empty, `reason` says why.

    `others` are what else the user may choose from.
    """

    text: str
    span: Span
    reason: str | None = None
    engine: str | None = None
    model: str | None = None
    form: str | None = None
    usage: Usage = Usage()
    first_token_ms: float | None = None
    total_ms: float = 0.0
    cached: bool = False
    confidence: float | None = None
    """How likely the model holds its first line to be, 0 to 1."""
    others: tuple[Completion, ...] = ()
