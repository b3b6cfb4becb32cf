"""Loads damaged copies of the embedded model: each must answer, or be refused with a message.

Every engine loads each copy in a child process, and no process may die. Run as `python -m
bench.soak models --models 1000`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from bench.soak.headers import ARRAY, SCALARS, STRING, TELLING
from mistral_lsp.engine.frames import Load
from mistral_lsp.engine.host.load import load
from mistral_lsp.models import store
from mistral_lsp.types import Part, Prompt, UserError

ENGINES = ("ctransformers", "llama_cpp")
WINDOW = 128
CHILD_SECONDS = 120
CHILD_MEMORY = 16 << 30
SMALL = (0, 1, 2, 3, 5, 7, 9, 64, 255, 575, 576, 577, 31_999, 32_000, 32_001, 65_536)
FLOATS = (0.0, -1.0, 1e-30, 1e38, float("inf"), float("nan"))
SPARE = (b"general.license", b"general.file_type", b"general.quantization_version")
"""Keys that are removed to make room for changes that lengthen the header."""
PROMPT = Prompt("plain", (Part("prefix", "def add(a, b):\n    return a"),))


@dataclass(frozen=True)
class Pair:
    """An entry of the metadata: its key, the type number of its value, and the value's bytes."""

    key: bytes
    kind: int
    raw: bytes


@dataclass(frozen=True)
class Place:
    """The entry of a tensor in a header."""

    name: bytes
    shape: tuple[int, ...]
    kind: int
    offset: int


Header = tuple[list[Pair], list[Place]]


class Reader:
    """Reads a valid header from bytes."""

    def __init__(self, data: bytes):
        """Starts after the magic bytes and the version."""
        self.data = data
        self.at = 8

    def number(self, form: str) -> Any:
        """Reads the next number; `form` is its format in the module `struct`."""
        [found] = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))
        return found

    def take(self, size: int) -> bytes:
        """Reads the next `size` bytes."""
        self.at += size
        return self.data[self.at - size : self.at]

    def skip(self, kind: int) -> None:
        """Skips a value of the GGUF type with the number `kind`."""
        if kind == STRING:
            self.take(self.number("Q"))
        elif kind == ARRAY:
            inner, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip(inner)
        else:
            self.take(struct.calcsize(SCALARS[kind]))

    def header(self) -> Header:
        """Reads the whole header."""
        tensors, pairs = self.number("Q"), self.number("Q")
        found = []
        for _ in range(pairs):
            key, kind = self.take(self.number("Q")), self.number("I")
            start = self.at
            self.skip(kind)
            found.append(Pair(key, kind, self.data[start : self.at]))
        places = []
        for _ in range(tensors):
            name = self.take(self.number("Q"))
            shape = tuple(self.number("Q") for _ in range(self.number("I")))
            places.append(Place(name, shape, self.number("I"), self.number("Q")))
        return found, places


def written(header: Header) -> bytes:
    """Encodes a header as GGUF."""
    pairs, places = header
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(places), len(pairs))]
    parts += [text(one.key) + struct.pack("<I", one.kind) + one.raw for one in pairs]
    for one in places:
        shape = b"".join(struct.pack("<Q", length % (1 << 64)) for length in one.shape)
        where = struct.pack("<IQ", one.kind % (1 << 32), one.offset % (1 << 64))
        parts.append(text(one.name) + struct.pack("<I", len(one.shape)) + shape + where)
    return b"".join(parts)


def text(value: bytes) -> bytes:
    """Encodes a string in the format GGUF."""
    return struct.pack("<Q", len(value)) + value


def fitted(header: Header, size: int) -> bytes | None:
    """Encodes a header, padded to `size` bytes so that no weights move. None if it is longer."""
    pairs, places = header
    padding = Pair(b"general.padding", STRING, text(b""))
    left = size - len(written(([*pairs, padding], places)))
    if left < 0:
        return None
    return written(([*pairs, replace(padding, raw=text(b"x" * left))], places))


def damaged(chance: Random, header: Header) -> Header:
    """Changes one or two things in a header."""
    pairs, places = list(header[0]), list(header[1])
    for _ in range(chance.randint(1, 2)):
        if chance.random() < 0.7:
            place = chance.randrange(len(pairs))
            pairs[place : place + 1] = _changed_pair(chance, pairs[place])
        else:
            place = chance.randrange(len(places))
            places[place : place + 1] = _changed_place(chance, places[place])
    return pairs, places


