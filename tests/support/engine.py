"""An engine in the test's process that writes a given text, one character per token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from mistral_lsp.types import Decoding, LoadedModel, Prompt, Token, Usage


class PlayedGeneration:
    """Yields a text's characters as tokens, with a pause before each."""

    def __init__(self, text: str, pause: float, probability: float):
        self.usage = Usage(prompt_tokens=10, evaluated_tokens=2)
        self.stopped = False
        self._text = text
        self._pause = pause
        self._probability = probability

    async def __aiter__(self) -> AsyncIterator[Token]:
        for place, character in enumerate(self._text):
            if self._pause:
                await asyncio.sleep(self._pause)
            if self.stopped:
                return
            self.usage = Usage(10, 2, place + 1)
            yield Token(character, self._probability)

    def stop(self) -> None:
        self.stopped = True


class PlayedEngine:
    """An engine that answers prompts with `text`, or with the lines passed to `search_finds`.

    Its token counts are numbers of bytes.
    """

    def __init__(
        self,
        text: str,
        *,
        pause: float = 0.0,
        window: int = 4096,
        form: str = "suffix-first",
        probability: float = 1.0,
    ):
        self.model = LoadedModel("played", "played", form, window, window, window)
        self.text = text
        self.pause = pause
        self.probability = probability
        self.prompts: list[Prompt] = []
        self.lines: tuple[str, ...] = ()
        self.asked: list[int] = []
        self.searched: list[int | None] = []
        self.generations: list[PlayedGeneration] = []

    def search_finds(self, *lines: str) -> None:
        """Sets the lines that a search finds, the most probable first.

        A request without a search gets the first line.
        """
        self.model = replace(self.model, can_search=True)
        self.lines = lines

    async def ready(self) -> LoadedModel:
        return self.model

    async def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.encode()) for text in texts]

    async def weigh(self, prompt: Prompt) -> list[int]:
        return [len(part.text.encode()) or 1 for part in prompt.parts]

    def generate(self, prompt: Prompt, decoding: Decoding) -> PlayedGeneration:
        self.prompts.append(prompt)
        self.asked.append(decoding.max_tokens)
        self.searched.append(decoding.line)
        text = self.lines[(decoding.line or 1) - 1] if self.lines else self.text
        played = PlayedGeneration(text[: decoding.max_tokens], self.pause, self.probability)
        self.generations.append(played)
        return played
