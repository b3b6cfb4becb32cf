"""The sticky window: it stays while the user types, and never exceeds its budget."""

from __future__ import annotations

import random

import pytest

from mistral_lsp import languages
from mistral_lsp.context.outline import introduce
from mistral_lsp.document import Document
from mistral_lsp.prompt.build import build
from mistral_lsp.prompt.window import RELATED_SHARE, Budget, Plan, Plans
from mistral_lsp.types import Excerpt

BUDGET = 600
BODY = "".join(
    f"def function_{number}(value):\n    total = value + {number}\n    return total\n\n\n"
    for number in range(60)
)


async def count(texts):
    return [len(text.split()) * 2 + text.count("\n") for text in texts]


async def relate(snapshot, offset, budget):
    return ()


class Window:
    """Asks for the plans of one document, as the pipeline does."""

    def __init__(
        self,
        document: Document,
        budget: int = BUDGET,
        limit: int = BUDGET,
        grows: bool = True,
        introduce=introduce,
        relate=relate,
    ):
        self.document = document
        self.introduce = introduce
        self.relate = relate
        self.plans = Plans()
        self.budget = Budget(budget, limit, grows)

    async def at(self, offset: int) -> Plan:
        snapshot = self.document.snapshot()
        plan = await self.plans.find(snapshot, offset, self.budget, count)
        if plan is None:
            plan = await self.plans.make(
                snapshot, offset, self.budget, count, self.introduce, self.relate
            )
            self.plans.keep(snapshot.uri, plan)
        return plan


def make(text: str) -> Document:
    return Document("file:///a.py", "a.py", languages.find("python"), 1, text)


def insert(document: Document, offset: int, text: str) -> None:
    place = document.snapshot().place(offset)
    document.replace(place, place, text)
    document.version += 1


async def test_typing_keeps_the_plan() -> None:
    document = make(BODY)
    window = Window(document)
    offset = BODY.index("total = value + 40") + 8
    first = await window.at(offset)
    for character in "compute(value, 12)\n    other = ":
        insert(document, offset, character)
        offset += 1
        assert await window.at(offset) == first


async def test_brackets_that_the_editor_closes_keep_the_plan() -> None:
    document = make("x = \ny = 2\n")
    window = Window(document)
    plan = await window.at(4)
    insert(document, 4, "f()")
    assert await window.at(6) == plan
    insert(document, 6, "g[]")
    assert await window.at(8) == plan


async def test_other_text_behind_the_cursor_makes_a_new_plan() -> None:
    document = make("x = \ny = 2\n")
    window = Window(document)
    await window.at(4)
    insert(document, 5, "z = 3\n")
    assert (await window.at(4)).suffix == "\nz = 3\ny = 2\n"


async def test_at_the_end_of_a_file_a_new_text_behind_the_cursor_is_seen() -> None:
    document = make("x = ")
    window = Window(document)
    assert (await window.at(4)).suffix == ""
    insert(document, 4, "\nimport os\n")
    assert (await window.at(4)).suffix == "\nimport os\n"


async def test_a_suffix_that_was_all_there_was_is_not_taken_for_another_places() -> None:
    document = make(BODY)
    window = Window(document)
    assert (await window.at(len(BODY) - 1)).suffix == "\n"
    offset = BODY.index("total = value + 20") - 5
    assert (await window.at(offset)).suffix.startswith("\n    total = value + 20")


async def test_going_back_to_a_place_finds_its_plan() -> None:
    document = make(BODY)
    window = Window(document)
    places = [BODY.index(f"total = value + {number}") + 8 for number in (20, 40, 59)]
    plans = [await window.at(place) for place in places]
    assert [await window.at(place) for place in places] == plans


async def test_an_edit_above_the_window_moves_it_along() -> None:
    document = make(BODY)
    window = Window(document)
    offset = BODY.index("total = value + 50") + 8
    before = await window.at(offset)
    assert before.anchor > 0
    insert(document, 0, "import os\n")
    after = await window.at(offset + 10)
    assert after.anchor == before.anchor + 10
    assert (after.suffix, after.introduction) == (before.suffix, before.introduction)


