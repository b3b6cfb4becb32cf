"""Tests the load bench: the figures that it computes, and short runs on real servers."""

from __future__ import annotations

from bench.latency.modes import Run, Sample
from bench.load import __main__ as load, elsewhere, server
from bench.support.subjects import Answer


def run_of(*waits: float | None) -> Run:
    """Makes a `Run` with a key for each of `waits`, in ms; None: no answer before the next key."""
    answers = [None if wait is None else Answer("x", wait / 2, wait, wait) for wait in waits]
    return Run("editor", "human", samples=[Sample(answer) for answer in answers])


def test_what_people_had_of_it_is_counted() -> None:
    done = {"evaluated": 60.0, "decoded": 30.0, "cpu": 1.5}
    found = load.summarise([run_of(1.0, 200.0, None), run_of(100.0, 100.0, 100.0)], 2.0, done)
    assert (found["editors"], found["keys"], found["keys_per_second"]) == (2, 6, 3.0)
    assert found["answered_percent"] == 83.3
    assert found["answered_percent_by_editor"] == {"least": 66.7, "most": 100.0}
    assert found["mean_wait_ms_by_editor"] == {"least": 100.0, "most": 100.5}
    assert found["asked_line_ms"] == {"n": 4, "p50": 100.0, "p95": 200.0}
    assert (found["evaluated_per_key"], found["server_cpu_ms_per_key"]) == (10.0, 250.0)


def test_lost_answers_tell_of_saturation() -> None:
    alone = {"answered_percent": 95.0}
    assert not load.is_saturated({"answered_percent": 86.0}, alone)
    assert load.is_saturated({"answered_percent": 84.0}, alone)


def test_editors_have_places_of_their_own() -> None:
    chosen = [place for own in load.places_of(50, 2) for place in own]
    assert len(set(chosen)) == len(chosen) == 100
    assert load.places_of(2, 1) == load.places_of(2, 1)
    assert not set(load.places_of(2, 1, met=1)[0]) & set(load.places_of(1, 1)[0])


def test_what_a_server_says_of_its_work_is_read() -> None:
    vllm = """# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
vllm:prompt_tokens_total{engine="0",model_name="tiny"} 900.0
vllm:prompt_tokens_total{engine="1",model_name="tiny"} 100.0
vllm:prompt_tokens_cached_total{engine="0",model_name="tiny"} 1.5e+02
vllm:prefix_cache_hits_total{engine="0",model_name="tiny"} 2000.0
vllm:generation_tokens_total{engine="0",model_name="tiny"} 47.0
"""
    assert server.counted(vllm) == {"evaluated": 850.0, "decoded": 47.0}
    llama = "llamacpp:prompt_tokens_total 60\nllamacpp:tokens_predicted_total 30\n"
    assert server.counted(llama) == {"evaluated": 60.0, "decoded": 30.0}
    assert server.counted("other:tokens_total 3\n") == {}


def test_what_a_server_does_not_say_is_left_out() -> None:
    found = load.summarise([run_of(1.0)], 2.0, {})
    assert found["server_busy_percent"] is found["evaluated_per_key"] is None


def test_two_editors_on_a_real_server() -> None:
    options = load.parse_options(["2", "--keys", "3", "--lines", "1", "--slots", "2"])
    found = load.measure(2, options)
    assert (found["editors"], found["keys"], found["errors"]) == (2, 6, 0)
    assert found["evaluated_per_key"] > 0
    assert found["cold_ms"]["n"] == 2
    assert 0 < found["server_busy_percent"] < 100


def test_cancels_at_a_server_are_measured() -> None:
    found = elsewhere.check_cancel(cancels=2)
    assert found["cancels"] == 2 and 0 <= found["idle_ms"]["n"] <= 2


def test_editors_on_a_server_that_runs() -> None:
    options = load.parse_options(["1", "--keys", "2", "--lines", "1"])
    with server.started(slots=1, context=768) as (address, _):
        options.url = address
        found = load.measure(1, options)
    assert (found["keys"], found["errors"], found["server_busy_percent"]) == (2, 0, None)
    assert found["evaluated_per_key"] > 0
