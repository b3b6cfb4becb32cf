"""The server as Neovim's plugin runs it: its start, requests, crashes and restarts."""

import os
from pathlib import Path

import pytest

from tests.editors.nvim_driver import COMPLETE, Editor, Open
from tests.editors.record import told
from tests.support.hosts import running_hosts


def servers(editor: Editor) -> list[int]:
    children = editor.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())")
    return [int(process) for process in children]


def test_settings_reach_the_server_both_ways(open_ready: Open) -> None:
    editor = open_ready(options={"settings": {"maxTokens": 77}})
    editor.wait_until_received("initialize")
    answer = editor.lua(
        """
        local client = vim.lsp.get_clients({ name = "mistral-lsp" })[1]
        local ask = vim.lsp.handlers["workspace/configuration"]
        return {
          client.config.init_options,
          ask(nil, { items = { { section = "mistralLsp" } } }, { client_id = client.id })[1],
        }
        """
    )
    assert answer == [{"maxTokens": 77}, {"maxTokens": 77}]


def test_a_faulty_option_is_named_and_keeps_its_default(open_ready: Open) -> None:
    editor = open_ready(options={"debounce": 3})
    editor.wait(editor.messages, lambda seen: "there is no option `debounce`" in seen)


def test_another_filetype_opens_the_document_anew(open_ready: Open) -> None:
    editor = open_ready()
    editor.wait_until_received("textDocument/didOpen")
    editor.keys(":set filetype=javascript<CR>")
    editor.wait_until_received("textDocument/didOpen", 2)
    assert editor.received("textDocument/didClose") == 1
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")


def test_other_filetypes_are_left_alone(start: Open) -> None:
    editor = start(options={"filetypes": ["lua"]})
    assert editor.status() == ""
    assert servers(editor) == []


def test_the_status_command_shows_what_the_server_says(open_ready: Open) -> None:
    editor = open_ready()
    editor.lua("vim.notify = function(text) shown = text end")
    editor.keys(":MistralLsp status<CR>")
    editor.wait(lambda: editor.lua("return shown"), lambda seen: "scripted" in (seen or ""))


