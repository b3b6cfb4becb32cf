"""The plain frozen records passed between the stages of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trigger = Literal["automatic", "popup", "invoked"]
"""What caused a request. `invoked`: a key or a command. `popup`: a completion list, opened by hand
or by typing; clients do not tell these apart. Only `automatic` is refused in comments and the like.
"""


BLOT = "xxxxxxxx"
"""Replaces a secret in a prompt, so that the code around it stays code."""


SCRIPT_VARIABLE = "MISTRAL_LSP_SCRIPT"
"""The environment variable that names the file with the scripted engine's answers."""


class UserError(Exception):
    """An error that the user can mend; the message names the fault and the remedy."""


class EngineError(UserError):
    """The engine can't answer; the message says why, and the remedy."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of the text, in str offsets."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a prompt: plain text, or the name of a special token.

    A model without the `special` token gets `text` in its place.
    """

    label: str
    text: str = ""
    special: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of another file in a prompt; `file` identifies that file."""

    path: str
    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts sent to the model, ordered by the fill-in `form`; `document` is the file's path."""

    form: str
    parts: tuple[Part, ...]
    document: str = ""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How an answer is decoded: at most `max_tokens`, greedily unless a `line` is given.

    For `line` n, a slower best-first search finds the n-th most probable line. A `background`
    generation is stopped when any client starts one in the foreground.
    """

    max_tokens: int
    line: int | None = None
    background: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A decoded token: its text ("" while a character is incomplete), its probability in 0..1."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The tokens that the model wrote. `complete`: the model or a stop rule ended them."""

    tokens: tuple[Token, ...]
    complete: bool = False

    @property
    def text(self) -> str:
        """The tokens' text, joined."""
        return "".join(token.text for token in self.tokens)

    def tokens_within(self, length: int) -> tuple[Token, ...]:
        """Gives the tokens of the first `length` characters; a token cut in two is included."""
        reached = 0
        for place, token in enumerate(self.tokens):
            if reached >= length:
                return self.tokens[:place]
            reached += len(token.text)
        return self.tokens


@dataclass(frozen=True, slots=True)
class Usage:
    """The cost of one generation, in tokens."""

    prompt_tokens: int = 0
    evaluated_tokens: int = 0
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that an engine holds ready.

    Windows are in tokens. `window` is the limit for prompt and answer together. `first_window` is
    read at a new place, and is small so that the user does not wait. While the user rests, the
    window grows to `working_window`, which this machine reads in about a second. Both are equal if
    the engine can't hold two windows at once. `can_abort`: a cancel also stops an eval that is
    running. `can_search`: it supports `Decoding.line`. If a prompt ends with the suffix,
    `can_splice` moves it in the KV cache at each key; otherwise it is read again at each key, and
    has at most `most_suffix` tokens.
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
    can_splice: bool = False
    most_suffix: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of a request: `text` replaces `span`; if it is empty, `reason` says why.

    `others` are the other completions to choose from.
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
    """The model's probability of `text`, 0 to 1: the product of its tokens' probabilities."""
    others: tuple[Completion, ...] = ()
