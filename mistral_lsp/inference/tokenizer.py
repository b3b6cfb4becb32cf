"""Tokenises prompts, and caches the tokens of unchanged text.

A text is cut into chunks only where no token of the vocabulary could span the cut. So the chunks'
tokens, joined, equal those of the whole text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import numpy
from cachetools import LRUCache

from mistral_lsp.inference.assembly import PromptTokens, assemble, suffix_places
from mistral_lsp.inference.backends.base import Backend
from mistral_lsp.inference.healing import last_word
from mistral_lsp.models.defuse import cuts, spellings
from mistral_lsp.types import EngineError, Prompt

KEPT_HEADS = 16
KEPT_CHUNKS = 4_096
LONGEST_CHUNK = 8_192
LAST_CHARACTERS = 400
"""Number of characters at a text's end within which `Tokenizer.text` may cut it in two."""

_PUNCTUATION = r"[!-/:-@\[-`{-~]"
_CUTS = (
    # Before the blanks at a line's end. Unsafe if a token continues from a visible character into
    # them: the token "x " could take the first of two blanks before a line end.
    (r"(?<=\S)(?=\s*\n)", rb"\S\s*\n|\A\S.*\s\Z"),
    # Before every line feed, for vocabularies like Mistral's, with tokens like ";\r".
    (r"(?=\n)", rb".\n"),
    # The pre-tokenizers of Llama 3, Qwen and others join punctuation and the line feeds after it;
    # GPT-4o's also joins slashes after those. None joins letters or digits with a line feed.
    (r"(?<=[A-Za-z0-9])(?=\s*\n)", rb"[A-Za-z0-9]\s*(?:\n|\s\Z)"),
    # Only after a single line feed: a run of them may be split before its last one.
    (
        rf"(?<={_PUNCTUATION}\n)(?=[^\S\n]+\S|[^\s/])",
        rb"(?:\A|%b)\n(?:[^\s/]|[^\S\n]+(?:\S|\Z))" % _PUNCTUATION.encode(),
    ),
)
"""Patterns of places where a text may be cut and its parts tokenised alone.

Each has a second pattern: a vocabulary with a token of this kind can't use the first. BPE begins
with a pre-tokenizer, which splits the text by a regular expression. A cut is safe if no token spans
it, and if the pre-tokenizer splits both parts as it splits the whole text. Its expression looks
ahead only at blanks and at digits, so no cut is among them. Source: llama.cpp,
src/llama-vocab.cpp.
"""


class Tokenizer:
    """Converts text and prompts to token ids of one model. Thread-safe."""

    def __init__(self, backend: Backend, specials: Mapping[str, int], heals: bool = True):
        """Scans the vocabulary for tokens that span line ends. `heals` turns token healing on."""
        self._heals = heals
        self.backend = backend
        self._specials = specials
        self._lock = threading.Lock()
        self._heads: LRUCache[str, list[int]] = LRUCache(KEPT_HEADS)
        self._chunks: LRUCache[str, tuple[int, ...]] = LRUCache(KEPT_CHUNKS)
        marks = set(specials.values())
        self._pieces = [
            b"" if token in marks else backend.token_bytes(token)
            for token in range(backend.vocabulary_size())
        ]
        self._by_first_byte: dict[bytes, list[int]] = {}
        for token, piece in enumerate(self._pieces):
            if piece:
                self._by_first_byte.setdefault(piece[:1], []).append(token)
        # In some vocabularies marks are one token even in plain text. Texts are cut inside those.
        self._marks = cuts(
            spelling for spelling in spellings() if len(backend.tokenize(spelling.encode())) == 1
        )
        self._cut = _safe_cuts(self._pieces)

    def prompt(self, prompt: Prompt) -> PromptTokens:
        """Gives a prompt's ids without its last word, and that word's bytes, for token healing.

        The answer must begin with these bytes. Raises EngineError for a mark that the model lacks,
        and for an empty prompt.
        """
        parts, owed = self.parts(prompt)
        ids = list(chain.from_iterable(parts))
        if not ids:
            raise EngineError("The prompt is empty.")
        return PromptTokens(ids, owed, suffix_places(prompt.parts, list(map(len, parts))))

    def parts(self, prompt: Prompt) -> tuple[list[list[int]], bytes]:
        """Gives the ids of each part, and the bytes that the answer must begin with."""
        take_word = self._take_word if self._heals else None
        return assemble(prompt.parts, self._specials, lambda part: self.text(part.text), take_word)

    def _take_word(self, ids: list[int]) -> bytes:
        """Removes the last word's tokens from `ids`; gives the word's bytes.

        The first token always stays, since decoding needs one.
        """
        taken, owed = last_word(self._pieces[token] for token in reversed(ids[1:]))
        del ids[len(ids) - taken :]
        return owed

    def beginning(self, owed: bytes) -> Any:
        """Gives an array: the ids of tokens that may start an answer beginning with `owed`."""
        return numpy.array(
            [
                token
                for token in self._by_first_byte.get(owed[:1], ())
                if self._pieces[token].startswith(owed) or owed.startswith(self._pieces[token])
            ]
        )

    def text(self, text: str) -> list[int]:
        """Gives the ids of a text. Cuts it in two near its end, and caches the first part whole."""
        with self._lock:
            places = self._cut.finditer(text, len(text) - LAST_CHARACTERS) if self._cut else ()
            last = max((place.start() for place in places), default=0)
            head = self._heads.get(text[:last])
            if head is None:
                head = self._heads[text[:last]] = self._ids(text[:last])
            return head + self._ids(text[last:])

    def _ids(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._chunk, self.chunks(text))))

    def chunks(self, text: str) -> list[str]:
        """Cuts a text into chunks, each about a line, that are tokenised separately."""
        return self._cut.split(text) if self._cut else [text]

    def _chunk(self, chunk: str) -> tuple[int, ...]:
        found = self._chunks.get(chunk)
        if found is not None:
            return found
        ids = tuple(
            token
            for text in (self._marks.split(chunk) if self._marks else [chunk])
            if text
            for token in self.backend.tokenize(text.encode("utf-8", "replace"))
        )
        if len(chunk) <= LONGEST_CHUNK:
            self._chunks[chunk] = ids
        return ids


def _safe_cuts(pieces: Iterable[bytes]) -> re.Pattern[str] | None:
    """Gives one pattern for all places in `_CUTS` where a cut is safe; None if there are none."""
    with_blanks = [piece for piece in pieces if b"\n" in piece or piece[-1:].isspace()]
    safe = [
        place
        for place, unsafe in _CUTS
        if not any(map(re.compile(unsafe, re.DOTALL).search, with_blanks))
    ]
    return re.compile("|".join(safe)) if safe else None