def test_switched_off_it_shows_nothing(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys(":MistralLsp toggle<CR>")
    editor.wait_for_status("mistral off")
    editor.keys("jAre")
    editor.wait_until_received(COMPLETE)
    editor.wait(editor.pending_requests, lambda seen: seen == 0)
    assert editor.ghost() == ""
    editor.keys("<Esc>:MistralLsp toggle<CR>")
    editor.wait_for_status("mistral ready")
    editor.keys("At")
    editor.wait_for_ghost("urn a + b")


def test_a_missing_server_is_said_once_and_the_editor_lives(start: Open) -> None:
    editor = start(options={"cmd": ["no-such-server"]})
    editor.wait(editor.messages, lambda seen: "cannot run `no-such-server`: install it" in seen)
    editor.keys("jAre<Tab>")
    editor.wait(editor.lines, lambda seen: seen[1].startswith("    re"))
    editor.keys("<Esc>:edit other.py<CR>")
    editor.wait(editor.lines, lambda seen: seen == [""])
    assert editor.messages().count("no-such-server") == 1
    assert editor.status() == "mistral stopped"


def kill_servers(editor: Editor) -> None:
    for process in servers(editor):
        os.kill(process, 9)


def test_a_server_that_is_killed_comes_back(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    before = servers(editor)
    kill_servers(editor)
    editor.keys("x")
    editor.wait_for_ghost("")
    editor.wait(editor.messages, lambda seen: "died (signal 9) and is started again" in seen)
    editor.wait(lambda: servers(editor), lambda seen: len(seen) == 1 and seen != before)
    editor.wait_for_status("mistral ready")
    editor.keys("<BS>t")
    editor.wait_for_ghost("urn a + b")
    editor.keys("<Tab>")
    editor.wait_for_lines(["def add(a, b):", "    return a + b"])


def test_a_server_that_goes_on_dying_waits_for_the_user(open_ready: Open) -> None:
    editor = open_ready()
    for _ in range(2):
        kill_servers(editor)
        editor.wait_for_status("mistral stopped")
        editor.wait_for_status("mistral ready")
    kill_servers(editor)
    editor.wait(editor.messages, lambda seen: "died (signal 9): use `:MistralLsp restart`" in seen)
    editor.wait_for_status("mistral stopped")
    editor.keys("jAre<Esc>")
    editor.wait_for_lines(["def add(a, b):", "    re"])
    editor.keys(":MistralLsp restart<CR>")
    editor.wait_for_status("mistral ready")
    editor.keys("At")
    editor.wait_for_ghost("urn a + b")


def test_an_engine_that_is_killed_comes_back(open_ready: Open, own_folders: Path) -> None:
    editor = open_ready()
    (host,) = running_hosts(own_folders)
    host.kill()
    editor.wait(lambda: running_hosts(own_folders), lambda seen: len(seen) == 1 and seen != [host])
    editor.wait_for_status("mistral ready")
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")


def test_two_windows_share_one_engine(open_ready: Open, own_folders: Path) -> None:
    first, second = open_ready(), open_ready()
    assert len(running_hosts(own_folders)) == 1
    for editor in (first, second):
        editor.keys("jAre")
        editor.wait_for_ghost("turn a + b")
    first.close()
    second.keys("x<BS>t")
    second.wait_for_ghost("urn a + b")
    assert len(running_hosts(own_folders)) == 1


def test_a_wrong_setting_is_named(open_ready: Open) -> None:
    editor = open_ready(options={"settings": {"multiline": "sometimes"}})
    editor.wait(editor.messages, lambda seen: "mistralLsp.multiline" in seen)
    assert "Using 'auto' instead" in editor.messages()
    named = "mistral-lsp: Setting mistralLsp.multiline: "
    editor.wait(editor.screen, lambda seen: seen[-1].startswith(named))
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")


def test_the_prompt_at_the_cursor_is_explained(open_ready: Open) -> None:
    editor = open_ready()
    editor.keys("jAre<Esc>:MistralLsp explain<CR>")
    shown = editor.wait(lambda: "\n".join(editor.lines()), lambda seen: "tokens" in seen)
    assert "scripted, form" in shown
    assert "def add(a, b):\n    re" in shown
    editor.keys("q")
    editor.wait_for_lines(["def add(a, b):", "    re"])


def test_a_place_where_nothing_is_offered_is_explained(open_ready: Open) -> None:
    editor = open_ready("# a comment\n")
    editor.keys("A<Esc>:MistralLsp explain<CR>")
    editor.wait(editor.lines, lambda seen: seen[0].startswith("Nothing is offered here: "))


def test_a_running_server_is_restarted_without_complaint(open_ready: Open) -> None:
    editor = open_ready()
    before = servers(editor)
    editor.keys(":MistralLsp restart<CR>")
    editor.wait(lambda: servers(editor), lambda seen: len(seen) == 1 and seen != before)
    editor.wait_for_status("mistral ready")
    editor.keys("jAre")
    editor.wait_for_ghost("turn a + b")
    assert "mistral-lsp" not in editor.messages()


def test_the_health_check_finds_the_server(open_ready: Open) -> None:
    editor = open_ready()
    editor.nvim.command("checkhealth mistral_lsp")
    report = "\n".join(editor.lines())
    assert "the server command is" in report
    assert "main.py: ready" in report
    assert "<Tab> is accept" in report


RENAMED = ["didOpen main.py", "didClose main.py", "didOpen other.py"]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([":file other.py"], RENAMED),
        ([":saveas other.py"], [*RENAMED, "didSave other.py"]),
        ([":write other.py"], ["didOpen main.py", "didSave main.py"]),
        ([":0file", ":file other.py"], RENAMED),
        ([":file other.py", ":cd sub", ":write! ../other.py"], [*RENAMED, "didSave other.py"]),
        ([":edit!"], ["didOpen main.py", "didClose main.py", "didOpen main.py"]),
        ([":cd sub"], ["didOpen main.py"]),
        ([":lcd sub", ":file other.py"], RENAMED),
        ([":set filetype=javascript"], [*RENAMED[:2], "didOpen main.py"]),
        ([":set buftype=nofile", ":file other.py"], RENAMED[:2]),
        ([":split taken.py", ":quit", ":silent! file taken.py"], RENAMED[:2] + RENAMED[:1]),
    ],
)
def test_a_buffer_with_another_name_is_another_document(
    open_ready: Open, commands: list[str], expected: list[str]
) -> None:
    editor = open_ready(records=True)
    (editor.file.parent / "sub").mkdir()
    for command in commands:
        editor.keys(f"{command}<CR>")
    editor.keys(":1<CR>jAre")
    if expected != RENAMED[:2]:
        editor.wait_for_ghost("turn a + b")
    editor.keys("<Esc>")
    editor.wait(
        lambda: [event for event in told(editor.record) if "taken" not in event],
        lambda seen: seen == expected,
    )
    assert "mistral-lsp" not in editor.messages()


@pytest.mark.parametrize("command", [":file fresh.py", ":write fresh.py", ":saveas fresh.py"])
def test_a_buffer_that_gets_a_name_is_opened(open_ready: Open, command: str) -> None:
    editor = open_ready(records=True)
    editor.keys(f":enew<CR>idef add(a, b):<CR>    x<Esc>{command}<CR>A<BS>re")
    editor.wait_for_ghost("turn a + b")
    events = [event for event in told(editor.record) if "fresh" in event]
    assert events[0] == "didOpen fresh.py"


def test_a_buffer_that_is_wiped_out_is_closed_and_opens_anew(open_ready: Open) -> None:
    editor = open_ready(records=True)
    editor.keys(":bwipeout<CR>:edit main.py<CR>jAre")
    editor.wait_for_ghost("turn a + b")
    expected = ["didOpen main.py", "didClose main.py", "didOpen main.py"]
    assert told(editor.record) == expected
