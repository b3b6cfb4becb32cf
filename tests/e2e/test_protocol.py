"""Tests the server's messages against the rules of LSP, with the scripted engine."""

from __future__ import annotations

import json
import time

import psutil
import pytest

from tests.support.hosts import running_hosts
from tests.support.waiting import PATIENCE_SECONDS, wait_until

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    \n"


def test_a_request_is_answered_with_a_range(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    place = {"line": 1, "character": 4}
    expected = [{"insertText": "return a + b", "range": {"start": place, "end": place}}]
    assert client.items(client.ask(URI, 1, 4)) == expected
    assert client.close() == 0


def test_capabilities_are_announced_without_being_asked_for(start) -> None:
    client = start()
    found = client.initialize(textDocument={})
    assert found["inlineCompletionProvider"] == {}
    assert found["completionProvider"]["triggerCharacters"]
    assert found["textDocumentSync"]["change"] == 2
    assert "mistralLsp.status" in found["executeCommandProvider"]["commands"]


def test_the_popup_is_left_to_others_where_there_is_ghost_text(start) -> None:
    assert "completionProvider" not in start().initialize()


def test_the_popup_offers_one_item(start) -> None:
    client = start()
    client.initialize(textDocument={})
    client.open(URI, "def add(a, b):\n    ret\n")
    position = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 7}}
    [item] = client.request("textDocument/completion", position)["items"]
    assert item["label"] == "return a + b" and item["detail"] == "mistral-lsp"
    assert item["textEdit"]["newText"] == "return a + b"
    assert item["textEdit"]["range"]["start"]["character"] == 4


def test_what_is_selected_in_the_popup_is_gone_on_from(ready) -> None:
    client = ready(answers=[{"after": "x = totalise", "answer": "(a, b)\n"}], delay_ms=5)
    client.open(URI, "x = tot\n")
    start, end = {"line": 0, "character": 4}, {"line": 0, "character": 7}
    selected = {"range": {"start": start, "end": end}, "text": "totalise"}
    params = {
        "textDocument": {"uri": URI},
        "position": end,
        "context": {"triggerKind": 2, "selectedCompletionInfo": selected},
        "partialResultToken": "grow",
    }
    [item] = client.request("textDocument/inlineCompletion", params)["items"]
    assert item == {"insertText": "totalise(a, b)", "range": {"start": start, "end": end}}
    grown = [answer["items"][0] for _, answer in client.growth("grow")]
    assert grown and all(one["insertText"].startswith("totalise(") for one in grown)
    assert all(one["range"] == item["range"] for one in grown)


def test_an_answer_grows_by_partial_results(ready) -> None:
    client = ready(delay_ms=100)
    client.open(URI, TEXT)
    items = client.items(client.ask(URI, 1, 4, token="grow"))
    grown = [
        message["params"]["value"]["items"][0]["insertText"]
        for _, message in client.notifications
        if message["method"] == "$/progress" and message["params"]["token"] == "grow"
    ]
    assert len(grown) >= 8
    assert grown == sorted(grown, key=len) and len(set(grown)) == len(grown)
    assert all(items[0]["insertText"].startswith(text) for text in grown)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 11), ("utf-16", 7), ("utf-32", 6)])
def test_columns_count_what_was_agreed(ready, encoding, column) -> None:
    answers = [{"after": 's = "🦀日" + ', "answer": "name\n"}]
    client = ready(encodings=(encoding,), answers=answers)
    text = 's = "🦀日" + \n'
    client.open(URI, text)
    units = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    end = len(text.rstrip("\n").encode(units)) // size
    [item] = client.items(client.ask(URI, 0, end))
    assert item["insertText"] == "name"
    assert item["range"]["start"]["character"] == end
    # The crab is before the edited place: a wrong unit would put the letter elsewhere.
    client.change(URI, 2, (0, column), (0, column), "X")
    assert client.items(client.ask(URI, 0, end + 1)) == []


def test_the_first_encoding_known_is_taken(start) -> None:
    assert start().initialize(encodings=("utf-7", "utf-32"))["positionEncoding"] == "utf-32"
    assert start().initialize(encodings=())["positionEncoding"] == "utf-16"


