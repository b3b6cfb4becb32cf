"""An engine inside the bench's process that gives the same answers in every run.

The clock is constant, and every generation starts with an empty KV cache, except in `typing`. So an
answer depends only on its prompt, not on earlier tasks or the machine's load.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from mistral_lsp.engine.base import Engine
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.host.load import load
from mistral_lsp.inference.assembly import PromptTokens
from mistral_lsp.inference.backends.base import Branching
from mistral_lsp.inference.decode import Decoder
from mistral_lsp.inference.sequence import Sequence as OneSequence
from mistral_lsp.inference.splice import Splice
from mistral_lsp.models import gguf, registry, store
from mistral_lsp.types import Decoding, EngineError, LoadedModel, Prompt, Token, Usage

DIGESTED = 1 << 20


class DirectGeneration:
    """An answer that is computed while it is iterated."""

    def __init__(self, decoder: Decoder, prompt: PromptTokens, max_tokens: int, line: int | None):
        """Stores the arguments. The computing begins with the iteration."""
        self._decoder = decoder
        self._prompt = prompt
        self._max_tokens = max_tokens
        self._line = line
        self._stopped = False
        self.usage = Usage()

    async def __aiter__(self) -> AsyncIterator[Token]:
        written = self._decoder.write(
            self._prompt, self._max_tokens, lambda: self._stopped, self._line
        )
        for text, probability in written:
            self.usage = self._decoder.usage
            yield Token(text, probability)

    def stop(self) -> None:
        """Stops before the next token."""
        self._stopped = True


class DirectEngine(Engine):
    """An engine for the pipeline, without a host."""

    def __init__(self, engine: str, model: str = "", threads: int = 0, window: int = 0):
        """Loads the model; raises UserError if that fails.

        `window` is in tokens; 0 is the model's full window.
        """
        path = store.locate(model)
        header = gguf.read_header(path)
        self._ends = header.controls
        # The window is explicit: a default one would depend on the machine's speed.
        self._ready = load(Load(engine, model, window or registry.window(header), threads, 0))
        self.identity = f"{_identity(path)}-{self._ready.model.window}"
        self._typed_in: OneSequence | None = None
        self.tokens_per_key: list[int] = []
        """The number of tokens evaluated after each key of a typed line."""

    @property
    @override
    def model(self) -> LoadedModel:
        return self._ready.model

    @override
    async def ready(self) -> LoadedModel:
        return self._ready.model

    @override
    async def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self._ready.tokenizer.text(text)) for text in texts]

    @override
    async def weigh(self, prompt: Prompt) -> list[int]:
        parts, _ = self._ready.tokenizer.parts(prompt)
        return list(map(len, parts))

    @contextmanager
    def typing(self) -> Iterator[None]:
        """Keeps the KV cache between the prompts in the `with` block, as the host does."""
        backend = self._ready.backend
        if self._ready.model.can_splice and isinstance(backend, Branching):
            self._typed_in = Splice(backend, clock=lambda: 0.0)
        else:
            self._typed_in = OneSequence(backend, clock=lambda: 0.0)
        try:
            yield
        finally:
            self._typed_in.clear()
            self._typed_in = None

    async def press_key(self, prompt: Prompt) -> None:
        """Evaluates the prompt after a keystroke. Call it in a block of `typing`."""
        assert self._typed_in is not None
        before = self._typed_in.evaluated
        self._typed_in.read(self._ready.tokenizer.prompt(prompt), lambda: False)
        self.tokens_per_key.append(self._typed_in.evaluated - before)

    @override
    def generate(self, prompt: Prompt, decoding: Decoding) -> DirectGeneration:
        """Starts a generation. Raises EngineError if the prompt does not fit into the window."""
        tokens = self._ready.tokenizer.prompt(prompt)
        window = self._ready.model.window
        most = decoding.max_tokens
        length = len(tokens.ids)
        if length + most > window:
            raise EngineError(f"{length} + {most} tokens don't fit a window of {window}.")
        sequence = self._typed_in or OneSequence(self._ready.backend, clock=lambda: 0.0)
        beginning = self._ready.tokenizer.beginning
        decoder = Decoder(sequence, self._ends, beginning)
        return DirectGeneration(decoder, tokens, most, decoding.line)


def _identity(path: Path) -> str:
    """Identifies a model file by its size and last bytes."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - DIGESTED))
        return f"{size}-{hashlib.sha256(file.read()).hexdigest()[:16]}"
