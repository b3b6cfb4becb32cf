"""What a contract between us and one model server consists of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mistral_lsp.types import Part, Prompt
from tests.support.played_server import Asked, Reply

KEY = "sk-secret-of-the-user"
MOST = 16
PREFIX, SUFFIX = "for x in xs:\n    ", "\nprint(s)\n"
SPELT = f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
STARCODER = f"<fim_prefix>{PREFIX}<fim_suffix>{SUFFIX}<fim_middle>"
BARS = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_sep|>"]
TAGS = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<file_sep>"]
NOT_FOUND = Reply.of({"error": "not found"}, 404)
_PROBE = re.compile(rb'"(?:max_tokens|max_new_tokens|num_predict)":1\b')


def mark(name: str) -> Part:
    return Part("mark", special=name)


PROMPTS = {
    "prefix-first": (
        mark("bos"),
        mark("fim_prefix"),
        Part("prefix", PREFIX),
        mark("fim_suffix"),
        Part("suffix", SUFFIX),
        mark("fim_middle"),
    ),
    "suffix-first-alone": (Part("suffix", SUFFIX), Part("prefix", PREFIX)),
    "instructed": (
        mark("bos"),
        Part("mark", " [INST]", special="inst"),
        Part("instruction", " Fill in."),
        Part("suffix", SUFFIX),
        Part("mark", " [/INST]", special="inst_end"),
        Part("prefix", f" {PREFIX}"),
    ),
}


PROMPTS["repository"] = PROMPTS["prefix-first"]  # the two differ only with excerpts of other files


def prompt(form: str) -> Prompt:
    return Prompt(form, PROMPTS[form], "main.py")


def events(*chunks: Any, done: bool = True) -> Reply:
    """A stream of server-sent events."""
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return Reply((*lines, "data: [DONE]\n\n") if done else tuple(lines))


@dataclass(frozen=True)
class Contract:
    """A server's requests and answers.

    `path` and `sent` are the request for a completion, `probe` the answer to one for a single
    token, `stream` the answer of the texts `said`, with their `probabilities`. `facts` are the
    answers to GET requests. `refusals` have what is said of them, and the seconds until the server
    is asked again.
    """

    form: str
    path: str
    sent: Mapping[str, Any]
    probe: Reply
    stream: Reply
    said: tuple[str, ...]
    broken: Reply
    complaint: str
    refusals: tuple[tuple[Reply, str, float], ...]
    facts: Mapping[str, Reply] = field(default_factory=dict)
    probabilities: tuple[float, ...] = ()
    prompt_tokens: int = 0
    window: int = 4096
    key_header: tuple[str, str] = ("Authorization", f"Bearer {KEY}")

    def __call__(self, asked: Asked) -> Reply:
        if asked.body is None:
            return self.facts.get(asked.path, NOT_FOUND)
        if asked.path != self.path:
            return NOT_FOUND
        return self.probe if _PROBE.search(asked.data) else self.stream
