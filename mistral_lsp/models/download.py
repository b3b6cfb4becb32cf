"""Downloads a model file. Resumes a broken download, and checks the sha256 of the whole file."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import httpx

from mistral_lsp.models.store import BadSum, check
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import UserError

TRIES = 5
"""Number of failures in a row, without a new byte, after which a download is given up."""
BACK_OFF_SECONDS = 0.5
"""Seconds before the next try. They double with each failure."""
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
REDIRECTS = 5
LARGEST = 1 << 40
"""Maximum number of bytes of a file whose size is not known before."""
LONGEST_DETAIL = 200
"""Maximum number of characters quoted from an error's message."""
SPARE_BYTES = 64 << 20
"""Number of bytes that a download leaves free on the disk."""

Progress = Callable[[int, int], None]
"""Called with the number of bytes downloaded and the total number. The total is 0 if it is unknown.
"""


def pull(
    url: str,
    target: Path,
    sha256: str,
    progress: Progress = lambda done, total: None,
    largest: int = LARGEST,
) -> str:
    """Downloads `url` to `target`, and gives the file's sha256.

    The file may have at most `largest` bytes. An interrupted download is kept as a file ending in
    ".part", and is resumed by the next call. Of two downloads at once, the second waits for the
    first and uses its file. On failure, raises UserError and creates no `target`.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f"{target.name}.lock")):
            if not target.exists():
                _fetch(url, part, progress, largest)
                _accept(part, target, sha256)
            return check(target, sha256)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise UserError(
                f"The disk of {target.parent} is full. Make room and pull again: nothing is lost."
            ) from error
        raise UserError(f"{target} can't be written: {error}.") from error


def _accept(part: Path, target: Path, sha256: str) -> None:
    try:
        check(part, sha256)
    except BadSum:
        part.unlink()
        raise
    part.replace(target)


def _fetch(url: str, part: Path, progress: Progress, largest: int) -> None:
    """Downloads the missing bytes of the ".part" file.

    Resumes after a broken connection. Raises UserError after TRIES failures in a row.
    """
    failures = 0
    while True:
        reached = _size(part)
        try:
            _fetch_once(url, part, progress, largest)
            return
        except httpx.TooManyRedirects as error:
            raise UserError(
                f"{url} can't be downloaded: the server sends us from one place to the next. Is "
                "the address right?"
            ) from error
        except (httpx.TransportError, _Unavailable) as error:
            failures = 1 if _size(part) > reached else failures + 1
            if failures == TRIES:
                said = one_line(str(error), LONGEST_DETAIL) or type(error).__name__
                raise UserError(
                    f"{url} can't be downloaded: {said}. "
                    "Pull again to go on from where it broke off."
                ) from error
            time.sleep(BACK_OFF_SECONDS * 2**failures)


class _Unavailable(Exception):
    """Raised if the server can't answer now, but perhaps later."""


def _fetch_once(url: str, part: Path, progress: Progress, largest: int) -> None:
    have = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with (
        httpx.Client(timeout=TIMEOUT, follow_redirects=True, max_redirects=REDIRECTS) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the whole file is there; its sha256 is checked later
        _refuse_failure(url, answer)
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        have = have if resumed else 0
        length = int(answer.headers.get("Content-Length", 0))
        _refuse_lack_of_room(part, length)
        _refuse_size(url, part, have + length, largest)
        total = have + length if length else 0
        with part.open("ab" if resumed else "wb") as file:
            for block in answer.iter_raw():
                have += len(block)
                _refuse_size(url, part, have, largest)
                if not total:
                    _refuse_lack_of_room(part, len(block))
                file.write(block)
                progress(have, total)


def _refuse_failure(url: str, answer: httpx.Response) -> None:
    said = f"the server answers {answer.status_code} {one_line(answer.reason_phrase)}"
    if answer.status_code in (429, 500, 502, 503, 504):
        raise _Unavailable(said)
    if answer.is_error:
        raise UserError(
            f"{url} can't be downloaded: {said}. Is the address right, and may everybody read it?"
        )
    if answer.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise UserError(
            f"{url} can't be downloaded: the server packs it, though it was asked not to. Try "
            "another mirror (HF_ENDPOINT)."
        )
    if url.startswith("https:") and answer.url.scheme != "https":
        raise UserError(
            f"{url} can't be downloaded: it leads to a place without https, where everybody on "
            "the way could change it. Try another mirror (HF_ENDPOINT)."
        )


def _refuse_size(url: str, part: Path, size: int, largest: int) -> None:
    if size > largest:
        part.unlink(missing_ok=True)
        raise UserError(
            f"{url} has more than {largest / 1e9:.2f} GB, so it is not the model that it should "
            "be. Is the address right? Try another mirror (HF_ENDPOINT)."
        )


def _refuse_lack_of_room(part: Path, length: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if length and length + SPARE_BYTES > free:
        raise UserError(
            f"The file needs {length / 1e9:.2f} GB more, but the disk of {part.parent} has "
            f"{free / 1e9:.2f} GB free. Make room, or set MISTRAL_LSP_MODELS to another folder."
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