async def test_a_paste_may_outgrow_the_window_until_there_is_time() -> None:
    document = make(BODY)
    window = Window(document, limit=4 * BUDGET)
    offset = BODY.index("total = value + 50") + 8
    plan = await window.at(offset)
    assert not await plan.is_tight(document.snapshot().text, offset, count)
    pasted = "call(other)\n" * 120
    for is_tight in (False, True):
        insert(document, offset, pasted)
        offset += len(pasted)
        assert await window.at(offset) == plan
        assert await plan.is_tight(document.snapshot().text, offset, count) is is_tight


async def test_a_first_window_is_filled_and_soon_replaced() -> None:
    document = make(BODY)
    offset = BODY.index("total = value + 50") + 8
    window = Window(document, budget=200, limit=BUDGET, grows=False)
    plan = await window.at(offset)
    text = document.snapshot().text
    assert 100 < (await count([text[plan.anchor : offset]]))[0] <= plan.budget.prefix
    assert await plan.is_tight(text, offset, count)


async def test_it_moves_rarely_and_stays_within_the_budget() -> None:
    document = make("import os\n\n")
    window = Window(document)
    offset = 11
    plan, moves = None, 0
    for character in BODY[:3500]:
        insert(document, offset, character)
        offset += 1
        last, plan = plan, await window.at(offset)
        moves += plan != last
        prefix = document.snapshot().text[plan.anchor : offset]
        assert (await count([prefix]))[0] <= plan.budget.prefix
    assert moves <= 12
    assert document.snapshot().text.startswith("def ", plan.anchor)


async def test_any_place_of_any_text_fits() -> None:
    random.seed(5)
    text = BODY + "x = [" + "1234, " * 3000 + "]\n" + BODY
    document = make(text)
    for _ in range(60):
        offset = random.randrange(len(text))
        plan = await Window(document).at(offset)
        tokens = await count([plan.suffix, text[plan.anchor : offset]])
        assert sum(tokens) <= BUDGET
        assert text.startswith(plan.suffix, offset)


@pytest.mark.parametrize("grows", [True, False])
@pytest.mark.parametrize("budget", [200, BUDGET])
async def test_a_long_introduction_leaves_the_window_as_it_is(budget, grows) -> None:
    """In broken code, `introduce` may mistake a long text above the window for one signature."""
    document = make(BODY)
    window = Window(document, budget, BUDGET, grows, lambda *_: "class Long:\n" * 500)
    offset = BODY.index("total = value + 50") + 8
    for _ in range(60):
        plan = await window.at(offset)
        prefix = document.snapshot().text[plan.anchor : offset]
        assert plan.introduction or not grows
        assert sum(await count([plan.suffix, plan.introduction, prefix])) <= BUDGET
        insert(document, offset, "other = 1\n")
        offset += 10


async def test_forms_put_the_parts_in_their_order() -> None:
    document = make("a = 1\nb = \nc = 3\n")
    plan = await Window(document).at(10)
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


def test_a_plan_falls_behind_where_other_files_matter_now() -> None:
    def telling(*lines: str) -> Plan:
        related = (Excerpt("other.py", "\n".join(lines)),) if lines else ()
        return Plan(Budget(BUDGET, BUDGET), 0, "", "", "", True, 0, 0, related)

    assert telling("a").is_behind(telling("b", "c"))
    assert telling("a", "b").is_behind(telling("b", "c", "d"))
    assert not telling("a", "b").is_behind(telling("b", "c"))
    assert not telling("a").is_behind(telling())
    assert telling().is_behind(telling("a"))


async def test_a_short_file_leaves_its_room_to_others() -> None:
    rooms = []

    async def relate(snapshot, offset, budget):
        rooms.append(budget)
        return (Excerpt("other.py", "word " * (budget // 2)),)

    for text in (BODY[:80], BODY):
        window = Window(make(text), relate=relate)
        plan = await window.at(len(text))
        prefix = text[plan.anchor :]
        assert sum(await count([prefix, *(one.text for one in plan.related)])) <= BUDGET
        assert plan.anchor == 0 or text == BODY
    assert rooms[0] > rooms[1] == int(BUDGET * RELATED_SHARE)
