r"""A backend without a model: it answers from a script, for tests and for trying a client.

The script is a JSON file named by the variable MISTRAL_LSP_SCRIPT:

{"delay_ms": 5, "answers": [{"after": "def add(a, b):\n    ", "answer": "return a + b\n"}]}.

Each byte is a token, and evaluating a token takes `delay_ms`. An entry applies if the prefix ends
with `after`, or with `after` and a beginning of `answer`. The backend then generates the rest of
`answer`.

An entry may also have `other`, a second and slightly less probable answer.
"""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy
from typing_extensions import override

from mistral_lsp.inference.backends.base import Aborted, Backend
from mistral_lsp.types import SCRIPT_VARIABLE, EngineError

SPECIALS = {
    "bos": 256,
    "eos": 257,
    "fim_prefix": 258,
    "fim_suffix": 259,
    "fim_middle": 260,
    "file_sep": 261,
}
SIZE = 262
LOOK_BACK = 1000
"""How many of the prompt's last tokens are looked at. An entry's texts together are shorter."""


class Line(msgspec.Struct, frozen=True):
    """One entry of the script; see the module."""

    after: str
    answer: str
    other: str = ""


class Script(msgspec.Struct, frozen=True):
    """The content of a script. With `dies`, the first eval kills the process."""

    answers: list[Line] = []
    delay_ms: float = 0.0
    dies: bool = False


def read_script() -> Script:
    """Reads the script that MISTRAL_LSP_SCRIPT names. Without a script, every answer is empty."""
    path = os.environ.get(SCRIPT_VARIABLE)
    if not path:
        return Script()
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Script)
    except (OSError, msgspec.DecodeError) as error:
        raise EngineError(f"The script {path} can't be read: {error}") from error


class Scripted(Backend):
    """A backend that follows a script."""

    name = "scripted"
    largest_chunk = 64
    can_abort = True
    can_save = True
    can_give_every = True

    def __init__(self, script: Script):
        self._script = script
        self._ids: list[int] = []
        self._aborted = threading.Event()

    @override
    def tokenize(self, text: bytes) -> list[int]:
        return list(text)

    @override
    def token_bytes(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    @override
    def vocabulary_size(self) -> int:
        return SIZE

    @override
    def eval(self, tokens: Sequence[int], past: int, every: bool = False) -> Any:
        if self._script.dies:
            os.abort()
        if self._aborted.wait(self._script.delay_ms / 1000 * len(tokens)):
            raise Aborted
        found = []
        for end in range(1 if every else len(tokens), len(tokens) + 1):
            self._ids[past:] = tokens[:end]
            found.append(self._logits())
        return numpy.stack(found) if every else found[0]

    def _logits(self) -> Any:
        logits = numpy.zeros(SIZE, dtype=numpy.float32)
        likely = 20.0
        for token in self._next():
            logits[token] = max(logits[token], likely)
            likely -= 1.0
        return logits

    def _next(self) -> list[int]:
        """Gives the possible next tokens, the most probable first."""
        end = self._ids[-LOOK_BACK:]
        if SPECIALS["fim_middle"] not in end:
            return [SPECIALS["eos"]]
        middle = end.index(SPECIALS["fim_middle"])
        prefix = bytes(token for token in end[:middle] if token < 256)
        written = bytes(end[middle + 1 :])
        agreeing = [answer for answer in self._answers(prefix) if answer.startswith(written)]
        following = [answer[len(written) : len(written) + 1] for answer in agreeing]
        return [one[0] if one else SPECIALS["eos"] for one in following] or [SPECIALS["eos"]]

    def _answers(self, prefix: bytes) -> list[bytes]:
        for line in self._script.answers:
            after, answer, other = line.after.encode(), line.answer.encode(), line.other.encode()
            for typed in range(len(answer) + 1):
                if prefix.endswith(after + answer[:typed]):
                    others = [other[typed:]] if other.startswith(answer[:typed]) and other else []
                    return [answer[typed:], *others]
        return []

    @override
    def rewind(self, past: int) -> int:
        del self._ids[past:]
        return past

    @override
    def abort(self, wanted: bool) -> None:
        if wanted:
            self._aborted.set()
        else:
            self._aborted.clear()

    @override
    def use_threads(self, count: int) -> None: ...

    @override
    def save(self) -> bytearray:
        return bytearray(array("H", self._ids).tobytes())

    @override
    def restore(self, state: bytearray) -> bool:
        self._ids = array("H", bytes(state)).tolist()
        return True
