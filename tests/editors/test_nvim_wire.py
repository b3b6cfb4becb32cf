"""The messages from Neovim to the server and their order, as recorded by relay.py."""

import time
from typing import Any

import pytest

from tests.editors.nvim_driver import COMPLETE, Editor, Open

CHANGE = "textDocument/didChange"
CANCEL = "$/cancelRequest"
MOVE = "mistralLsp/didMoveCursor"
REJECT = "mistralLsp/didReject"

LONGER_THAN_A_REST = 0.4
WIDE_LINE = '"🦀東"; third = '
LINES = f"first = 1\nsecond = 2\n{WIDE_LINE}3\n"
# Neovim 0.10 counts in the second.
WIDTHS = {"utf-8": len(WIDE_LINE.encode()), "utf-16": len(WIDE_LINE.encode("utf-16-le")) // 2}


@pytest.fixture
def open_resting(open_ready: Open) -> Open:
    """Gives a function that opens a file and waits until the server knows the cursor's place."""

    def open_editor(*arguments: Any, **more: Any) -> Editor:
        editor = open_ready(*arguments, records=True, **more)
        wait_for_positions(editor, MOVE, [(0, 0)])
        return editor

    return open_editor


def positions(editor: Editor, method: str) -> list[tuple[int, int]]:
    found = [message["params"]["position"] for message in editor.sent(method)]
    return [(position["line"], position["character"]) for position in found]


def wait_for_positions(editor: Editor, method: str, expected: list[tuple[int, int]]) -> None:
    editor.wait(lambda: positions(editor, method), lambda seen: seen == expected)


def still_has_positions(editor: Editor, method: str, expected: list[tuple[int, int]]) -> None:
    """Waits longer than a pause in typing; checks that the sent positions are still `expected`."""
    time.sleep(LONGER_THAN_A_REST)
    assert positions(editor, method) == expected


def wait_for_order(editor: Editor, expected: list[str], skipped: int = 0) -> list[dict[str, Any]]:
    """Waits for messages of the `expected` methods and checks their order.

    Ignores the first `skipped` messages of these methods.
    """

    def found() -> list[dict[str, Any]]:
        return editor.sent(*expected)[skipped:]

    messages = editor.wait(found, lambda seen: len(seen) >= len(expected))
    assert [message["method"] for message in messages] == expected
    return messages


# Neovim sends a change at once, but the next one 150 ms later or with a request: hence two keys.
@pytest.mark.parametrize(
    ("keys", "order"),
    [("tu", [CHANGE, CHANGE, COMPLETE, CANCEL]), ("tx", [CHANGE, CHANGE, CANCEL, COMPLETE])],
    ids=["typing what is shown", "typing something else"],
)
def test_changes_come_before_the_cancel(open_resting: Open, keys: str, order: list[str]) -> None:
    editor = open_resting(delay_ms=50)
    editor.keys("jAre")
    editor.wait(editor.ghost, lambda seen: seen.startswith("turn"))
    earlier = editor.sent(CHANGE, CANCEL, COMPLETE)
    editor.keys(keys)
    messages = wait_for_order(editor, order, len(earlier))
    changes = [message["params"]["contentChanges"][0]["text"] for message in messages[:2]]
    assert "".join(changes) == keys
    assert messages[order.index(CANCEL)]["params"] == {"id": earlier[-1]["id"]}


def test_a_change_comes_before_the_cancel_of_what_is_not_shown_yet(open_resting: Open) -> None:
    editor = open_resting(delay_ms=300)
    editor.keys("jAre")
    editor.wait_until_received(COMPLETE)
    earlier = editor.sent(CHANGE, CANCEL, COMPLETE)
    editor.keys("t")
    wait_for_order(editor, [CHANGE, COMPLETE, CANCEL], len(earlier))


def test_a_cursor_that_rests_is_told_once(open_resting: Open) -> None:
    editor = open_resting(LINES)
    editor.keys("jj$")
    encoding = editor.lua("return vim.lsp.get_clients()[1].offset_encoding")
    expected = [(0, 0), (2, WIDTHS[encoding])]
    wait_for_positions(editor, MOVE, expected)
    assert editor.sent(MOVE)[-1]["params"]["textDocument"] == {"uri": editor.file.as_uri()}
    editor.keys("hl:write<CR>")
    still_has_positions(editor, MOVE, expected)


def test_each_document_that_is_entered_is_told(open_resting: Open) -> None:
    editor = open_resting()
    other = editor.file.with_name("other.py")
    editor.keys(f":edit {other}<CR>")
    wait_for_positions(editor, MOVE, [(0, 0)] * 2)
    editor.keys(f":buffer {editor.file}<CR>")
    wait_for_positions(editor, MOVE, [(0, 0)] * 3)
    told = [message["params"]["textDocument"]["uri"] for message in editor.sent(MOVE)]
    assert told == [editor.file.as_uri(), other.as_uri(), editor.file.as_uri()]


def test_a_document_that_is_read_anew_is_told_again(open_resting: Open) -> None:
    editor = open_resting()
    editor.file.write_text(LINES, encoding="utf-8")
    editor.keys(":edit!<CR>")
    wait_for_positions(editor, MOVE, [(0, 0)] * 2)


def test_a_change_without_insert_mode_is_told_behind_it(open_resting: Open) -> None:
    editor = open_resting(LINES)
    editor.keys("x")
    wait_for_positions(editor, MOVE, [(0, 0)] * 2)
    assert [message["method"] for message in editor.sent(CHANGE, MOVE)] == [MOVE, CHANGE, MOVE]


def test_a_place_that_a_request_names_is_not_told(open_resting: Open) -> None:
    editor = open_resting()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    still_has_positions(editor, MOVE, [(0, 0)])


def test_a_slow_request_is_not_preceded_by_the_place_it_names(open_resting: Open) -> None:
    editor = open_resting(options={"debounce_ms": 300})
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    still_has_positions(editor, MOVE, [(0, 0)])


def test_a_place_that_is_reached_by_typing_what_is_shown_is_told(open_resting: Open) -> None:
    editor = open_resting()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    asked = editor.sent(COMPLETE)
    editor.keys("tu")
    wait_for_positions(editor, MOVE, [(0, 0), (1, 8)])
    assert editor.sent(COMPLETE) == asked


def test_what_is_dismissed_is_told(open_resting: Open) -> None:
    editor = open_resting()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<C-]>")
    wait_for_positions(editor, REJECT, [(1, 6)])
    assert editor.sent(REJECT)[0]["params"]["textDocument"] == {"uri": editor.file.as_uri()}
    editor.wait_for_ghost("")


def test_what_is_dismissed_is_told_behind_its_change(open_resting: Open) -> None:
    editor = open_resting()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    earlier = editor.sent(CHANGE, REJECT)
    editor.keys("tu<C-]>")
    wait_for_positions(editor, REJECT, [(1, 8)])
    *changes, rejected = editor.sent(CHANGE, REJECT)[len(earlier) :]
    assert rejected["method"] == REJECT
    pieces = [piece["text"] for change in changes for piece in change["params"]["contentChanges"]]
    assert "".join(pieces) == "tu"


def test_leaving_insert_mode_dismisses_nothing(open_resting: Open) -> None:
    editor = open_resting()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    editor.keys("<Esc>")
    wait_for_positions(editor, MOVE, [(0, 0), (1, 5)])
    assert editor.sent(REJECT) == []
