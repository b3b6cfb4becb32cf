"""Invalid messages: if an answer is possible, one is sent, and the server keeps running."""

from __future__ import annotations

import time

from tests.support.waiting import PATIENCE_SECONDS

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    \n"
ORIGIN = {"line": 0, "character": 0}


def lives(client) -> bool:
    return bool(client.items(client.ask(URI, 1, 4)))


BODIES = (
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":[]}}',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":{}}}',
    b'{"jsonrpc":"2.0","id":[],"result":null}',
    b'{"jsonrpc":"2.0","id":{},"error":{"code":1,"message":"x"}}',
    b'{"jsonrpc":"2.0","method":"x","params":' + b"9" * 5_000 + b"}",
    b'{"jsonrpc":"2.0","method":"x","params":' + b"[" * 20_000 + b"}",
)


def test_hostile_bodies_are_left_out(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    for body in BODIES:
        client.send_raw(body)
        assert lives(client), body[:80]


def test_a_response_under_the_id_of_a_clients_request_is_not_taken_for_an_answer(ready) -> None:
    client = ready(delay_ms=100)
    client.open(URI, TEXT)
    number = client.ask(URI, 1, 4)
    client.send_raw(b'{"jsonrpc":"2.0","id":%d,"result":null}' % number)
    client.send_raw(b'{"jsonrpc":"2.0","id":%d,"error":{"code":1,"message":"x"}}' % number)
    assert client.items(number)


def test_settings_that_come_too_late_do_no_harm(start, monkeypatch) -> None:
    client = start()
    monkeypatch.setattr(client, "reply", lambda message: None)
    client.initialize(workspace={"configuration": True})
    client.wait_until_ready()
    asked = client.wait_for("workspace/configuration")
    time.sleep(5.2)
    client.open(URI, TEXT)
    client.send_raw(b'{"jsonrpc":"2.0","id":"%s","result":[null]}' % asked["id"].encode())
    assert lives(client)


def test_an_id_in_use_is_refused_and_both_requests_are_answered(ready) -> None:
    client = ready(delay_ms=100)
    client.open(URI, TEXT)
    number = client.ask(URI, 1, 4)
    client.send_raw(b'{"jsonrpc":"2.0","id":%d,"method":"shutdown"}' % number)
    assert client.response(number)[1]["error"]["code"] == -32600
    assert client.items(number)


def test_what_is_no_id_is_not_answered(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    for number in (b"null", b"true", b"[]", b"{}", b"1.5", b"1e999"):
        client.answered.clear()
        client.send_raw(b'{"jsonrpc":"2.0","id":%s,"method":"x/none"}' % number)
        assert lives(client)
        assert len(client.answered) == 1, number


def test_a_second_initialize_is_refused(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    answer = client.response(client.begin("initialize", {"capabilities": {}, "processId": None}))
    assert answer[1]["error"]["code"] == -32600
    assert lives(client)


def test_a_reload_that_is_cancelled_leaves_an_engine(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    for _ in range(3):
        number = client.begin("workspace/executeCommand", {"command": "mistralLsp.reload"})
        client.notify("$/cancelRequest", {"id": number})
        assert client.response(number)[1]["error"]["code"] == -32800
    client.request("workspace/executeCommand", {"command": "mistralLsp.reload"})
    assert lives(client)


WRONG_CHANGES = (
    None,
    [{"range": {"start": ORIGIN}, "text": "x"}],
    [{"range": {"start": {"line": -1, "character": 0}, "end": ORIGIN}, "text": "x"}],
)


def test_a_change_that_makes_no_sense_stops_offers_until_a_whole_text_comes(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    document = {"uri": URI, "version": 2}
    for changes in (*WRONG_CHANGES, [{"text": TEXT}]):
        params = {"textDocument": document, "contentChanges": changes}
        client.notify("textDocument/didChange", params)
        assert lives(client) is (changes not in WRONG_CHANGES), changes
        assert "could not be understood" in client.status()["last_error"]
        client.notify(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"text": TEXT}]},
        )
        assert lives(client), "a whole text mends it"


def test_a_token_to_grow_by_that_is_none_is_left_out(ready) -> None:
    client = ready(delay_ms=2)
    client.open(URI, TEXT)
    for number, token in enumerate((b"1e999", b"[]", b"true"), 900):
        client.send_raw(
            b'{"jsonrpc":"2.0","id":%d,"method":"textDocument/inlineCompletion","params":'
            b'{"textDocument":{"uri":"%s"},"position":{"line":1,"character":4},'
            b'"context":{"triggerKind":1},"partialResultToken":%s}}' % (number, URI.encode(), token)
        )
        assert client.items(number)
    assert not [note for _, note in client.notifications if note["method"] == "$/progress"]


def test_a_text_that_takes_minutes_to_parse_keeps_nobody_waiting(ready) -> None:
    client = ready()
    client.open("file:///project/broken.py", "return a + b" * 150_000)
    client.open(URI, TEXT)
    begun = time.perf_counter()
    client.items(client.ask("file:///project/broken.py", 0, 5))
    for version in range(2, 5):
        client.change("file:///project/broken.py", version, (0, 0), (0, 0), "x")
        client.items(client.ask("file:///project/broken.py", 0, 5))
    assert lives(client)
    assert time.perf_counter() - begun < PATIENCE_SECONDS
