"""Compares the first lines of both engines' greedy answers to the same token ids.

The engines' kernels round differently. So the engines may choose different tokens when two tokens
are almost equally probable (a near tie). Where the lines differ, the logits of the first differing
tokens show whether this was a near tie.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from mistral_lsp.engine.host.measure import default_threads
from mistral_lsp.inference.backends.base import Backend
from mistral_lsp.inference.backends.ctransformers import CTransformers
from mistral_lsp.inference.backends.llama_cpp import LlamaCpp
from mistral_lsp.inference.tokenizer import Tokenizer
from mistral_lsp.models import gguf, store

CURSORS = 50
BEFORE, AFTER = 1200, 400
LONGEST_LINE = 40


def compare(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Compares both engines' answers at random places in the files `names` of `folder`."""
    path = store.locate("")
    specials = gguf.read_header(path).specials
    engines: list[Backend] = [
        LlamaCpp(path, 2048, default_threads(), 0),
        CTransformers(path, 2048, default_threads(), 0),
    ]
    tokenizers = [Tokenizer(engine, specials) for engine in engines]
    same_ids = same_lines = 0
    gaps = []
    for text, place in track(_places(folder, names), description="agreement", transient=True):
        prompts = [_prompt(tokenizer, specials, text, place) for tokenizer in tokenizers]
        same_ids += prompts[0] == prompts[1]
        lines = [_first_line(engine, prompts[0], specials["eos"]) for engine in engines]
        if _text(engines[0], lines[0]) == _text(engines[1], lines[1]):
            same_lines += 1
        else:
            gaps.append(_gap(engines, prompts[0], lines))
    return {
        "cursors": CURSORS,
        "same_prompt_ids": same_ids,
        "same_first_line": same_lines,
        "largest_gap_where_they_differ": round(max(gaps, default=0.0), 3),
    }


def _places(folder: Path, names: Sequence[str]) -> list[tuple[str, int]]:
    random.seed(50)
    places = []
    for _ in range(CURSORS):
        text = (folder / random.choice(names)).read_text(encoding="utf-8")
        lines = [line for line in text.split("\n") if len(line.strip()) > 20]
        line = random.choice(lines)
        start = text.index(line) + len(line) - len(line.lstrip())
        places.append((text, start + random.randrange(len(line.strip()) // 2)))
    return places


def _prompt(tokenizer: Tokenizer, specials: dict[str, int], text: str, place: int) -> list[int]:
    line_end = text.index("\n", place)
    return [
        specials["bos"],
        specials["fim_suffix"],
        *tokenizer.text(text[line_end : line_end + AFTER]),
        specials["fim_prefix"],
        *tokenizer.text(text[max(0, place - BEFORE) : place]),
        specials["fim_middle"],
    ]


def _first_line(engine: Backend, prompt: Sequence[int], end: int) -> list[int]:
    """Decodes greedily, up to and including the token that ends the line or the answer (`end`).

    Stops after `LONGEST_LINE` tokens.
    """
    logits = _prefill(engine, prompt)
    line: list[int] = []
    while len(line) < LONGEST_LINE:
        token = int(logits.argmax())
        line.append(token)
        if token == end or b"\n" in engine.token_bytes(token):
            break
        logits = engine.eval([token], len(prompt) + len(line) - 1)
    return line


def _prefill(engine: Backend, prompt: Sequence[int]) -> Any:
    engine.rewind(0)
    logits = None
    for start in range(0, len(prompt), engine.largest_chunk):
        logits = engine.eval(prompt[start : start + engine.largest_chunk], start)
    return logits


def _text(engine: Backend, line: Sequence[int]) -> bytes:
    return b"".join(map(engine.token_bytes, line)).partition(b"\n")[0]


def _gap(engines: Sequence[Backend], prompt: Sequence[int], lines: Sequence[list[int]]) -> float:
    """Gives the difference between the logits of the two tokens at which `lines` first differ.

    Both engines compute it; the larger difference counts.
    """
    parted = next(place for place, (one, other) in enumerate(zip(*lines)) if one != other)
    gaps = []
    for engine in engines:
        logits = _prefill(engine, [*prompt, *lines[0][:parted]])
        gaps.append(abs(float(logits[lines[0][parted]] - logits[lines[1][parted]])))
    return max(gaps)
