"""Defines the settings and their defaults, and reads settings from files and clients."""

from __future__ import annotations

import difflib
import os
import reprlib
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mistral_lsp.system.folders import data_folder, settings_folder
from mistral_lsp.text import globs
from mistral_lsp.text.shown import one_line

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SECTION = "mistralLsp"
MODELS_VARIABLE = "MISTRAL_LSP_MODELS"
"""The environment variable that names the folder for downloaded models."""
MODEL_ENDING = ".gguf"
LONGEST_TEXT = 4_096
"""Maximum number of characters of a setting's text. No path is longer."""
CLIENT_KEYS = frozenset({"path", "arguments", "package", "trace"})
"""Settings that only an editor's plugin reads. If a client sends them, the server ignores them."""

MOST_GLOB_CHARACTERS = 20_000
"""Maximum number of characters of all globs together. Each file's path is matched against all of
them.
"""
MOST_NAMED = 5

ENGINES = ("auto", "ctransformers", "llama_cpp", "http", "scripted")
BACKENDS = "mistral_lsp.backends"
"""The entry point group in which other packages register backends."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All settings of a user. This class alone defines the defaults."""

    enabled: Annotated[bool, Meta(description="Offer ghost text at all.")] = True
    engine: Annotated[
        str,
        Meta(
            description="What runs the model; auto takes the server at httpUrl, or else the "
            "fastest that is installed."
        ),
    ] = "auto"
    model: Annotated[
        str,
        Meta(description="Name of a downloaded model or path of a GGUF file; empty: the embedded."),
    ] = ""
    http_url: Annotated[
        str,
        Meta(description="Address of a model server, for the engine http; or several, by spaces."),
    ] = ""
    http_dialect: Annotated[
        Literal["auto", "llama-server", "openai", "ollama", "mistral", "tgi", "bedrock"],
        Meta(description="What the server at httpUrl understands; auto asks it."),
    ] = "auto"
    http_model: Annotated[
        str, Meta(description="The model's name on that server; empty takes the only one.")
    ] = ""
    window: Annotated[
        int,
        Meta(ge=0, le=131072, description="Tokens of prompt and answer; 0 fits this machine."),
    ] = 0
    max_tokens: Annotated[
        int, Meta(ge=1, le=1024, description="The longest answer, in tokens.")
    ] = 128
    multiline: Annotated[
        Literal["auto", "never", "always"],
        Meta(description="auto goes on after a line that opens a block."),
    ] = "auto"
    debounce_ms: Annotated[
        int, Meta(ge=0, le=5000, description="Wait after a keystroke before the model is asked.")
    ] = 0
    deadline_ms: Annotated[
        int, Meta(ge=50, le=120000, description="After this long, what is there is shown.")
    ] = 5000
    languages: Annotated[dict[str, bool], Meta(description="Language id, or *, to on or off.")] = {}
    disable_in: Annotated[
        list[Literal["comment", "string"]],
        Meta(description="Where nothing is offered unless asked for."),
    ] = msgspec.field(default_factory=lambda: ["comment"])
    exclude: Annotated[
        list[str], Meta(description="Globs, as in .gitignore, of files that are left alone.")
    ] = []
    other_files: Annotated[
        bool,
        Meta(
            description="Tell the model what other files of the workspace define, and what in them "
            "is like what is being written."
        ),
    ] = True
    min_confidence: Annotated[
        float,
        Meta(ge=0, le=1, description="How likely the model must hold what is shown unasked."),
    ] = 0.025
    keep_loaded_seconds: Annotated[
        int,
        Meta(ge=0, le=86400, description="How long the model stays loaded behind the last editor."),
    ] = 300
    remember_windows: Annotated[
        bool,
        Meta(description="Keep what the model has read on disk, for the next start."),
    ] = False
    threads: Annotated[
        int, Meta(ge=0, le=256, description="Threads that compute; 0 fits this machine.")
    ] = 0
    gpu_layers: Annotated[
        int, Meta(ge=-1, le=1024, description="Layers on the GPU; -1 means all where one serves.")
    ] = -1

    @property
    def asks_server(self) -> bool:
        """Whether a model server answers: by the engine, or by an address with the engine auto."""
        return self.engine == "http" or (self.engine == "auto" and bool(self.http_url.strip()))


FIELDS = {field.encode_name: field for field in msgspec.structs.fields(Settings)}


def read(
    raw: Mapping[str, Any], base: Settings, folder: Path | None = None
) -> tuple[Settings, list[str]]:
    """Gives `base` overridden by `raw`, and one sentence about each problem.

    For an invalid value, the value in `base` is kept. Relative paths are relative to `folder`.
    Without a folder, a relative path is an invalid value.
    """
    changes: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in raw.items():
        if key in CLIENT_KEYS:
            continue
        if key not in FIELDS:
            problems.append(_unknown(key))
            continue
        field = FIELDS[key]
        try:
            given = msgspec.convert(value, type=field.type)
            if key == "exclude":
                given, found = _sound_globs(given)
                problems += found
            _refuse_what_is_no_text(given)
            if key == "engine":
                check_engine(given)
            changes[field.name] = model_at(given, folder) if key == "model" else given
        except ValueError as error:  # includes msgspec's errors
            kept = getattr(base, field.name)
            problems.append(f"Setting {SECTION}.{key}: {error}. Using {kept!r} instead.")
    return msgspec.structs.replace(base, **changes), problems


