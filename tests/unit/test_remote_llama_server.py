"""What a llama-server is asked, in detail: its tokens are the characters of a text."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mistral_lsp.engine.remote.engine import RemoteEngine
from mistral_lsp.engine.remote.pace import Pace
from mistral_lsp.engine.remote.wanted import Wanted
from mistral_lsp.types import Decoding, EngineError, Part, Prompt
from tests.support.played_llama import BOS, PlayedModel
from tests.support.played_server import Asked, PlayedServer, Reply, playing
from tests.support.waiting import PATIENCE_SECONDS, until


def bytes_of(text: str) -> tuple[str, list[int]]:
    return text, list(text.encode())


def prompt(prefix: str, suffix: str = "\n") -> Prompt:
    return Prompt(
        "prefix-first",
        (
            Part("mark", special="bos"),
            Part("mark", special="fim_prefix"),
            Part("prefix", prefix),
            Part("mark", special="fim_suffix"),
            Part("suffix", suffix),
            Part("mark", special="fim_middle"),
        ),
    )


async def started(server: PlayedServer, window: int = 0, pace: Pace = Pace()) -> RemoteEngine:
    engine = RemoteEngine(Wanted((server.url,), "auto", "", window), pace=pace)
    engine.start()
    await engine.ready()
    return engine


def ids(text: str) -> list[int]:
    return [ord(character) for character in text]


async def test_the_word_before_the_cursor_is_chosen_anew() -> None:
    with playing(PlayedModel(bytes_of("wo"), bytes_of("rld"), bytes_of(")"))) as server:
        engine = await started(server)
        generation = engine.generate(prompt("hello(wor"), Decoding(8))
        assert [token.text async for token in generation] == ["ld", ")"]
        assert (generation.usage.prompt_tokens, generation.usage.generated_tokens) == (11, 3)
        await engine.close()
        assert server.of("/completion")[-1] == {
            "prompt": [BOS, 1001, *ids("hello("), 1002, 10, 1003],
            "n_predict": 8,
            "cache_prompt": True,
            "samplers": ["top_k"],
            "top_k": 1,
            "temperature": 0.0,
            "n_probs": 16,
            "stream": True,
            "timings_per_token": True,
            "grammar": 'root ::= "\\U00000077\\U0000006F\\U00000072" [^\\x00]*',
        }


async def test_how_sure_the_model_was_is_told_among_what_writes_the_word() -> None:
    rivals = [(-0.5, "wo"), (-0.5, "w"), (-0.1, "x"), (-0.5, "worse")]
    top = [{"logprob": chance, "bytes": list(text.encode())} for chance, text in rivals]
    with playing(PlayedModel(bytes_of("worl"), bytes_of("d"), top=top)) as server:
        engine = await started(server)
        answer = [token async for token in engine.generate(prompt("hello(wor"), Decoding(8))]
        assert [token.text for token in answer] == ["l", "d"]
        assert answer[0].probability == pytest.approx(1 / 4), "of worl, wo, w and worse"
        assert answer[1].probability == pytest.approx(0.6065, abs=1e-3)
        await engine.close()


async def test_a_mark_ends_the_answer() -> None:
    with playing(PlayedModel(bytes_of("1"), ("", []), bytes_of("2"))) as server:
        engine = await started(server)
        generation = engine.generate(prompt("x=("), Decoding(8))
        answer = [token async for token in generation]
        assert [token.text for token in answer] == ["1"]
        assert answer[0].probability == pytest.approx(0.6065, abs=1e-3)
        await engine.close()


@pytest.mark.parametrize("leaky", [True, False])
async def test_text_is_never_read_as_a_mark(leaky) -> None:
    with playing(PlayedModel(leaky=leaky)) as server:
        engine = await started(server)
        text = "a<fim_middle>b<fim_prefix>("
        async for _ in engine.generate(prompt(text, text), Decoding(8)):
            pass
        await engine.close()
        sent = server.of("/completion")[-1]["prompt"]
        assert sent == [BOS, 1001, *ids(text), 1002, *ids(text), 1003]


async def test_a_long_prompt_is_read_in_steps_and_once() -> None:
    with playing(PlayedModel(bytes_of("1"))) as server:
        engine = await started(server)
        before = len(server.of("/completion"))
        async for _ in engine.generate(prompt("y" * 100 + "("), Decoding(8)):
            pass
        lengths = [len(body["prompt"]) for body in server.of("/completion")[before:]]
        assert lengths == [32, 64, 96, 106]
        async for _ in engine.generate(prompt("y" * 100 + "(("), Decoding(8)):
            pass
        lengths = [len(body["prompt"]) for body in server.of("/completion")[before + 4 :]]
        assert lengths == [107]
        await engine.close()


@pytest.mark.parametrize(("rate", "suffix"), [(320.0, 64), (5_000.0, 250), (40_000.0, 2_000)])
async def test_a_suffix_read_at_each_key_is_as_long_as_50_ms_allow(rate, suffix) -> None:
    model = PlayedModel()
    model.timings = {"prompt_n": 32, "prompt_per_second": rate}
    with playing(model) as server:
        engine = await started(server, window=256)
        assert engine.model.working_window == 256
        assert engine.model.most_suffix == suffix and f"{suffix} tokens" in engine.model.note
        await engine.close()


async def test_steps_follow_the_speed_of_reading() -> None:
    model = PlayedModel(bytes_of("1"))
    with playing(model) as server:
        engine = await started(server, window=500)
        before = len(server.of("/completion"))
        model.timings = {"prompt_n": 32, "prompt_per_second": 640.0}
        async for _ in engine.generate(prompt("y" * 150 + "("), Decoding(8)):
            pass
        assert [len(body["prompt"]) for body in server.of("/completion")[before:]] == [32, 96, 156]
        await engine.close()


async def test_texts_are_tokenised_together_and_once() -> None:
    with playing(PlayedModel()) as server:
        engine = await started(server)
        before = len(server.of("/tokenize"))
        assert await engine.count(["ab", "", "\nc", "ab"]) == [2, 0, 2, 2]
        assert await engine.count(["\nc", "ab"]) == [2, 2]
        assert len(server.of("/tokenize")) == before + 1
        await engine.close()


async def test_the_window_is_the_servers_at_most() -> None:
    with playing(PlayedModel()) as server:
        engine = await started(server)
        assert (engine.model.window, engine.model.working_window) == (512, 448)
        assert engine.model.form == "prefix-first"
        with pytest.raises(EngineError, match=r"maxTokens"):
            async for _ in engine.generate(prompt("y" * 500), Decoding(100)):
                pass
        assert engine.state == "ready"
        await engine.close()


async def test_a_model_without_marks_is_said() -> None:
    with playing(PlayedModel(marked=False)) as server:
        engine = await started(server)
        assert engine.model.form == "plain" and "no fill-in marks" in engine.model.note
        await engine.close()


async def test_a_chat_model_without_marks_is_asked_by_its_template() -> None:
    played = PlayedModel()
    played.marks = {"<|im_start|>": 1001, "<|im_end|>": 1002}
    played.template = r"{{ '<|im_end|>' + '\n' }}{{ '<|im_start|>assistant\n' }}"
    with playing(played) as server:
        engine = await started(server)
        assert engine.model.form == "chatml" and "asked as a chat (chatml)" in engine.model.note
        await engine.close()


async def test_a_base_model_is_no_chat_though_the_server_tells_its_own_template() -> None:
    played = PlayedModel(marked=False)
    played.path = "models/Llama-3.2-1B.Q8_0.gguf"
    played.template = r"{{ '<|im_end|>' + '\n' }}{{ '<|im_start|>assistant\n' }}"
    with playing(played) as server:
        engine = await started(server)
        assert engine.model.form == "plain"
        await engine.close()


class SlowModel(PlayedModel):
    """Takes its time before its first word; counts the requests that it works at together."""

    def __init__(self, *said: tuple[str, list[int]]):
        super().__init__(*said)
        self.held = threading.Event()
        self.together = self.most = self.begun = 0
        self.counting = threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        if asked.path != "/completion":
            return super().__call__(asked)
        with self.counting:
            self.begun += 1
            self.together += 1
            self.most = max(self.most, self.together)
        self.held.wait(2 * PATIENCE_SECONDS)
        with self.counting:
            self.together -= 1
        return super().__call__(asked)


async def test_what_was_given_up_does_not_pile_up_at_the_server() -> None:
    model = SlowModel(bytes_of("a"), bytes_of("b"))
    with playing(model) as server:
        engine = await started(server, window=512)
        given_up = [engine.generate(prompt("x = ("), Decoding(8))]
        await until(lambda: model.begun)
        for number in range(5):
            given_up[-1].stop()
            given_up.append(engine.generate(prompt(f"x{number} = ("), Decoding(8)))
            await asyncio.sleep(0.01)
        given_up[-1].stop()
        answer = engine.generate(prompt("y = ("), Decoding(8))
        model.held.set()
        assert [token.text async for token in answer] == ["a", "b"]
        for generation in given_up:
            assert [token async for token in generation] == []
        assert model.most == 1, "one at a time"
        assert model.begun == 2, "those that waited for their turn were never sent"
        await engine.close()


async def test_an_engine_that_closes_waits_for_no_server() -> None:
    model = SlowModel(bytes_of("a"))
    with playing(model) as server:
        engine = await started(server, window=512)
        generation = engine.generate(prompt("x = ("), Decoding(8))
        await until(lambda: model.begun)
        await asyncio.wait_for(engine.close(), PATIENCE_SECONDS)
        assert [token async for token in generation] == []
        assert model.together == 1, "the server is still at it"
        model.held.set()


async def test_another_model_is_noticed_before_its_tokens_are_mixed_up() -> None:
    model = PlayedModel(bytes_of("1"))
    with playing(model) as server:
        engine = await started(server, pace=Pace(trusted=0.0))
        model.path = "models/other.gguf"
        with pytest.raises(EngineError, match="another model"):
            async for _ in engine.generate(prompt("x=("), Decoding(8)):
                pass
        assert engine.state == "starting"
        await engine.close()
