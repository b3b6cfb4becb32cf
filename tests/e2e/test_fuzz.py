"""Random messages: the server survives, answers each request once, and keeps all texts in sync."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bench.soak import fuzz
from bench.soak.conversation import Conversation, server
from bench.soak.traffic import ENCODINGS, SHARES, Traffic, some_message
from tests.support.waiting import PATIENCE_SECONDS

CHANCE = strategies.integers(0, 2**32).map(Random)
SENDERS = [send for send, _ in SHARES if send is not Traffic.huge]


class Servers:
    """Servers, one for each position encoding. One that crashes or fails a check is replaced."""

    def __init__(self, environment: dict[str, str]):
        self._environment = environment
        self._running: dict[str, Conversation] = {}
        self._clients = 0

    def client(self, encoding: str) -> Traffic:
        self._clients += 1
        running = self._running.get(encoding)
        if running is None or running.wrongs or not running.alive:
            if running is not None:
                running.kill()
            running = self._running[encoding] = server(environment=self._environment)
            Traffic(running, encoding).initialize()
        traffic = Traffic(running, encoding, f"c{self._clients}-")
        traffic.number_from(self._clients * 100_000)
        return traffic

    def close(self) -> None:
        for running in self._running.values():
            running.settle()
            assert not running.wrongs + fuzz.shown_code(running)
            running.kill()


@pytest.fixture
def servers(own_home, tmp_path) -> Iterator[Servers]:
    running = Servers(fuzz.scripted(tmp_path))
    yield running
    running.close()


def machine(servers: Servers) -> type[RuleBasedStateMachine]:
    """Gives a state machine: a client that sends random messages and checks the answers."""

    class Client(RuleBasedStateMachine):
        @initialize(encoding=strategies.sampled_from(ENCODINGS), chance=CHANCE)
        def begin(self, encoding: str, chance: Random) -> None:
            self.traffic = servers.client(encoding)
            self.traffic.opens(chance)

        @rule(send=strategies.sampled_from(SENDERS), chance=CHANCE)
        def send(self, send, chance: Random) -> None:
            send(self.traffic, chance)
            for uri in self.traffic.open:
                self.traffic.compare(uri)
            self.traffic.conversation.settle()
            assert not self.traffic.conversation.wrongs

        @rule(chance=CHANCE, count=strategies.integers(2, 20))
        def flood(self, chance: Random, count: int) -> None:
            """Sends many messages at once, so that cancels and edits overtake running requests."""
            for _ in range(count):
                some_message(self.traffic, chance)
            self.traffic.conversation.settle()
            assert not self.traffic.conversation.wrongs

    return Client


def test_a_client_that_does_anything(servers) -> None:
    run_state_machine_as_test(
        machine(servers),
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_thousands_of_messages_at_once(own_home, tmp_path, encoding) -> None:
    conversation = server(environment=fuzz.scripted(tmp_path))
    assert fuzz.flood(Traffic(conversation, encoding), Random(encoding), 2_500) == []
    assert conversation.alive
    conversation.kill()


def test_what_comes_before_the_beginning_and_behind_the_end_is_answered(own_home, tmp_path) -> None:
    conversation = server(environment=fuzz.scripted(tmp_path))
    chance = Random(3)
    traffic = Traffic(conversation, "utf-16")
    for _ in range(100):
        traffic.malforms(chance)
        traffic.hostile(chance)
    traffic.initialize()
    traffic.opens(chance)
    traffic.request("shutdown", None)
    for _ in range(100):
        traffic.asks(chance)
        traffic.cancels(chance)
        traffic.answers_nobody(chance)
    conversation.settle()
    assert not conversation.wrongs
    traffic.notify("exit", None)
    conversation.flush()
    assert conversation.process.wait(PATIENCE_SECONDS) == 0
    conversation.kill()
