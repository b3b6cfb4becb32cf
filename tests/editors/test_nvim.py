"""Ghost text in a real Neovim, from typed keys to the buffer's text."""

import time
from itertools import pairwise

import pytest

from tests.editors.nvim_driver import ADD, COMPLETE, Open

BLOCK = "def sign(number):\n    "
BLOCK_ANSWER = {BLOCK: "if number < 0:\n        print()\n        return -1\n"}
SHOWN_BLOCK = "number < 0:\n        print()\n        return -1"


def test_ghost_text_stands_right_of_the_cursor(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.wait_for_row(1, "    return a + b")
    assert editor.lines() == ["def add(a, b):", "    re"]
    editor.wait_until_received("mistralLsp/didShow")


def test_ghost_text_of_several_lines(open_ready: Open) -> None:
    editor = open_ready(BLOCK + "\n", BLOCK_ANSWER)
    editor.keys("jAif ")
    editor.wait_for_ghost(SHOWN_BLOCK)
    editor.wait_for_row(3, "        return -1")
    assert editor.screen()[1:3] == ["    if number < 0:", "        print()"]


def test_ghost_text_grows_while_the_answer_streams(open_ready: Open) -> None:
    editor = open_ready(delay_ms=20)
    editor.record_frames()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    frames = editor.frames()
    assert len(frames) > 4
    assert all(after.startswith(before) for before, after in pairwise(frames))
    editor.wait_until_received("mistralLsp/didShow")
    assert editor.received("mistralLsp/didShow") == 1


def test_tab_accepts_all(open_ready: Open) -> None:
    editor = open_ready(BLOCK + "\n\nlast = 1\n", BLOCK_ANSWER)
    editor.keys("jAif ")
    editor.wait_for_ghost(SHOWN_BLOCK)
    editor.keys("<Tab>")
    editor.wait_for_lines(
        [
            "def sign(number):",
            "    if number < 0:",
            "        print()",
            "        return -1",
            "",
            "last = 1",
        ]
    )
    assert editor.ghost() == ""
    assert tuple(editor.nvim.current.window.cursor) == (4, 17)
    editor.wait(editor.accepted_lengths, lambda seen: seen == [len(SHOWN_BLOCK)])
    editor.wait_until_received("mistralLsp/didAccept")


def test_keys_typed_right_after_tab_come_after_the_accepted_text(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<Tab> * c")
    editor.wait_for_lines(["def add(a, b):", "    return a + b * c"])


def test_tab_is_a_tab_when_nothing_is_shown(open_ready: Open) -> None:
    editor = open_ready("x\n")
    editor.keys("A<Tab>y")
    editor.wait_for_lines(["x   y"])


def test_tab_keeps_its_earlier_mapping_when_nothing_is_shown(open_ready: Open) -> None:
    editor = open_ready("x\n", before_setup='vim.keymap.set("i", "<Tab>", "mapped")')
    editor.keys("A<Tab>y")
    editor.wait_for_lines(["xmappedy"])


def test_keys_keep_their_meaning_after_a_second_setup(open_ready: Open) -> None:
    editor = open_ready("x\n", before_setup='require("mistral_lsp").setup(options)')
    editor.keys("A<C-l>y")
    editor.wait_for_lines(["x\x0cy"])


def test_a_word_at_a_time(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    asked = editor.received(COMPLETE)
    for line, left in [("return", " a + b"), ("return a", " + b"), ("return a +", " b")]:
        editor.keys("<C-Right>")
        editor.wait_for_lines(["def add(a, b):", "    " + line])
        editor.wait_for_ghost(left)
    assert editor.received(COMPLETE) == asked


def test_a_line_at_a_time(open_ready: Open) -> None:
    editor = open_ready(BLOCK + "\n", BLOCK_ANSWER)
    editor.keys("jAif ")
    editor.wait_for_ghost(SHOWN_BLOCK)
    editor.keys("<C-l>")
    editor.wait_for_lines(["def sign(number):", "    if number < 0:"])
    editor.wait_for_ghost("\n        print()\n        return -1")
    editor.keys("<C-l>")
    editor.wait_for_lines(["def sign(number):", "    if number < 0:", "        print()"])
    editor.wait_for_ghost("\n        return -1")


def test_typing_what_is_shown_keeps_it_in_every_frame(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    asked, cancelled = editor.received(COMPLETE), editor.received("$/cancelRequest")
    editor.record_frames()
    for key, left in [("t", "urn a + b"), ("u", "rn a + b"), ("<BS>", "urn a + b")]:
        editor.keys(key)
        editor.wait_for_ghost(left)
    assert set(editor.frames()) <= {"turn a + b", "urn a + b", "rn a + b"}
    assert editor.received(COMPLETE) == asked
    assert editor.received("$/cancelRequest") == cancelled


def test_typing_what_is_shown_keeps_it_while_it_still_grows(open_ready: Open) -> None:
    editor = open_ready(delay_ms=30)
    editor.keys("jAre")
    editor.wait(editor.ghost, lambda seen: seen.startswith("turn"))
    editor.record_frames()
    editor.keys("t")
    editor.wait(editor.ghost, lambda seen: seen.startswith("urn"))
    editor.keys("u")
    editor.wait_for_ghost("rn a + b")
    assert "" not in editor.frames()


def test_typing_something_else_cancels_the_request(open_ready: Open) -> None:
    editor = open_ready(delay_ms=30)
    editor.keys("jAre")
    editor.wait(editor.ghost, lambda seen: seen != "")
    asked, cancelled = editor.received(COMPLETE), editor.received("$/cancelRequest")
    editor.record_frames()
    editor.keys("x")
    editor.wait_for_ghost("")
    editor.wait_until_received("$/cancelRequest", cancelled + 1)
    editor.wait_until_received(COMPLETE, asked + 1)
    frames = editor.frames()
    assert frames[-1] == ""
    assert all("turn a + b".startswith(frame) for frame in frames)


def test_a_request_that_has_shown_nothing_yet_gives_way_to_the_next(open_ready: Open) -> None:
    editor = open_ready(delay_ms=300)
    editor.keys("jAre")
    editor.wait_until_received(COMPLETE)
    asked, cancelled = editor.received(COMPLETE), editor.received("$/cancelRequest")
    editor.keys("t")
    editor.wait_until_received(COMPLETE, asked + 1)
    editor.wait_until_received("$/cancelRequest", cancelled + 1)


@pytest.mark.parametrize("key", ["<Esc>", "<C-]>"])
def test_leaving_and_dismissing_clear_it(open_ready: Open, key: str) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys(key)
    editor.wait_for_ghost("")
    assert editor.lines()[1] == "    re"


def test_what_was_dismissed_does_not_come_back(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<C-]>")
    editor.wait_until_received("mistralLsp/didReject")
    asked = editor.received(COMPLETE)
    editor.keys("x")
    editor.wait_until_received(COMPLETE, asked + 1)
    editor.keys("<BS>")
    editor.wait_until_received(COMPLETE, asked + 2)
    time.sleep(0.3)
    assert editor.ghost() == ""
    editor.keys("t")
    editor.wait_for_ghost("urn a + b")


def test_other_answers_are_gone_through_by_keys(open_ready: Open) -> None:
    editor = open_ready(others={ADD: "return a - b\n"})
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<M-]>")
    editor.wait_for_ghost("turn a - b")
    asked = editor.received(COMPLETE)
    editor.keys("<M-]>")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<M-[>")
    editor.wait_for_ghost("turn a - b")
    assert editor.received(COMPLETE) == asked, "what is there is not asked for again"
    editor.keys("turn a ")
    editor.wait_for_ghost("- b")
    editor.keys("<Tab>")
    editor.wait_for_lines(["def add(a, b):", "    return a - b"])


def test_another_answer_is_not_taken_back_by_a_key_typed_just_before(open_ready: Open) -> None:
    editor = open_ready(delay_ms=20, others={ADD: "return a - b\n"}, options={"debounce_ms": 100})
    editor.keys("jAre")
    editor.wait(editor.ghost, lambda seen: seen.startswith("tur"))
    asked = editor.received(COMPLETE)
    editor.keys("t")
    editor.wait(lambda: editor.lua("return require('mistral_lsp.suggestion').is_due()"), bool)
    editor.keys("<M-]>")
    editor.wait_until_received(COMPLETE, asked + 1)
    time.sleep(0.3)
    assert editor.received(COMPLETE) == asked + 1, "the wish stands, no other takes its place"


def test_the_only_answer_stays_where_there_is_no_other(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    asked = editor.received(COMPLETE)
    editor.keys("<M-]>")
    editor.wait_until_received(COMPLETE, asked + 1)
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    editor.wait_for_ghost("turn a + b")


def test_leaving_stops_the_work(open_ready: Open) -> None:
    editor = open_ready(delay_ms=300)
    editor.keys("jAre")
    editor.wait_until_received(COMPLETE)
    editor.keys("<Esc>")
    editor.wait_until_received("$/cancelRequest")


@pytest.mark.parametrize("before", ["🦀", "東京", "e\u0301n\u0303", "👩‍🚀 é"])
def test_any_characters_before_the_cursor(open_ready: Open, before: str) -> None:
    answer = '"🦀東京e\u0301" + "é"'
    editor = open_ready(f'"{before}"; \n', {f'"{before}"; name = ': answer})
    editor.keys("Aname = ")
    editor.wait_for_ghost(answer)
    editor.keys("<C-Right>")
    editor.wait_for_lines([f'"{before}"; name = "'])
    editor.keys("<Tab>")
    editor.wait_for_lines([f'"{before}"; name = {answer}'])
    editor.wait(editor.accepted_lengths, lambda seen: seen == [1, len(answer) - 1])


def test_a_bracket_that_the_editor_closed_is_not_doubled(open_ready: Open) -> None:
    editor = open_ready("foo)\n", {"foo(": "a, b)\n"})
    editor.keys("0fo;a(")
    editor.wait_for_ghost("a, b")
    editor.wait_for_row(0, "foo(a, b)")
    editor.keys("<Tab>")
    editor.wait_for_lines(["foo(a, b)"])


def test_undo_takes_back_the_accepted_text_alone(open_ready: Open) -> None:
    editor = open_ready("foo)\n", {"foo(": "a, b)\n"})
    editor.keys("0fo;a(")
    editor.wait_for_ghost("a, b")
    editor.keys("<Tab><Esc>")
    editor.wait_for_lines(["foo(a, b)"])
    editor.keys("u")
    editor.wait_for_lines(["foo()"])
    editor.keys("u")
    editor.wait_for_lines(["foo)"])
    editor.keys("<C-r><C-r>")
    editor.wait_for_lines(["foo(a, b)"])


def test_nothing_is_asked_by_itself_where_that_is_switched_off(open_ready: Open) -> None:
    editor = open_ready(options={"auto_trigger": False}, records=True)
    editor.keys("jAre")
    time.sleep(0.3)
    assert editor.received(COMPLETE) == 0
    editor.keys("<M-Bslash>")
    editor.wait_for_ghost("turn a + b")
    assert editor.sent(COMPLETE)[0]["params"]["context"] == {"triggerKind": 1}
    editor.keys("t")
    editor.wait_for_ghost("urn a + b")
    editor.keys("x")
    editor.wait_for_ghost("")
    time.sleep(0.3)
    assert editor.received(COMPLETE) == 1


def test_a_key_asks_where_nothing_is_offered_by_itself(open_ready: Open) -> None:
    comment = "# add two\n# numbers: "
    editor = open_ready(comment + "\n", {comment: "a and b\n"})
    editor.keys("jA<BS> ")
    editor.wait_until_received(COMPLETE)
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    assert editor.ghost() == ""
    editor.keys("<M-Bslash>")
    editor.wait_for_ghost("a and b")


def test_what_was_typed_while_the_model_loads_needs_no_further_key(start: Open) -> None:
    editor = start()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
