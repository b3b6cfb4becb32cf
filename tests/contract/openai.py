"""Contracts of servers with OpenAI's /v1/completions.

Sources: docs/serving/openai_compatible_server.md in vLLM's repository; openapi.yaml in
github.com/togethercomputer/openapi; learn.microsoft.com/azure/ai-services/openai/reference and the
errors quoted on its pages; endpoints/OAI and endpoints/core in github.com/theroyallab/tabbyAPI;
1_developer/3_openai-compat in github.com/lmstudio-ai/docs; mlx_lm/server.py and mlx_lm/SERVER.md in
github.com/ml-explore/mlx-lm; docs/openapi.json and router/src/server.rs in
github.com/huggingface/text-generation-inference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tests.contract.contract import (
    BARS,
    KEY,
    MOST,
    PREFIX,
    SPELT,
    STARCODER,
    SUFFIX,
    TAGS,
    Contract,
    events,
)
from tests.support.played_server import Reply

PATH = "/v1/completions"
LOGS = (-0.25, -0.5)
TOLD = tuple(map(math.exp, LOGS))


def body(model: str, spelt: str, stop: list[str], tells: bool) -> Mapping[str, Any]:
    sent: dict[str, Any] = {"model": model, "max_tokens": MOST, "temperature": 0}
    if tells:
        sent["logprobs"] = 1
    return sent | {"stop": stop, "prompt": spelt, "stream": True}


def choice(text: str, reason: str | None = None, log: float | None = None) -> dict[str, Any]:
    told = {"tokens": [text], "token_logprobs": [log], "top_logprobs": [None], "text_offset": [0]}
    return {"index": 0, "text": text, "finish_reason": reason} | (
        {} if log is None else {"logprobs": told}
    )


def chunk(*choices: Mapping[str, Any], **others: Any) -> Mapping[str, Any]:
    base = {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": "m"}
    return {**base, "choices": list(choices), **others}


USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}

VLLM = Contract(
    form="repository",
    path=PATH,
    sent=body("Qwen/Qwen2.5-Coder-7B", SPELT, BARS, True),
    facts={
        "/v1/models": Reply.of(
            {
                "object": "list",
                "data": [
                    {"id": "Qwen/Qwen2.5-Coder-7B", "object": "model", "created": 1700000000}
                    | {"owned_by": "vllm", "root": "Qwen/Qwen2.5-Coder-7B", "parent": None}
                    | {"max_model_len": 2048, "permission": []}
                ],
            }
        )
    },
    window=2048,
    probe=Reply.of(chunk(choice("x", "length", -0.1), usage=USAGE)),
    stream=events(
        chunk(choice("s += ", None, LOGS[0])),
        chunk(choice("x", None, LOGS[1])),
        chunk(choice("", "stop", -0.1)),
    ),
    said=("s += ", "x"),
    probabilities=TOLD,
    broken=events({"error": {"message": "EngineCore died", "type": "InternalServerError"}}),
    complaint="EngineCore died",
    refusals=(
        (
            Reply.of(
                {
                    "error": {
                        "message": "This model's maximum context length is 2048 tokens.",
                        "type": "BadRequestError",
                        "param": "input_tokens",
                        "code": 400,
                    }
                },
                400,
            ),
            "maximum context length is 2048",
            30,
        ),
    ),
)

TOGETHER = Contract(
    form="repository",
    path=PATH,
    sent=body("Qwen/Qwen2.5-Coder-32B-Instruct", SPELT, BARS, True),
    facts={
        "/v1/models": Reply.of(  # a list without an object around it
            [
                {"id": "Austism/chronos-hermes-13b", "object": "model", "created": 1692896905}
                | {"type": "chat", "context_length": 2048},
                {"id": "Qwen/Qwen2.5-Coder-32B-Instruct", "object": "model", "created": 1692896905}
                | {"type": "code", "context_length": 3000, "pricing": {"hourly": 0}},
            ]
        )
    },
    window=3000,
    probe=Reply.of(
        {
            "id": "1",
            "object": "text.completion",
            "created": 1700000000,
            "model": "m",
            "prompt": [],
            "choices": [
                {"text": "x", "seed": 1, "finish_reason": "length"}
                | {"logprobs": {"token_ids": [1], "tokens": ["x"], "token_logprobs": [-0.1]}}
            ],
            "usage": USAGE,
        }
    ),
    stream=events(
        *(
            {
                "id": "1",
                "object": "completion.chunk",
                "created": 1700000000,
                "token": {"id": 7, "text": text, "logprob": log, "special": not text},
                "choices": [{"index": 0, "text": text}],
                "usage": USAGE if reason else None,
                "finish_reason": reason,
            }
            for text, log, reason in (
                ("s += ", LOGS[0], None),
                ("x", LOGS[1], None),
                ("", -0.1, "eos"),
            )
        )
    ),
    said=("s += ", "x"),
    probabilities=TOLD,
    prompt_tokens=9,
    broken=events({"error": {"message": "overloaded", "type": "server_error", "code": None}}),
    complaint="overloaded",
    refusals=(
        (
            Reply.of({"error": {"message": "Rate limited", "type": "rate_limit"}}, 429),
            r"too many requests \(429: Rate limited\)",
            2,
        ),
        (
            Reply.of({"error": {"message": "Unable to access model", "type": "x"}}, 404),
            r"404: Unable to access model.*httpModel",
            30,
        ),
    ),
)

AZURE = Contract(
    form="suffix-first-alone",
    path="/openai/deployments/DEPLOYMENT/completions?api-version=2024-10-21",
    sent={
        "model": "DEPLOYMENT",
        "max_tokens": MOST,
        "temperature": 0,
        "logprobs": 1,
        "prompt": PREFIX,
        "suffix": SUFFIX,
        "stream": True,
    },
    probe=Reply.of(chunk(choice("x", "length", -0.1))),
    stream=events(
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0}], "object": "", "model": ""},
        chunk(choice("s += ", None, LOGS[0])),
        chunk(choice("x", None, LOGS[1])),
        chunk(choice("", "stop")),
    ),
    said=("s += ", "x"),
    probabilities=TOLD,
    broken=events({"error": {"code": "500", "message": "The server had an error."}}),
    complaint="The server had an error",
    refusals=(
        (
            Reply.of(
                {
                    "error": {
                        "code": "429",
                        "message": "Requests have exceeded token rate limit. Please retry after 6 "
                        "seconds. Please go here: https://aka.ms/oai/quotaincrease",
                    }
                },
                429,
                **{"Retry-After": "6", "x-ratelimit-remaining-tokens": "0"},
            ),
            r"too many requests.*retry after 6",
            6,
        ),
        (
            Reply.of(
                {
                    "error": {
                        "code": "DeploymentNotFound",
                        "message": "The API deployment for this resource does not exist.",
                    }
                },
                404,
            ),
            "does not exist.*httpUrl",
            30,
        ),
        (
            Reply.of(
                {
                    "error": {
                        "code": "OperationNotSupported",
                        "message": "The completion operation does not work with the specified "
                        "model.",
                    }
                },
                400,
            ),
            "completion operation does not work",
            30,
        ),
    ),
    key_header=("api-key", KEY),
)

TABBY = Contract(
    form="repository",
    path=PATH,
    sent=body("Qwen2.5-Coder-7B-exl3", SPELT, BARS, True),
    facts={
        "/v1/models": Reply.of(
            {
                "object": "list",
                "data": [
                    {"id": "Qwen2.5-Coder-7B-exl3", "object": "model", "created": 1700000000}
                    | {"owned_by": "tabbyAPI", "logging": None}
                    | {"parameters": {"max_seq_len": 4096, "cache_mode": "FP16"}}
                ],
            }
        ),
        "/props": Reply.of(
            {"total_slots": 1, "chat_template": "", "default_generation_settings": {"n_ctx": 4096}}
        ),
    },
    probe=Reply.of(chunk(choice("x", "length", -0.1), usage=None)),
    stream=events(
        *(
            {"id": "chatcmpl-1", "object": "text_completion", "choices": [one], "created": 1}
            | {"model_name": "Qwen2.5-Coder-7B-exl3"}
            for one in (
                choice("s += ", None, LOGS[0]),
                choice("x", None, LOGS[1]),
                choice("", "stop") | {"eos_reason": "stop_token"},
            )
        )
    ),
    said=("s += ", "x"),
    probabilities=TOLD,
    broken=events({"error": {"message": "Completion aborted.", "trace": None}}, done=False),
    complaint="Completion aborted",
    refusals=(
        (
            Reply.of({"detail": "No models are currently loaded."}, 503),
            "still loads its model.*No models are currently loaded",
            0.5,
        ),
        (
            Reply.of({"error": {"message": "Prompt length 5000 exceeds", "param": None}}, 400),
            "Prompt length 5000 exceeds",
            30,
        ),
    ),
)

LM_STUDIO = Contract(
    form="repository",
    path=PATH,
    sent=body("qwen2.5-coder-7b", SPELT, BARS, False),
    facts={
        "/v1/models": Reply.of(  # all that were downloaded
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "owned_by": "organization_owner"}
                    for name in ("qwen2.5-coder-7b", "text-embedding-nomic-embed-text-v1.5")
                ],
            }
        ),
        "/props": Reply.of({"error": "Unexpected endpoint or method. (GET /props)"}),
    },
    probe=Reply.of(chunk(choice("x", "length") | {"logprobs": None}, usage=USAGE)),
    stream=events(
        chunk(choice("s += ") | {"logprobs": None}),
        chunk(choice("x") | {"logprobs": None}),
        chunk(choice("", "stop") | {"logprobs": None}),
    ),
    said=("s += ", "x"),
    broken=Reply(('event: error\ndata: {"error":{"message":"Model unloaded."}}\n\n',)),
    complaint="Model unloaded",
    refusals=(
        (
            Reply.of({"error": "Failed to load model"}, 500),
            r"failed \(500: Failed to load model\)",
            0.5,
        ),
        (Reply.of({"error": {"message": "Invalid API token"}}, 401), r"does not take the key", 30),
    ),
)

MLX = Contract(
    form="repository",
    path=PATH,
    sent=body("mlx-community/Qwen2.5-Coder-7B-4bit", SPELT, BARS, False),
    facts={
        "/v1/models": Reply.of(  # all models in the cache of downloads
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "created": 1700000000}
                    for name in ("mlx-community/Qwen2.5-Coder-7B-4bit", "mlx-community/other")
                ],
            }
        ),
    },
    probe=Reply.of(chunk(choice("x", "length"), usage=USAGE)),
    stream=Reply(
        (
            ": keepalive 512/1024\n\n",
            *events(chunk(choice("s += ")), chunk(choice("x")), chunk(choice("", "stop"))).pieces,
        )
    ),
    said=("s += ", "x"),
    broken=events(chunk(choice("s")), done=False),  # it ends the connection, and logs why
    complaint="broke off",
    refusals=((Reply.of({"error": "Repository not found"}, 404), "404: Repository not found", 30),),
)

TGI_OPENAI = Contract(
    form="prefix-first",
    path=PATH,
    sent=body("bigcode/starcoder2-7b", STARCODER, TAGS, False),
    facts={
        "/v1/models": Reply.of(
            {
                "object": "list",
                "data": [
                    {"id": "bigcode/starcoder2-7b", "object": "model", "created": 0}
                    | {"owned_by": "bigcode/starcoder2-7b"}
                ],
            }
        )
    },
    probe=Reply.of(chunk(choice("x", "length") | {"logprobs": None}, usage=USAGE)),
    stream=events(
        *(
            {
                "object": "text_completion",
                "id": "",
                "created": 1700000000,
                "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}],
                "model": "bigcode/starcoder2-7b",
                "system_fingerprint": "3.3.6-native",
            }
            for text, reason in (("s += ", ""), ("x", ""), ("", "stop"))
        )
    ),
    said=("s += ", "x"),
    broken=events({"error": "Request failed during generation", "error_type": "generation"}),
    complaint="Request failed during generation",
    refusals=(
        (
            Reply.of({"error": "Model is overloaded", "error_type": "overloaded"}, 429),
            r"429: Model is overloaded",
            2,
        ),
    ),
)
