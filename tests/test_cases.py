"""Runs every .case file below fixtures/; UPDATE_CASES=1 rewrites their goldens instead."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from lsprotocol import converters

from mistral_lsp.completion import pipeline
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.context import gate
from mistral_lsp.context.cursor import read_cursor
from mistral_lsp.context.definitions import read_definitions
from mistral_lsp.server.completion import inline_list
from mistral_lsp.types import Completion
from tests.support.cases import Case, read_case, rewrite
from tests.support.engine import PlayedEngine

FIXTURES = Path(__file__).with_name("fixtures")
CASES = sorted(FIXTURES.rglob("*.case"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.relative_to(FIXTURES).as_posix())
async def test_case(path: Path) -> None:
    case = read_case(path)
    assert case.goldens, f"{path} has no golden"
    found = {name: await MAKERS[name](case) for name in case.goldens}
    if os.environ.get("UPDATE_CASES") and not os.environ.get("CI"):
        rewrite(case, found)
        return
    for name, golden in case.goldens.items():
        assert found[name].strip("\n") == golden.strip("\n"), f"{case.sentence} ({name})"


async def make_context(case: Case) -> str:
    cursor = read_cursor(case.snapshot, case.offset)
    refusal = gate.refuse(case.snapshot, cursor, case.settings, case.trigger)
    tree = case.snapshot.tree
    scopes = tree.scopes(case.offset) if tree else []
    headers = [case.snapshot.text[scope.header.start : scope.header.end] for scope in scopes]
    lines = [f"region: {cursor.region}", *(f"in: {header.strip()}" for header in headers)]
    return "\n".join(lines + ([f"refused: {refusal}"] if refusal else []))


async def make_definitions(case: Case) -> str:
    text, tree = case.snapshot.text, case.snapshot.tree
    assert tree is not None
    found = read_definitions(case.snapshot.path, text, tree).definitions
    told = [f"{'.'.join((*one.within, one.name))}: {one.text}" for one in found]
    return "\n".join(told)


async def make_prompt(case: Case) -> str:
    engine = PlayedEngine("", window=case.settings.window or 4096)
    settings = msgspec.structs.replace(case.settings, max_tokens=1)
    await pipeline.complete(
        Request(case.snapshot, case.offset, "invoked", settings),
        Workbench(engine, index=case.index(), interactive=False),
    )
    parts = engine.prompts[0].parts
    return "".join(f"<{part.special}>" if part.special else part.text for part in parts)


async def complete(case: Case) -> Completion:
    engine = PlayedEngine(case.model_writes)
    request = Request(case.snapshot, case.offset, case.trigger, case.settings)
    fresh = await pipeline.complete(request, workbench := Workbench(engine))
    again = await pipeline.complete(request, workbench)
    assert replace(again, text="", reason=None).span == fresh.span
    assert again.text == fresh.text, "an answer from the cache is the same as a fresh one"
    return fresh


async def make_postprocess(case: Case) -> str:
    done = await complete(case)
    if done.reason is not None:
        return f"nothing: {done.reason}"
    replaced = case.snapshot.text[done.span.start : done.span.end]
    return f"├{done.text}┤" + (f"{replaced}╣" if replaced else "")


async def make_answer(case: Case) -> str:
    answer = inline_list(await complete(case), case.snapshot, "utf-16")
    return json.dumps(converters.get_converter().unstructure(answer), indent=2, ensure_ascii=False)


MAKERS = {
    "@context": make_context,
    "@definitions": make_definitions,
    "@prompt": make_prompt,
    "@postprocess": make_postprocess,
    "@answer": make_answer,
}
