"""Unexpected errors: the client gets a message, the log names the place; neither has user code."""

from __future__ import annotations

import json
import sys

import pytest

from bench.support.lsp_client import Client
from tests.support.failing import MENDABLE, NOTIFICATIONS, REQUESTS

URI = "file:///project/main.py"
TEXT = "def add(a, b):\n    \n"
PLACE = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 4}}


@pytest.fixture
def failing(own_home):
    """Gives a client of a server whose handlers fail; finally checks its log for user code."""
    client = Client([sys.executable, "-m", "tests.support.failing", "--engine", "scripted"])
    client.initialize()
    client.wait_until_ready()
    yield client
    assert "hunter2" not in log_of(client)


def log_of(client: Client) -> str:
    """Kills the server; gives all that it has logged."""
    client.kill()
    return "\n".join(client.errors)


def error(client: Client, method: str, params: object) -> dict:
    answer = client.response(client.begin(method, params))[1]
    assert "Traceback" not in json.dumps(answer) and "hunter2" not in json.dumps(answer)
    assert "data" not in answer["error"], answer
    return answer["error"]


def test_an_error_that_nobody_foresaw_is_told_without_our_insides(failing) -> None:
    for method in REQUESTS:
        told = error(failing, method, {})
        assert told["code"] == -32603 and "log" in told["message"], told
    for command in ("test.fails", "test.failsLater"):
        told = error(failing, "workspace/executeCommand", {"command": command})
        assert told["code"] == -32603 and "log" in told["message"], told
    failing.request("workspace/executeCommand", {"command": "test.failsInATask"})
    log = log_of(failing)
    assert "KeyError" in log and "ValueError" in log and "in fail_later" in log


def test_an_error_in_a_notification_is_shown_without_our_insides(failing) -> None:
    for method in NOTIFICATIONS:
        failing.notify(method, {})
    shown = failing.wait_for("window/showMessage")["params"]
    assert "log" in shown["message"] and "hunter2" not in shown["message"]
    assert "hunter2" not in json.dumps(failing.status())
    assert "in fail" in log_of(failing)


def test_what_the_user_can_mend_is_told_in_our_words(failing) -> None:
    told = error(failing, "workspace/executeCommand", {"command": "test.isMendable"})
    assert told["message"] == MENDABLE


WRONG_ARGUMENTS = (None, [], [None], [{}], ["x"], [PLACE, PLACE], [{**PLACE, "position": 5}])


def test_commands_with_wrong_arguments_are_refused(ready) -> None:
    client = ready()
    client.open(URI, TEXT)
    for arguments in WRONG_ARGUMENTS:
        given = {"command": "mistralLsp.explain", "arguments": arguments}
        assert error(client, "workspace/executeCommand", given)["code"] == -32602, arguments
    for wrong in (None, {}, [], {"command": None}, {"command": {}}, {"command": "x" * 10}):
        assert error(client, "workspace/executeCommand", wrong)["code"] == -32602, wrong
    assert client.items(client.ask(URI, 1, 4))


def test_a_model_that_can_not_be_loaded_is_told_to_who_wants_an_explanation(start) -> None:
    client = start("--model", "/none.gguf", engine="auto")
    client.initialize()
    with pytest.raises(RuntimeError):
        client.wait_until_ready()
    client.open(URI, TEXT)
    given = {"command": "mistralLsp.explain", "arguments": [PLACE]}
    told = error(client, "workspace/executeCommand", given)["message"]
    assert "/none.gguf can't be read" in told and "EngineError" not in told


def test_a_client_that_wants_no_progress_after_all_is_asked_again(start, monkeypatch) -> None:
    client = start()
    refuse = {"error": {"code": -32601, "message": "no progress here"}}

    def reply(message: dict) -> None:
        answer = {"jsonrpc": "2.0", "id": message["id"], **refuse}
        client.send_raw(json.dumps(answer).encode())

    monkeypatch.setattr(client, "reply", reply)
    client.initialize(window={"workDoneProgress": True})
    client.wait_until_ready()
    client.wait_for("window/workDoneProgress/create")
    client.request("workspace/executeCommand", {"command": "mistralLsp.reload"})
    client.wait_for("window/workDoneProgress/create")
    assert "never retrieved" not in log_of(client)
