"""Makes headers of model files, and prompts for these models as text."""

from __future__ import annotations

import struct
from pathlib import Path

from mistral_lsp import languages
from mistral_lsp.document import Document
from mistral_lsp.models.gguf import Header, read_header
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.window import Budget, Plan
from mistral_lsp.types import Prompt

PREFIX, SUFFIX = "def add(a, b):\n    return ", "\n\nprint(add(1, 2))\n"
STRING, ARRAY, BOOL, INT = 8, 9, 7, 4


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def header_of(
    tmp_path: Path, name: str, pieces: list[str], vocabulary: str, **texts: str
) -> Header:
    """Reads the header of a file with only a model's name, its vocabulary and `texts` on that."""
    pairs = [
        *(
            text(f"tokenizer.{key}") + struct.pack("<I", STRING) + text(value)
            for key, value in texts.items()
        ),
        text("general.name") + struct.pack("<I", STRING) + text(name),
        text("tokenizer.ggml.model") + struct.pack("<I", STRING) + text(vocabulary),
        text("tokenizer.ggml.bos_token_id") + struct.pack("<II", INT, 0),
        text("tokenizer.ggml.tokens")
        + struct.pack("<IIQ", ARRAY, STRING, len(pieces))
        + b"".join(map(text, pieces)),
    ]
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs) + b"\0" * 64)
    return read_header(path)


def asked(
    form: str, prefix: str = PREFIX, suffix: str = SUFFIX, related=(), folder: str = "/home/me/sums"
) -> Prompt:
    file = f"{folder}/add.py" if folder else ""
    document = Document("", "add.py", languages.find("python"), 1, prefix + suffix, file)
    plan = Plan(Budget(500, 500), 0, "", "", suffix, True, 0, 0, related)
    return build(form, plan, document.snapshot(), len(prefix))


def written(prompt: Prompt, header: Header) -> str:
    """Gives a prompt as text: marks as the model spells them, without marks that it lacks."""
    spelt = {**header.spelt, **({"bos": "<s>"} if "bos" in header.specials else {})}
    parts = [spelt.get(part.special, part.text) for part in prompt.parts]
    return "".join(parts).replace("▁<", " <")
