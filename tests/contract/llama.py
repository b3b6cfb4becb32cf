"""llama-server with one model, as a router, and behind llama-swap.

Sources: "Using multiple models" in tools/server/README.md of github.com/ggml-org/llama.cpp;
README.md and internal/server in github.com/mostlygeek/llama-swap.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from tests.contract.contract import NOT_FOUND
from tests.support.played_llama import PlayedModel
from tests.support.played_server import Answer, Asked, Reply

SAID = PlayedModel(*((text, list(text.encode())) for text in ("\n    ", "s += ", "x")))
"""The answer begins with the blanks before the cursor, which are chosen anew."""
NO_MODEL = Reply.of({"error": {"message": "could not find a model", "code": 400}}, 400)
_ROUTER_PROPS = {
    "role": "router",
    "max_instances": 4,
    "models_autoload": True,
    "model_alias": "llama-server",
    "model_path": "none",
    "default_generation_settings": {"params": {}, "n_ctx": 0},
}


def writing(model: str, *pieces: str) -> PlayedModel:
    """A llama-server with the model of this name, which writes these pieces."""
    played = PlayedModel(*((piece, list(piece.encode())) for piece in pieces))
    played.path = f"models/{model}.gguf"
    return played


class _Front:
    """A server in front of llama-servers, one for each of its models."""

    def __init__(self, *names: str, **models: Answer):
        """The models that are only named answer with SAID."""
        self.models = {**dict.fromkeys(names, SAID), **models}

    def listed(self) -> Reply:
        status = {"value": "unloaded"}
        data = [{"id": name, "object": "model", "status": status} for name in self.models]
        return Reply.of({"object": "list", "data": data})


class Router(_Front):
    """A llama-server that was started without a model."""

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/props":
            return Reply.of(_ROUTER_PROPS)
        if asked.path == "/models":
            return self.listed()
        path, _, query = asked.path.partition("?")
        name = (asked.body or {}).get("model") or unquote(query.removeprefix("model="))
        if name not in self.models:
            return NO_MODEL
        return self.models[name](replace(asked, path=path))


class Swap(_Front):
    """llama-swap."""

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/v1/models":
            return self.listed()
        for name, answer in self.models.items():
            if asked.path.startswith(f"/upstream/{name}/"):
                return answer(replace(asked, path=asked.path.removeprefix(f"/upstream/{name}")))
        return NOT_FOUND
