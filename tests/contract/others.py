"""Contracts of servers with interfaces of their own.

Sources: docs/api.md and docs/api/errors.mdx in github.com/ollama/ollama; docs.mistral.ai/api and
the chunks' types in github.com/mistralai/client-python; docs/openapi.json and
router/src/server.rs in github.com/huggingface/text-generation-inference;
huggingface.co/docs/inference-endpoints;
docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html,
docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html, and
smithy.io/2.0/aws/amazon-eventstream.html.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import zlib
from dataclasses import replace
from typing import Any

from tests.contract.contract import (
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

LOGS = (-0.25, -0.5)

OLLAMA = Contract(
    form="repository",
    path="/api/generate",
    sent={
        "model": "qwen2.5-coder:7b-base",
        "options": {"temperature": 0, "num_predict": MOST, "num_ctx": 4096},
        "prompt": SPELT,
        "raw": True,
        "stream": True,
    },
    facts={
        "/api/tags": Reply.of(
            {"models": [{"name": "qwen2.5-coder:7b-base"}, {"name": "llama3.2:latest"}]}
        )
    },
    probe=Reply.of(
        {"model": "m", "response": "x", "done": True, "done_reason": "length"}
        | {"prompt_eval_count": 9, "eval_count": 1}
    ),
    stream=Reply(
        tuple(
            f"{json.dumps(line)}\n"
            for line in (
                {"model": "m", "created_at": "2026-01-01T00:00:00Z", "response": "s += "}
                | {"done": False},
                {"model": "m", "response": "x", "done": False},
                {"model": "m", "response": "", "done": True, "done_reason": "stop"}
                | {"prompt_eval_count": 9, "eval_count": 2},
            )
        )
    ),
    said=("s += ", "x"),
    prompt_tokens=9,
    broken=Reply(
        (
            '{"model":"m","response":"s","done":false}\n',
            '{"error":"an error was encountered while running the model"}\n',
        )
    ),
    complaint="encountered while running the model",
    refusals=(
        (
            Reply.of({"error": 'model "m" not found, try pulling it first'}, 404),
            "try pulling it first",
            30,
        ),
        (
            Reply.of({"error": "server busy, please try again."}, 503),
            "503: server busy",
            0.5,
        ),
    ),
)

MISTRAL = Contract(
    form="suffix-first-alone",
    path="/v1/fim/completions",
    sent={
        "model": "codestral-latest",
        "prompt": PREFIX,
        "suffix": SUFFIX,
        "max_tokens": MOST,
        "temperature": 0,
        "stream": True,
    },
    facts={
        "/v1/models": Reply.of(
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "created": 1700000000, "type": "base"}
                    | {"owned_by": "mistralai", "capabilities": {"completion_fim": fills_in}}
                    for name, fills_in in (
                        ("mistral-large-latest", False),
                        ("codestral-2508", True),
                        ("codestral-latest", True),
                    )
                ],
            }
        )
    },
    probe=Reply.of(
        {
            "id": "1",
            "object": "chat.completion",
            "model": "codestral-latest",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "x"}}
                | {"finish_reason": "length"}
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
        }
    ),
    stream=events(
        {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "s += "}}]},
        {"id": "1", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]},
        {"id": "1", "choices": [{"delta": {"content": ""}, "finish_reason": "stop"}], "usage": {}},
    ),
    said=("s += ", "x"),
    broken=events({"error": {"message": "Service unavailable"}}),
    complaint="Service unavailable",
    refusals=(
        (
            Reply.of({"message": "Requests rate limit exceeded"}, 429, **{"Retry-After": "7"}),
            "429: Requests rate limit exceeded",
            7,
        ),
        (Reply.of({"detail": [{"loc": ["body"], "msg": "x"}]}, 422), r"\(422\)", 30),
    ),
)


def token(text: str, log: float, special: bool = False, **others: Any) -> dict[str, Any]:
    return {
        "index": 1,
        "token": {"id": 5, "text": text, "logprob": log, "special": special},
        "generated_text": None,
        "details": None,
        **others,
    }


def details(reason: str, tokens: int) -> dict[str, Any]:
    return {"finish_reason": reason, "generated_tokens": tokens, "seed": None, "input_length": 9}


TGI = Contract(
    form="prefix-first",
    path="/generate_stream",
    sent={
        "inputs": STARCODER,
        "parameters": {"max_new_tokens": MOST, "do_sample": False, "details": True, "stop": TAGS},
    },
    facts={
        "/info": Reply.of(
            {
                "model_id": "bigcode/starcoder2-7b",
                "model_sha": None,
                "model_pipeline_tag": "text-generation",
                "max_concurrent_requests": 128,
                "max_stop_sequences": 4,
                "max_input_tokens": 1024,
                "max_total_tokens": 2048,
                "router": "text-generation-router",
                "version": "3.3.6",
            }
        )
    },
    window=1024,
    probe=events(token("x", -0.1, generated_text="x", details=details("length", 1)), done=False),
    stream=Reply(
        (
            ":\n\n",  # keeps the connection alive
            *events(
                token("s += ", LOGS[0]),
                token("x", LOGS[1]),
                token(
                    "<|endoftext|>",
                    -0.1,
                    special=True,
                    generated_text="s += x",
                    details=details("eos_token", 3),
                ),
                done=False,
            ).pieces,
        )
    ),
    said=("s += ", "x"),
    probabilities=tuple(map(math.exp, LOGS)),
    prompt_tokens=9,
    broken=events(
        {"error": "Request failed during generation", "error_type": "generation"}, done=False
    ),
    complaint="Request failed during generation",
    refusals=(
        (
            Reply.of({"error": "Model is overloaded", "error_type": "overloaded"}, 429),
            "429: Model is overloaded",
            2,
        ),
        (
            Reply.of({"error": "Input validation error", "error_type": "validation"}, 422),
            "422: Input validation error",
            30,
        ),
        (
            Reply.of({"error": "Request failed", "error_type": "generation"}, 424),
            "424: Request failed",
            0.5,
        ),
    ),
)
ENDPOINT = replace(
    TGI,
    facts={"/info": Reply.of({"model_id": "/repository", "max_input_tokens": 1024})},
    refusals=((Reply(("<html>Service Unavailable</html>",), 503), "still loads its model", 0.5),),
)


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """A message of AWS's event stream."""
    head = b"".join(
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", 7, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    start = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return start + struct.pack(">I", zlib.crc32(start))


def chunk(output: dict[str, Any], **others: Any) -> bytes:
    held = base64.b64encode(json.dumps({"outputs": [output], **others}).encode()).decode()
    headers = {
        ":event-type": "chunk",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return message(headers, json.dumps({"bytes": held, "p": "abcdef"}).encode())


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 3}}
STREAM = (
    chunk({"text": "s += ", "stop_reason": None}),
    chunk({"text": "x", "stop_reason": None}),
    chunk({"text": "", "stop_reason": "stop"}, **METRICS),
)
PIECES = (STREAM[0][:7], STREAM[0][7:], STREAM[1] + STREAM[2][:50], STREAM[2][50:])
"""As a network may cut it."""

BEDROCK = Contract(
    form="instructed",
    path="/model/mistral.mistral-7b-instruct-v0%3A2/invoke-with-response-stream",
    sent={
        "prompt": f"<s> [INST] Fill in.{SUFFIX} [/INST] {PREFIX}",
        "max_tokens": MOST,
        "temperature": 0,
    },
    probe=Reply((chunk({"text": "x", "stop_reason": "length"}, **METRICS),)),
    stream=Reply(PIECES),
    said=("s += ", "x"),
    prompt_tokens=9,
    broken=Reply(
        (
            message(
                {":exception-type": "modelStreamErrorException", ":message-type": "exception"},
                b'{"message":"The model failed.","originalStatusCode":500}',
            ),
        )
    ),
    complaint="The model failed",
    refusals=(
        (
            Reply.of({"message": "Too many requests, please wait before trying again."}, 429),
            "429: Too many requests",
            2,
        ),
        (
            Reply.of({"message": "The provided model identifier is invalid."}, 400),
            "model identifier is invalid",
            30,
        ),
        (Reply.of({"message": "The model timed out."}, 424), "424: The model timed out", 0.5),
    ),
)
