"""The sticky window: it holds still while the user types, and never exceeds its budget."""

from __future__ import annotations

import random

from mistral_lsp import languages
from mistral_lsp.context.outline import introduce
from mistral_lsp.document import Document
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.window import make_plan

BUDGET = 600
BODY = "".join(
    f"def function_{number}(value):\n    total = value + {number}\n    return total\n\n\n"
    for number in range(60)
)


async def count(texts):
    return [len(text.split()) * 2 + text.count("\n") for text in texts]


async def plan_at(document: Document, offset: int, previous=None, budget: int = BUDGET):
    return await make_plan(previous, document.snapshot(), offset, budget, count, introduce)


def make(text: str) -> Document:
    return Document("file:///a.py", "a.py", languages.find("python"), 1, text)


def insert(document: Document, offset: int, text: str) -> None:
    place = document.snapshot().place(offset)
    document.replace(place, place, text)
    document.version += 1


async def test_typing_keeps_the_plan() -> None:
    document = make(BODY)
    offset = BODY.index("total = value + 40") + 8
    first = plan = await plan_at(document, offset)
    for character in "compute(value, 12)\n    other = ":
        insert(document, offset, character)
        offset += 1
        plan = await plan_at(document, offset, plan)
        assert plan is first


async def test_brackets_that_the_editor_closes_keep_the_plan() -> None:
    document = make("x = \ny = 2\n")
    plan = await plan_at(document, 4)
    insert(document, 4, "f()")
    assert await plan_at(document, 6, plan) is plan
    insert(document, 6, "g[]")
    assert await plan_at(document, 8, plan) is plan


async def test_other_text_behind_the_cursor_makes_a_new_plan() -> None:
    document = make("x = \ny = 2\n")
    plan = await plan_at(document, 4)
    insert(document, 5, "z = 3\n")
    assert (await plan_at(document, 4, plan)).suffix == "\nz = 3\ny = 2\n"


async def test_at_the_end_of_a_file_a_new_text_behind_the_cursor_is_seen() -> None:
    document = make("x = ")
    plan = await plan_at(document, 4)
    assert plan.suffix == ""
    insert(document, 4, "\nimport os\n")
    assert (await plan_at(document, 4, plan)).suffix == "\nimport os\n"


async def test_it_moves_rarely_and_stays_within_the_budget() -> None:
    document = make("import os\n\n")
    offset = 11
    plan, moves = None, 0
    for character in BODY[:3500]:
        insert(document, offset, character)
        offset += 1
        last, plan = plan, await plan_at(document, offset, plan)
        moves += plan is not last
        prefix = document.snapshot().text[plan.anchor : offset]
        assert (await count([prefix]))[0] <= plan.prefix_budget
    assert moves <= 12
    assert document.snapshot().text.startswith("def ", plan.anchor)


async def test_any_place_of_any_text_fits() -> None:
    random.seed(5)
    text = BODY + "x = [" + "1234, " * 3000 + "]\n" + BODY
    document = make(text)
    for _ in range(60):
        offset = random.randrange(len(text))
        plan = await plan_at(document, offset)
        tokens = await count([plan.suffix, text[plan.anchor : offset]])
        assert sum(tokens) <= BUDGET
        assert text.startswith(plan.suffix, offset)


async def test_forms_put_the_parts_in_their_order() -> None:
    document = make("a = 1\nb = \nc = 3\n")
    plan = await plan_at(document, 10)
    shown = {}
    for form in ("suffix-first", "prefix-first", "plain"):
        parts = build(form, plan, document.snapshot(), 10).parts
        shown[form] = "".join(f"<{part.special}>" if part.special else part.text for part in parts)
    assert shown == {
        "suffix-first": "<bos><file_sep>a.py\n<fim_suffix>\nc = 3\n<fim_prefix>a = 1\nb = "
        "<fim_middle>",
        "prefix-first": "<bos><fim_prefix>a = 1\nb = <fim_suffix>\nc = 3\n<fim_middle>",
        "plain": "<bos>\nc = 3\n\n\na = 1\nb = ",
    }
