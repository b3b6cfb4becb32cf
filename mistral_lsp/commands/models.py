"""The command `models`: lists, downloads, checks, removes, and chooses models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mistral_lsp import config
from mistral_lsp.models import download, gguf, overview, registry, store
from mistral_lsp.system.files import write_whole
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import UserError

HUB = "https://huggingface.co"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LARGER = 1.1e9
"""Maximum bytes of a download for each listed gigabyte: more than 1e9, because listed sizes are
rounded.
"""
SPARE_BYTES = 100_000_000
LONGEST_PATH = 400
"""Characters of a path that a message shows."""


def listed() -> list[dict[str, Any]]:
    """Describes each known model, and says whether it is the one in the user's settings."""
    settings, _ = config.load_user_settings()
    return overview.listed(None if settings.asks_server else settings.model)


def pull(model: str, progress: download.Progress) -> Path:
    """Downloads a known model, unless it is on this machine already. Gives its file."""
    entry = _known(model)
    name = entry.name
    if not entry.source:
        return store.locate(name)
    path = store.file_of(name)
    if not path.is_file() and os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        raise UserError(f"HF_HUB_OFFLINE is set, so {name} is not downloaded.")
    largest = int(entry.gigabytes * LARGER) + SPARE_BYTES
    found = download.pull(address(entry), path, store.expected_sum(name), progress, largest)
    store.pin(name, found)
    return path


def address(entry: registry.Entry) -> str:
    """Gives a model's download address: on Hugging Face, or on the mirror in HF_ENDPOINT."""
    endpoint = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise UserError(f"HF_ENDPOINT has to begin with https://, not {endpoint!r}.")
    return f"{endpoint}/{entry.source}/resolve/main/{entry.file}"


def verify(model: str) -> Path:
    """Compares a model file's sha256 with the expected one, and gives the file.

    Raises UserError if the two differ.
    """
    name = _known(model).name
    path = store.locate(name)
    try:
        store.check(path, store.expected_sum(name))
    except store.BadSum as error:
        raise UserError(
            f"{error} Run: mistral-lsp models remove {name}, then pull it again."
        ) from error
    return path


def remove(model: str) -> Path:
    """Deletes a downloaded model and any partial download of it. Gives the deleted file."""
    entry = _known(model)
    name = entry.name
    if not entry.source:
        raise UserError(f"{name} is part of the installation and can't be removed.")
    path = store.file_of(name)
    part = path.with_name(f"{path.name}.part")
    if not path.exists() and not part.exists():
        raise UserError(f"The model {name} is not on this machine.")
    for each in (path, part):
        each.unlink(missing_ok=True)
    return path


def use(model: str) -> Path:
    """Writes a model's name or path into the user's settings file, and gives that file.

    If the model is missing or invalid, changes nothing and raises UserError.
    """
    chosen = _from_here(model)
    gguf.read_header(store.locate(chosen))
    path = config.user_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document = tomlkit.parse(path.read_text("utf-8-sig") if path.exists() else "")
        document["model"] = "" if chosen == registry.EMBEDDED else chosen
        write_whole(path, tomlkit.dumps(document).encode())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise UserError(f"The settings file {path} can't be changed: {error}.") from error
    return path


def other_in_use() -> str:
    """Says that a server answers in place of the chosen model; "" if none does."""
    settings, _ = config.load_user_settings()
    if not settings.asks_server:
        return ""
    return (
        " But a server is used instead. To use the model, remove httpUrl from that file, and "
        "engine if it is http."
    )


def _from_here(model: str) -> str:
    """Gives a model's name, or its path if it is a file, as seen from the working directory."""
    try:
        return config.model_at(model, Path.cwd())
    except ValueError as error:
        raise UserError(f"{model!r} can't be used: {error}.") from error


def _known(model: str) -> registry.Entry:
    """Finds a known model by its name, or by the path of its file. Raises UserError for others."""
    found = _from_here(model)
    entry = registry.find(store.known_name(found) or "")
    if entry is None and os.sep in found:
        raise UserError(
            f"{one_line(found, LONGEST_PATH)} is not the file of a known model. A file of your own "
            "is chosen by models use, and deleted like any other file."
        )
    if entry is None:
        name = model.partition(":")[0]
        near = [known for known in registry.entries() if known.partition(":")[0] == name]
        known = ", ".join(near or [known for known in registry.entries() if ":" not in known])
        raise UserError(f"No model is called {one_line(model)!r}. Known are: {known}.")
    return entry


def print_list(models: list[dict[str, Any]]) -> None:
    """Prints a table of the models that `listed` gives."""
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("model", no_wrap=True), "parameters", "file", "licence", "", box=None)
    for model in models:
        remarks = [
            "in use" if model["used"] else "here" if model["here"] else "",
            "" if model["fits"] else "too large for this machine",
            "not made for fill-in" if model["warning"] else "",
        ]
        billions, size = f"{model['parameters']:g} B", f"{model['gigabytes']:g} GB"
        state = ", ".join(filter(None, remarks))
        table.add_row(model["name"], billions, size, model["licence"], state)
    Console().print(table)


@contextmanager
def shown_progress(name: str) -> Iterator[download.Progress]:
    """Shows a progress bar during a download."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
