"""Assembles the token ids of a prompt from its marks and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mistral_lsp.inference.healing import HALF
from mistral_lsp.models.marks import OPTIONAL
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import EngineError, Part

NO_SUFFIX = range(0)


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """A prompt's token ids. `owed` are the bytes that token healing has cut off.

    `suffix` is the index range of the suffix and its mark if they come after the prefix, else
    empty.
    """

    ids: Sequence[int]
    owed: bytes = b""
    suffix: range = NO_SUFFIX


def assemble(
    parts: Iterable[Part],
    specials: Mapping[str, int],
    tokens: Callable[[Part], Sequence[int]],
    take_word: Callable[[list[int]], bytes] | None,
) -> tuple[list[list[int]], bytes]:
    """Gives the token ids of each part, and the bytes that token healing has cut off.

    `specials` has the ids of the model's marks. `tokens` gives the ids of a part's text.
    `take_word` removes the last word from a prefix's ids, and gives the word's bytes; None: no
    healing. Raises EngineError for a mark that the model lacks.
    """
    assembled = []
    owed = b""
    for part in parts:
        ids = _mark(part, specials)
        if ids is None:
            ids = list(tokens(part))
            if part.label == "prefix" and take_word is not None and HALF.search(part.text):
                owed = take_word(ids)
        assembled.append(ids)
    return assembled, owed


def suffix_places(parts: Sequence[Part], lengths: Sequence[int]) -> range:
    """Gives the index range of the suffix and its mark if they come after the prefix, else empty.

    `lengths` are the numbers of token ids in each part.
    """
    labels = [part.special or part.label for part in parts]
    if "prefix" not in labels or "suffix" not in labels[labels.index("prefix") :]:
        return NO_SUFFIX
    last = labels.index("suffix", labels.index("prefix"))
    first = labels.index("prefix") + 1
    return range(sum(lengths[:first]), sum(lengths[: last + 1]))


def _mark(part: Part, specials: Mapping[str, int]) -> list[int] | None:
    """Gives the ids of a mark, or None if the part is a text."""
    if part.special in specials:
        return [specials[part.special]]
    if not part.special or part.text:
        return None
    if part.special in OPTIONAL:
        return []
    mark = one_line(part.special)
    raise EngineError(f"This model has no {mark} token, so it can't fill in.")