def check_engine(name: str) -> str:
    """Gives the name of an engine back. Raises ValueError if there is no such engine."""
    if name not in ENGINES and name not in engines():
        raise ValueError(f"there is no engine {name!r}, but {', '.join(engines())}")
    return name


@cache
def engines() -> tuple[str, ...]:
    """Gives the names of all engines, including those added by installed packages.

    It reads the entry points of every installed package, so it is only called where it must be.
    """
    from importlib import metadata

    return (*ENGINES, *(entry.name for entry in metadata.entry_points(group=BACKENDS)))


def _refuse_what_is_no_text(value: Any) -> None:
    """Raises ValueError if any string in `value` is too long, or has a NUL or a surrogate."""
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"it has {len(value):,} characters")
        if any(one == "\0" or "\ud800" <= one <= "\udfff" for one in value):
            raise ValueError("it has a character that is none")
    elif isinstance(value, (list, dict)):
        for inner in value.items() if isinstance(value, dict) else value:
            for text in inner if isinstance(inner, tuple) else (inner,):
                _refuse_what_is_no_text(text)


def model_at(model: str, folder: Path | None) -> str:
    """Gives a model's name, or the absolute path of its file.

    A value is a path if it contains "/", begins with "~" or ends in ".gguf". A file name without a
    folder is first looked up in the models' folder. Relative paths are relative to `folder`.
    Without a folder, a relative path raises ValueError.
    """
    is_name = not any(sign in model for sign in ("/", os.sep)) and model not in (".", "..")
    if is_name and not model.endswith(MODEL_ENDING) and not model.startswith("~"):
        return model
    if is_name and is_file(models_folder() / model):
        return str(models_folder() / model)
    try:
        path = Path(model).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{model!r} begins with no user of this machine") from error
    if folder is None and not path.is_absolute():
        raise ValueError(f"{model!r} is no whole path, and no downloaded model has that name")
    return str(path if folder is None else folder / path)


def is_file(path: Path) -> bool:
    """Whether a path is a file. Gives False for a path that is too long for the system."""
    try:
        return path.is_file()
    except OSError:
        return False


def models_folder() -> Path:
    """Gives the folder of downloaded models, which an environment variable may set."""
    chosen = os.environ.get(MODELS_VARIABLE)
    return Path(chosen) if chosen else data_folder() / "models"


def _sound_globs(given: list[str]) -> tuple[list[str], list[str]]:
    """Gives the valid globs, and a list with at most one sentence about all invalid ones."""
    sound, wrong = [], []
    left = MOST_GLOB_CHARACTERS
    for glob in given:
        left -= len(glob)
        if left < 0:
            wrong.append(f"{reprlib.repr(glob)} and what follows (all together are too long)")
            break
        problem = _problem_of_glob(glob)
        if problem:
            wrong.append(f"{reprlib.repr(glob)} ({problem})")
        else:
            sound.append(glob)
    if not wrong:
        return sound, []
    named = ", ".join([*wrong[:MOST_NAMED], *(["and more"] if len(wrong) > MOST_NAMED else [])])
    sentence = f"Setting {SECTION}.exclude: no globs, and left out, are {named}. The others hold."
    return sound, [sentence]


def _problem_of_glob(glob: str) -> str:
    try:
        _refuse_what_is_no_text(glob)
    except ValueError as error:
        return str(error)
    found = globs.read(glob)
    return found.problem if found is not None else ""


def _unknown(key: str) -> str:
    key = one_line(key)
    near = difflib.get_close_matches(key, FIELDS, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" Known settings: {', '.join(FIELDS)}."
    return f"Setting {SECTION}.{key} does not exist and is ignored.{hint}"


def user_file() -> Path:
    """Gives the path of the user's settings file, which may not exist."""
    return settings_folder() / "config.toml"


def load_user_settings(path: Path | None = None) -> tuple[Settings, list[str]]:
    """Gives the settings in the user's TOML file, with defaults for all others.

    For an unreadable file, gives the defaults and a sentence about the problem.
    """
    path = path or user_file()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Settings(), []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(), [f"Settings file {path} is left out: {error}."]
    return read(raw, Settings(), path.parent)


def schema() -> dict[str, Any]:
    """Gives the JSON Schema of the settings. Tests compare the editors' plugins with it."""
    components = msgspec.json.schema(Settings)
    settings: dict[str, Any] = components["$defs"]["Settings"]
    return settings
