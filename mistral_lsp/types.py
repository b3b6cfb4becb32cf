"""The immutable records passed between the stages of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Trigger = Literal["automatic", "popup", "invoked"]
Style = Literal["code", "config", "shell", "prose"]
"""How a text writes values, which decides how its secrets are recognised."""
"""What caused a request. `invoked`: a key or a command. `popup`: a completion list, opened by hand
or by typing; clients do not tell these apart. Places such as comments are refused for `automatic`
requests only.
"""


BLOT = "xxxxxxxx"
"""The text that replaces a secret in a prompt. It is a valid name, so that the code remains code.
"""


SCRIPT_VARIABLE = "MISTRAL_LSP_SCRIPT"
"""The environment variable that names the file with the scripted engine's answers."""


class UserError(Exception):
    """An error that the user can mend. The message says what is wrong and what to do."""


class EngineError(UserError):
    """Raised if the engine can't answer. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a text, in str offsets. `end` is not included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a prompt: plain text, or a special token.

    A model that lacks the `special` token gets `text` instead.
    """

    label: str
    text: str = ""
    special: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of another file in a prompt. `file` identifies that file."""

    path: str
    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The parts of a prompt, in the order of the fill-in `form`. `document` is the file's path."""

    form: str
    parts: tuple[Part, ...]
    document: str = ""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How an answer is decoded: at most `max_tokens`, greedily unless a `line` is given.

    With `line` n, a slower best-first search finds the n-th most probable line. A `background`
    generation is stopped when any client starts one in the foreground.
    """

    max_tokens: int
    line: int | None = None
    background: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A decoded token: its text, and its probability from 0 to 1.

    A character may consist of several tokens. Then only the last of them has a text.
    """

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The tokens that the model wrote. `complete`: the model or a stop rule ended the answer."""

    tokens: tuple[Token, ...]
    complete: bool = False

    @property
    def text(self) -> str:
        """The tokens' text, joined."""
        return "".join(token.text for token in self.tokens)

    def tokens_within(self, length: int) -> tuple[Token, ...]:
        """Gives the tokens of the first `length` characters, including one that extends further."""
        reached = 0
        for place, token in enumerate(self.tokens):
            if reached >= length:
                return self.tokens[:place]
            reached += len(token.text)
        return self.tokens


@dataclass(frozen=True, slots=True)
class Usage:
    """The number of tokens that one generation used, by kind."""

    prompt_tokens: int = 0
    evaluated_tokens: int = 0
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready in an engine.

    Windows are in tokens. `window` is the limit for prompt and answer together. At a new place, a
    small `first_window` is read, so that the user does not wait. In a pause, the window grows to
    `working_window`, which this machine reads in about a second. These two are equal if the
    engine can't hold two windows at once.

    `can_abort`: a cancel also stops the evaluation of tokens. `can_search`: the engine supports
    `Decoding.line`. `can_splice`: at each key, the engine moves the suffix in its KV cache. This
    concerns prompts that end with the suffix. Without `can_splice`, the suffix is read again at
    each key, and has at most `most_suffix` tokens.
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
    """The result of a request: `text` replaces `span`. If `text` is empty, `reason` says why.

    `others` are further completions, to choose from.
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
    """The model's probability of `text`, 0 to 1. It is the product of the probabilities of its
    tokens.
    """
    others: tuple[Completion, ...] = ()
