"""Tokenises prompts by asking llama-server, and remembers the tokens of each text.

The server is told not to parse special tokens, so text of a file never becomes one. Some
vocabularies add a space before a text's first word. So a byte is put before every text, and its
token is dropped again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, Union

import msgspec
from cachetools import LRUCache

from mistral_lsp.engine.remote.failures import RARELY_SECONDS, ServerError
from mistral_lsp.engine.remote.http import HttpClient
from mistral_lsp.inference.assembly import assemble
from mistral_lsp.inference.healing import last_word
from mistral_lsp.models.defuse import cuts, spellings
from mistral_lsp.models.marks import MARKS
from mistral_lsp.types import Part, Prompt

Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
LEAD = "\x01"
BETWEEN = -1
"""The separator of the texts in one request; it is no token id."""
KEPT_TEXTS = 4_096
LONGEST_LINE = 1_024
"""Characters. Shorter texts, mostly lines, are counted often and kept in a larger cache."""
KEPT_LONG_TEXTS = 64


class _Tokens(msgspec.Struct):
    tokens: list[int]


class _Token(msgspec.Struct):
    id: int
    piece: Union[str, list[Byte]]

    def bytes(self) -> bytes:
        return self.piece.encode() if isinstance(self.piece, str) else bytes(self.piece)


class _TokensWithPieces(msgspec.Struct):
    tokens: list[_Token]


class Tokens:
    """Tokenises with the vocabulary of a server's model."""

    def __init__(self, server: HttpClient):
        """Sends nothing yet: call `learn` before any other method."""
        self._server = server
        self.specials: dict[str, int] = {}
        self.spelt: dict[str, str] = {}
        self._lead = 0
        self._cut: re.Pattern[str] | None = None
        self._lines: LRUCache[str, tuple[int, ...]] = LRUCache(KEPT_TEXTS)
        self._texts: LRUCache[str, tuple[int, ...]] = LRUCache(KEPT_LONG_TEXTS)

    async def learn(self) -> None:
        """Asks the server which known marks its model parses as one special token."""
        begins = await self._tokenize("", add_special=True)
        if begins:
            self.specials["bos"] = begins[0]
        self._lead = (await self._tokenize(LEAD) or [BETWEEN])[-1]
        marked = await self._tokenize_all(list(MARKS), parse_special=True)
        for spelling, ids in zip(MARKS, marked):
            if len(ids) == 1 and self.specials.setdefault(MARKS[spelling], ids[0]) == ids[0]:
                self.spelt[MARKS[spelling]] = spelling
        # Some marks become one token even in plain text. Texts are cut inside such marks.
        plain = await self._tokenize_all(spellings(), parse_special=False)
        self._cut = cuts(spelling for spelling, ids in zip(spellings(), plain) if len(ids) == 1)

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Counts the tokens of each text."""
        return [len(ids) for ids in await self.of(texts)]

    async def prompt(self, prompt: Prompt) -> tuple[list[int], str]:
        """Gives a prompt's token ids without its last word, and that word, for token healing.

        The answer must begin with that word. Raises EngineError for a mark that the model lacks.
        """
        parts, owed = await self.parts(prompt)
        return list(chain.from_iterable(parts)), owed

    async def parts(self, prompt: Prompt) -> tuple[list[list[int]], str]:
        """Gives the ids of each part, and the word that the answer must begin with."""
        texts = [part.text for part in prompt.parts if part.text and part.label != "prefix"]
        prefixes = [part.text for part in prompt.parts if part.label == "prefix"]
        found = dict(zip(texts, await self.of(texts)))
        pieces = {text: await self._with_pieces(text) for text in prefixes}

        def tokens(part: Part) -> Sequence[int]:
            if part.label == "prefix":
                return [token.id for token in pieces[part.text]]
            return found.get(part.text, ())

        def take_word(ids: list[int]) -> bytes:
            read = (token.bytes() for token in reversed(pieces[prefixes[-1]][1:]))
            taken, word = last_word(read)
            try:
                word.decode()
            except UnicodeDecodeError:  # the server takes texts only, and this is half a character
                return b""
            del ids[len(ids) - taken :]
            return word

        assembled, owed = assemble(prompt.parts, self.specials, tokens, take_word)
        return assembled, owed.decode()

    async def _with_pieces(self, text: str) -> list[_Token]:
        """Gives a text's tokens with their bytes."""
        tokens: list[_Token] = []
        for chunk in self._chunks(text):
            body = {"content": LEAD + chunk, "parse_special": False, "with_pieces": True}
            answer = await self._server.post("/tokenize", body, _TokensWithPieces)
            tokens += answer.tokens[self._start([token.id for token in answer.tokens]) :]
        return tokens

    async def of(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Gives the ids of every text, with one request for all that are not cached."""
        known = {text: self._kept(text).get(text) if text else () for text in texts}
        unknown = [text for text, ids in known.items() if ids is None]
        chunks = [self._chunks(text) for text in unknown]
        flat = [LEAD + chunk for cut in chunks for chunk in cut]
        found = iter(await self._tokenize_all(flat, parse_special=False) if flat else [])
        for text, cut in zip(unknown, chunks):
            ids: list[int] = []
            for _ in cut:
                chunk = next(found)
                ids += chunk[self._start(chunk) :]
            known[text] = tuple(ids)
            self._kept(text)[text] = tuple(ids)
        return [known[text] or () for text in texts]

    def _start(self, ids: list[int]) -> int:
        """Gives the index after the leading byte's token."""
        if self._lead not in ids:
            raise self._strange()
        return ids.index(self._lead) + 1

    def _strange(self) -> ServerError:
        return ServerError(
            f"The server at {self._server.address} makes tokens in a way that is not known here. "
            "Set mistralLsp.httpDialect to openai.",
            RARELY_SECONDS,
        )

    def _chunks(self, text: str) -> list[str]:
        return self._cut.split(text) if self._cut else [text]

    def _kept(self, text: str) -> LRUCache[str, tuple[int, ...]]:
        return self._texts if len(text) > LONGEST_LINE else self._lines

    async def _tokenize_all(self, texts: Sequence[str], parse_special: bool) -> list[list[int]]:
        content: list[Any] = []
        for text in texts:
            content += [text, BETWEEN]
        groups: list[list[int]] = [[]]
        for token in await self._tokenize(content[:-1], parse_special=parse_special):
            if token == BETWEEN:
                groups.append([])
            else:
                groups[-1].append(token)
        if len(groups) != len(texts):
            raise self._strange()
        return groups

    async def _tokenize(
        self, content: str | list[Any], add_special: bool = False, parse_special: bool = False
    ) -> list[int]:
        body = {"content": content, "add_special": add_special, "parse_special": parse_special}
        return (await self._server.post("/tokenize", body, _Tokens)).tokens