def test_cancel_is_answered_and_real(ready) -> None:
    client = ready(delay_ms=500)  # which makes minutes of work
    client.open(URI, "x = 1\n" * 60)
    seconds = 0.3
    while not client.status()["cancel_to_idle_ms"]["p95"]:
        assert seconds < PATIENCE_SECONDS, "the engine never gets the request, or is never idle"
        number = client.ask(URI, 60, 0)
        time.sleep(seconds)  # how long it takes the engine to begin is not told
        client.notify("$/cancelRequest", {"id": number})
        assert client.response(number)[1]["error"]["code"] == -32800
        time.sleep(seconds)
        seconds *= 2
    assert client.status()["requests"]["cancelled"] >= 1


def test_a_newer_request_takes_over_and_all_are_answered(ready) -> None:
    client = ready(delay_ms=50)
    client.open(URI, TEXT)
    numbers = [client.ask(URI, 1, column % 2 + 3) for column in range(30)]
    answers = [client.items(number) for number in numbers]
    assert [bool(items) for items in answers] == [False] * 29 + [True]


def test_who_asks_again_gets_what_is_being_written(ready) -> None:
    client = ready(delay_ms=2)
    client.open(URI, TEXT)
    numbers = [client.ask(URI, 1, 4) for _ in range(30)]
    assert all(client.items(number) for number in numbers)
    assert client.status()["work_tokens"]["decoded"] <= len("return a + b\n")


def test_a_place_is_read_before_the_first_key_and_a_dismissed_text_stays_away(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    here = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 4}}
    client.notify("mistralLsp/didMoveCursor", here)
    wait_until(lambda: client.status()["work_tokens"]["evaluated"])
    assert client.items(client.ask(URI, 1, 4))
    assert client.status()["last_request"]["evaluated_tokens"] <= 2
    client.notify("mistralLsp/didReject", here)
    assert client.items(client.ask(URI, 1, 4)) == []
    assert "dismissed" in client.status()["last_request"]["reason"]
    assert client.items(client.ask(URI, 1, 4, kind=1))
    for wrong in ({}, None, {**here, "position": {"line": 99, "character": 0}}):
        client.notify("mistralLsp/didReject", wrong)
        client.notify("mistralLsp/didMoveCursor", wrong)
    assert client.status()["state"] == "ready"


def test_stale_answers_are_dropped(ready) -> None:
    client = ready(delay_ms=100)
    client.open(URI, TEXT)
    number = client.ask(URI, 1, 4)
    client.change(URI, 2, (0, 0), (0, 0), "# ")
    assert client.items(number) == []
    assert client.status()["requests"]["stale"] == 1


def test_a_wrong_request_gets_an_error_and_the_server_lives(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    wrong = [
        ("textDocument/inlineCompletion", {"textDocument": {"uri": URI}}, -32602),
        ("textDocument/inlineCompletion", None, -32602),
        ("textDocument/nonsense", {}, -32601),
        ("workspace/executeCommand", {"command": "mistralLsp.none"}, -32602),
    ]
    for method, params, code in wrong:
        message = client.response(client.begin(method, params))[1]
        assert message["error"]["code"] == code, method
    client.send_raw(b"{ no json")
    client.send_raw(b'["a", "list"]')
    client.send_raw(b'{"id": 900, "method": "shutdown"}')
    assert client.response(900)[1]["error"]["code"] == -32600
    # An object with a key of that name, deep within, is no message.
    client.notify("workspace/didChangeConfiguration", {"settings": {"jsonrpc": "2.0"}})
    assert client.items(client.ask(URI, 1, 4))


def test_trigger_kind_zero_of_older_clients_is_taken(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4, kind=0))


def test_order_of_life_is_kept(start) -> None:
    client = start()
    early = client.response(client.begin("textDocument/inlineCompletion", {}))[1]
    assert early["error"]["code"] == -32002
    client.initialize()
    client.request("shutdown")
    late = client.response(client.begin("workspace/executeCommand", {"command": "x"}))[1]
    assert late["error"]["code"] == -32600
    client.notify("exit")
    assert client.process.wait(PATIENCE_SECONDS) == 0


def test_exit_without_shutdown_is_an_error(ready) -> None:
    client = ready()
    client.notify("exit")
    assert client.process.wait(PATIENCE_SECONDS) == 1


@pytest.mark.parametrize("moment", ["before", "loading", "answering"])
def test_a_client_that_hangs_up_leaves_no_process(start, own_home, moment) -> None:
    client = start(delay_ms=50)
    if moment != "before":
        client.initialize()
    if moment == "answering":
        client.wait_until_ready()
        client.open(URI, TEXT)
        client.ask(URI, 1, 4)
        time.sleep(0.2)
        assert running_hosts(own_home)
    client.process.stdin.close()
    client.process.wait(PATIENCE_SECONDS)
    _, alive = psutil.wait_procs(running_hosts(own_home), timeout=PATIENCE_SECONDS)
    assert not alive


