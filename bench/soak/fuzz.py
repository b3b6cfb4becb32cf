"""Sends millions of random messages.

The server must survive, answer every request once, and have the same texts as the client. Run as
`python -m bench.soak fuzz --messages 1000000`.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from bench.soak.conversation import Conversation, server
from bench.soak.traffic import ENCODINGS, MARK, Traffic, some_message
from bench.support.lsp_client import apart

MESSAGES_OF_A_SERVER = 50_000
MOST_OPEN = 8
ANSWER = "return a + b\n"


def scripted(folder: Path, **script: Any) -> dict[str, str]:
    """Gives environment variables with which the scripted engine answers everywhere."""
    path = folder / "script.json"
    path.write_text(json.dumps({"answers": [{"after": "", "answer": ANSWER}], **script}))
    return {**apart(), "MISTRAL_LSP_SCRIPT": str(path)}


def run(messages: int, seed: int = 1) -> dict[str, Any]:
    """Sends `messages` messages, to one server after another. Problems are in `wrongs`."""
    started = time.perf_counter()
    sent = answers = crashes = 0
    wrongs: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = scripted(Path(folder))
        while sent < messages:
            chance = Random(seed + sent)
            conversation = server(environment=environment)
            traffic = Traffic(conversation, ENCODINGS[chance.randrange(3)])
            wrongs += flood(traffic, chance, min(MESSAGES_OF_A_SERVER, messages - sent))
            sent += conversation.sent
            answers += conversation.answers
            crashes += not conversation.alive
            conversation.kill()
    return {
        "messages": sent,
        "answers": answers,
        "crashes": crashes,
        "wrongs": wrongs[:20],
        "seconds": round(time.perf_counter() - started, 1),
    }


def flood(traffic: Traffic, chance: Random, messages: int) -> list[str]:
    """Sends `messages` messages to one server; gives descriptions of the problems."""
    conversation = traffic.conversation
    traffic.initialize()
    while conversation.sent < messages and not conversation.wrongs:
        some_message(traffic, chance)
        while len(traffic.open) > MOST_OPEN:
            traffic.closes(chance)
    conversation.settle()
    return conversation.wrongs + shown_code(conversation)


def shown_code(conversation: Conversation) -> list[str]:
    """Finds lines of the log that contain text of a document."""
    return [f"code in the log: {line[:200]}" for line in conversation.log if MARK in line][:3]
