"""Settings from outside: valid values are taken, and invalid ones are named in a message."""

from __future__ import annotations

from mistral_lsp import config
from mistral_lsp.config import Settings


def test_good_values_are_taken() -> None:
    settings, problems = config.read({"maxTokens": 64, "disableIn": []}, Settings())
    assert (settings.max_tokens, settings.disable_in, problems) == (64, [], [])


def test_a_bad_value_is_named_and_the_default_kept() -> None:
    settings, problems = config.read({"maxTokens": "many", "debounceMs": -1}, Settings())
    assert settings == Settings()
    assert len(problems) == 2
    assert "mistralLsp.maxTokens" in problems[0] and "128" in problems[0]


def test_an_unknown_key_is_named_with_the_nearest() -> None:
    _, problems = config.read({"maxTokns": 3}, Settings())
    assert problems == [
        "Setting mistralLsp.maxTokns does not exist and is ignored. Did you mean maxTokens?"
    ]


def test_the_users_file(tmp_path) -> None:
    path = tmp_path / "config.toml"
    assert config.load_user_settings(path) == (Settings(), [])
    path.write_text('threads = 2\nlanguages = {"*" = false, python = true}\n')
    settings, problems = config.load_user_settings(path)
    assert (settings.threads, settings.languages, problems) == (2, {"*": False, "python": True}, [])
    path.write_text("threads = \n")
    settings, problems = config.load_user_settings(path)
    assert settings == Settings() and str(path) in problems[0]


def test_globs_that_match_nothing_are_named_and_the_others_hold() -> None:
    globs = ["gen/", "!", "[z-a].py", "# a comment", "", "a\\", "!keep.py", "[a", "a\0"]
    settings, problems = config.read({"exclude": globs}, Settings())
    assert settings.exclude == ["gen/", "# a comment", "", "!keep.py"]
    [problem] = problems
    for said in (
        "mistralLsp.exclude",
        "'!' (it names nothing)",
        "'[z-a].py' (the range z-a is empty)",
        "'a\\\\' (it ends with a backslash)",
        "'[a' (nothing closes its [a)",
        "'a\\x00' (it has a character that is none)",
        "The others hold.",
    ):
        assert said in problem


def test_very_many_or_very_long_globs_are_left_out_in_a_short_sentence() -> None:
    globs = [*(f"file{number}.py" for number in range(100_000)), "*" * 5000, "[" * 500]
    settings, [problem] = config.read({"exclude": globs}, Settings())
    assert 1000 < len(settings.exclude) < 3000 and settings.exclude[0] == "file0.py"
    assert "too long" in problem and len(problem) < 600