def test_a_killed_server_leaves_no_host(ready) -> None:
    client = ready()
    host = psutil.Process(client.status()["host_pid"])
    client.kill()
    host.wait(PATIENCE_SECONDS)


def test_settings_come_from_initialize_and_from_the_configuration(start) -> None:
    client = start(configuration={"languages": {"python": False}, "maxTokens": "many"})
    client.initialize({"debounceMs": 1}, workspace={"configuration": True})
    client.wait_until_ready()
    warning = client.wait_for("window/showMessage")["params"]["message"]
    assert "mistralLsp.maxTokens" in warning and "128" in warning
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4)) == []
    client.configuration = {"languages": {}}
    client.notifications.clear()
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    client.wait_for("workspace/configuration")
    client.status()
    assert client.items(client.ask(URI, 1, 4))


def test_what_initialize_brings_decides_which_engine_is_started(ready) -> None:
    assert ready({"window": 512}).status()["window"] == 512


def test_a_null_configuration_keeps_what_initialize_brought(start) -> None:
    client = start(configuration=None)
    client.initialize({"languages": {"python": False}}, workspace={"configuration": True})
    client.wait_until_ready()
    client.wait_for("workspace/configuration")
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4)) == []


def test_settings_pushed_by_a_client_that_can_not_be_asked(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    pushed = {"settings": {"mistralLsp": {"enabled": False}}}
    client.notify("workspace/didChangeConfiguration", pushed)
    assert client.items(client.ask(URI, 1, 4)) == []
    assert client.status()["state"] == "off"


def test_the_command_line_stands_above_the_client(start) -> None:
    client = start()
    client.initialize({"engine": "llama_cpp"})
    assert client.wait_until_ready()["engine"] == "scripted"


def test_loading_shows_progress(start) -> None:
    client = start()
    client.initialize(window={"workDoneProgress": True})
    client.wait_until_ready()
    client.wait_for("window/workDoneProgress/create")
    kinds = [client.wait_for("$/progress")["params"]["value"]["kind"] for _ in range(2)]
    assert kinds == ["begin", "end"]


def test_initialize_is_answered_before_the_engine_is_there(start) -> None:
    client = start()
    client.initialize()
    states = [note["params"].get("state") for _, note in client.notifications]
    assert "ready" not in states
    client.open(URI, TEXT)
    assert client.items(client.ask(URI, 1, 4)), "a request waits for the model"


def test_the_status_counts(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    client.items(client.ask(URI, 1, 4))
    client.items(client.ask(URI, 1, 4))
    client.items(client.ask(URI, 0, 2))
    client.notify("mistralLsp/didShow", {})
    client.notify("mistralLsp/didAccept", {"acceptedLength": 12})
    status = client.status()
    assert status["requests"] == {
        "asked": 3,
        "answered": 2,
        "empty": 1,
        "cached": 1,
        "cancelled": 0,
        "stale": 0,
        "shown": 1,
        "accepted": 1,
    }
    assert status["accepted_characters"] == 12
    work = status["work_tokens"]
    assert (work["decoded"], work["shown"]) == (len("return a + b\n"), len("return a + b"))
    assert work["evaluated"] > len(TEXT)
    assert status["resident_mb"] > 10 and status["state"] == "ready"
    assert set(status["latency_ms"]) == {"first_p50", "first_p95", "total_p50", "total_p95"}
    assert json.dumps(status)


def test_a_place_is_explained(ready) -> None:
    client = ready()
    client.open(URI, TEXT + "# \n")

    def explain(line: int, character: int) -> dict | None:
        place = {"line": line, "character": character}
        argument = {"textDocument": {"uri": URI}, "position": place}
        params = {"command": "mistralLsp.explain", "arguments": [argument]}
        return client.request("workspace/executeCommand", params)

    found = explain(1, 4)
    assert found["reason"] is None
    assert found["engine"] == "scripted"
    assert "def add(a, b):\n    " in [part["text"] for part in found["parts"]]
    assert found["tokens"] == sum(part["tokens"] for part in found["parts"])
    assert "comment" in explain(2, 2)["reason"]
    assert explain(9, 0) is None