def _changed_pair(chance: Random, pair: Pair) -> list[Pair]:
    if chance.random() < 0.05:
        return []
    if chance.random() < 0.05:
        return [pair, pair]
    if pair.kind == ARRAY:
        return [replace(pair, raw=_changed_array(chance, pair.raw))]
    kind = pair.kind if chance.random() < 0.8 else chance.choice((*SCALARS, STRING))
    if kind == STRING:
        words = (b"", b"llama", b"falcon", b"gpt2", b"llama\0", b"x" * 300, b"\xff")
        return [Pair(pair.key, kind, text(chance.choice(words)))]
    form = SCALARS[kind]
    if form in "fd":
        return [Pair(pair.key, kind, struct.pack(f"<{form}", chance.choice(FLOATS)))]
    number = chance.choice((*TELLING, *SMALL)).to_bytes(8, "little")
    return [Pair(pair.key, kind, number[: struct.calcsize(form)])]


def _changed_array(chance: Random, raw: bytes) -> bytes:
    kind, count = struct.unpack("<IQ", raw[:12])
    body = raw[12:]
    if kind != STRING and chance.random() < 0.5:  # another value in many places
        changed = bytearray(body)
        for _ in range(chance.choice((1, 100, count))):
            at = 4 * chance.randrange(count)
            changed[at : at + 4] = struct.pack("<i", chance.choice((-1, 0, 1, 2, 3, 4, 5, 6, 99)))
        return raw[:12] + bytes(changed)
    if chance.random() < 0.5:  # shorter
        kept = chance.choice((0, 1, 10, 259, count - 1))
        return struct.pack("<IQ", kind, kept) + _beginning(kind, body, kept)
    other = chance.choice(list(SCALARS))
    size = struct.calcsize(SCALARS[other])
    kept = min(count, len(body) // size)
    return struct.pack("<IQ", other, kept) + body[: kept * size]


def _beginning(kind: int, body: bytes, count: int) -> bytes:
    if kind != STRING:
        return body[: count * struct.calcsize(SCALARS[kind])]
    reader = Reader(b"\0" * 8 + body)
    for _ in range(count):
        reader.skip(STRING)
    return body[: reader.at - 8]


def _changed_place(chance: Random, place: Place) -> list[Place]:
    kind = chance.choice(("drop", "twice", "name", "shape", "kind", "kind", "offset"))
    if kind == "drop":
        return []
    if kind == "twice":
        return [place, place]
    if kind == "name":
        return [replace(place, name=chance.choice((b"", b"x" * 63, place.name + b"\0")))]
    if kind == "kind":
        return [replace(place, kind=chance.choice((*range(42), 255, 1 << 16, 1 << 31)))]
    if kind == "offset":
        return [replace(place, offset=place.offset + chance.choice((1, -32, 32, 1 << 40, 1 << 63)))]
    shape = list(place.shape)
    shape[chance.randrange(len(shape))] = chance.choice((*TELLING, *SMALL))
    more = tuple(chance.choice(((), (1,), (1, 1), (1, 1, 1))))
    return [replace(place, shape=(*shape, *more))]


def run(count: int, seed: int = 1) -> dict[str, Any]:
    """Loads `count` files. `wrongs` has each outcome that is neither an answer nor a refusal."""
    chance = Random(seed)
    whole = store.locate("").read_bytes()
    pairs, places = Reader(whole).header()
    size = len(written((pairs, places)))
    header = [pair for pair in pairs if pair.key not in SPARE], places
    started = time.perf_counter()
    ends: Counter[str] = Counter()
    wrongs: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        path.write_bytes(whole)
        for number in range(count):
            changed = fitted(damaged(chance, header), size)
            if changed is None:
                ends["too long"] += 1
                continue
            with path.open("r+b") as file:
                file.write(changed)
            for engine in ENGINES:
                end = in_a_child(lambda engine=engine: ask(engine, path))  # type: ignore[misc]
                ends[end.partition(":")[0]] += 1
                if not end.startswith(("answered", "refused")):
                    wrongs.append(f"{number} {engine}: {end}")
    return {
        "models": count,
        "ends": dict(ends),
        "seconds": round(time.perf_counter() - started, 1),
        "wrongs": wrongs[:20],
    }


def ask(engine: str, path: Path) -> str:
    """Loads a model as the host does, and generates a few tokens. Gives the outcome."""
    try:
        ready = load(Load(engine, str(path), WINDOW, 1, 0))
        prompt = ready.tokenizer.prompt(PROMPT)
        for _ in ready.decoder.generate(prompt, 4, lambda: False):
            pass
    except UserError as error:
        return f"refused: {error}"
    return "answered"


def in_a_child(work: Callable[[], str]) -> str:
    """Runs `work` in a child process. Gives its result, or how the process ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(CHILD_SECONDS)
            try:
                said = work()
            except BaseException as error:  # noqa: BLE001
                said = f"unforeseen: {type(error).__name__} {error}"
            os.write(writing, said[:2000].encode("utf-8", "replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"died: {signal.Signals(os.WTERMSIG(status)).name}"
    return said or f"ended: {status}"
