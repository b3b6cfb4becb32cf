"""A played llama-server: the characters of a text are its tokens."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.played_server import Asked, Reply

MARKS = {"<fim_prefix>": 1001, "<fim_suffix>": 1002, "<fim_middle>": 1003}
BOS = 1000


class PlayedModel:
    """Answers as llama-server; `leaky` reads marks in plain text, too."""

    def __init__(
        self, *said: tuple[str, list[int]], leaky: bool = False, marked: bool = True, top=()
    ):
        self.said = said
        self.leaky = leaky
        self.marks = MARKS if marked else {}
        self.top = list(top)
        self.path = "models/some.gguf"
        self.template = ""
        self.timings = {"prompt_n": 3, "prompt_per_second": 320.0}

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/props":
            settings = {"default_generation_settings": {"n_ctx": 512}}
            return Reply.of({**settings, "model_path": self.path, "chat_template": self.template})
        if asked.path == "/tokenize":
            return Reply.of({"tokens": self.tokens(asked.body)})
        assert asked.path == "/completion"
        timings = self.timings
        if not asked.body.get("stream"):
            return Reply.of({"content": "x", "stop": True, "timings": timings})
        chunks: list[dict[str, Any]] = [
            {"content": text, "stop": False, "timings": timings}
            | {
                "completion_probabilities": [
                    {"logprob": -0.5, "bytes": written, "top_logprobs": self.top}
                ]
            }
            for text, written in self.said
        ]
        chunks.append({"content": "", "stop": True, "stop_type": "eos", "timings": timings})
        return Reply(tuple(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks))

    def tokens(self, body: dict[str, Any]) -> list[Any]:
        content = body["content"] if isinstance(body["content"], list) else [body["content"]]
        ids = [BOS] if body.get("add_special") else []
        for text in content:
            ids += [text] if isinstance(text, int) else self.ids(text, body.get("parse_special"))
        if body.get("with_pieces"):
            return [{"id": number, "piece": chr(number)} for number in ids]
        return ids

    def ids(self, text: str, parse_special: bool) -> list[int]:
        marks = self.marks if parse_special or self.leaky else {}
        pieces = re.findall("|".join([*map(re.escape, marks), "."]), text, re.DOTALL)
        return [marks.get(piece) or ord(piece) for piece in pieces]
