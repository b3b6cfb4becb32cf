"""The strategies that are compared: ours, and other tools' ways to ask the same engine.

The other strategies are judged by the text that their tools would show. If a tool has no rule for
the end of an answer, the answer is cut ideally: to as many lines as the expected text has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.quality.direct import DirectEngine
from bench.quality.sets import Task, index_of
from mistral_lsp import languages
from mistral_lsp.completion.pipeline import complete
from mistral_lsp.completion.prompting import prepare
from mistral_lsp.completion.request import Request, Workbench
from mistral_lsp.config import Settings
from mistral_lsp.context.index import Index
from mistral_lsp.document import Document
from mistral_lsp.engine.base import Engine
from mistral_lsp.postprocess.base import confidence
from mistral_lsp.types import Answer, Decoding, Part, Prompt, Token

MAX_TOKENS = 128
RESERVED_TOKENS = 64
"""Tokens of the window that stay free, for marks and for the error of counting line by line."""
SUFFIX_SHARE = 0.25
LLAMA_VIM_BEFORE, LLAMA_VIM_AFTER = 256, 64
PATIENT_MS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """The text shown by a tool: `text`, in place of `replaced` characters after the cursor."""

    text: str
    replaced: int = 0
    confidence: float | None = None


Strategy = Callable[[Task, Engine], Awaitable[Shown]]


async def ours(task: Task, engine: Engine) -> Shown:
    """Runs the pipeline for an invoked request, with default settings and an empty cache."""
    workbench = _workbench(task, engine)
    return await _complete(task, workbench, Settings(deadline_ms=PATIENT_MS))


async def as_typed(task: Task, engine: Engine) -> Shown:
    """Types the line up to the cursor key by key, to fill the KV cache; then runs the pipeline."""
    assert isinstance(engine, DirectEngine)
    written = task.prefix.rpartition("\n")[2]
    start = len(task.prefix) - len(written.lstrip())
    workbench = _workbench(task, engine)
    model = await engine.ready()
    with engine.typing():
        for offset in range(start, len(task.prefix)):
            request = _request(task, offset, Settings(deadline_ms=PATIENT_MS))
            await engine.press_key(await prepare(request, workbench, model))
        return await _complete(task, workbench, Settings(deadline_ms=PATIENT_MS))


async def one_file(task: Task, engine: Engine) -> Shown:
    """Runs the pipeline as `ours` does, but without excerpts of other files."""
    settings = Settings(deadline_ms=PATIENT_MS, other_files=False)
    return await _complete(task, _workbench(task, engine), settings)


def _workbench(task: Task, engine: Engine) -> Workbench:
    index = index_of(task.workspace) if task.workspace else Index()
    return Workbench(engine, index=index, interactive=False)


def _request(task: Task, offset: int, settings: Settings) -> Request:
    """Makes a request at `offset` in the prefix, as if the prefix were typed only up to there."""
    language = languages.find(task.language, task.path)
    uri = f"file:///{task.path}"
    file = str(task.workspace.resolve() / task.path) if task.workspace else ""
    text = task.prefix[:offset] + task.suffix
    snapshot = Document(uri, task.path, language, 0, text, file).snapshot()
    return Request(snapshot, offset, "invoked", settings)


async def _complete(task: Task, workbench: Workbench, settings: Settings) -> Shown:
    done = await complete(_request(task, len(task.prefix), settings), workbench)
    return Shown(done.text, done.span.end - done.span.start, done.confidence)


async def prefix_only(task: Task, engine: Engine) -> Shown:
    """Sends only the text up to the cursor, without marks and suffix."""
    before, _ = await _fitted(_plain_prefix(task), "", engine)
    return await _plain(task, [_text("before", before)], engine)


async def prefix_as_is(task: Task, engine: Engine) -> Shown:
    """Sends all text up to the cursor, with its trailing blanks and line ends, as most tools do."""
    before, _ = await _fitted(task.prefix, "", engine)
    lines = task.expected.count("\n") + 1
    answer = await _generate(engine, [_text("before", before)], lines)
    return _shown("\n".join(answer.text.split("\n")[:lines]), answer)


async def suffix_first_plain(task: Task, engine: Engine) -> Shown:
    """Sends the text after the cursor, then a blank line and the text before it, without marks."""
    before, after = await _fitted(_plain_prefix(task), task.suffix, engine)
    parts = [_text("suffix", after), _text("gap", "\n\n"), _text("before", before)]
    return await _plain(task, parts, engine)


async def llama_vim(task: Task, engine: Engine) -> Shown:
    """Sends llama.vim's window in the prefix-first form, and applies llama.vim's rules for showing.

    Leaves out llama.vim's time limits and its chunks of other files. Decodes greedily, like all
    strategies.
    """
    before, at_line, after = _llama_vim_window(task)
    kept_before, kept_after = await _fitted(before, after, engine)
    parts = [
        _mark("fim_prefix"),
        _text("before", kept_before),
        _text("line", at_line),
        _mark("fim_suffix"),
        _text("suffix", kept_after),
        _mark("fim_middle"),
    ]
    answer = await _generate(engine, parts)
    return _shown(llama_vim_shows(answer.text, task), answer)


STRATEGIES: dict[str, Strategy] = {
    "ours": ours,
    "as-typed": as_typed,
    "one-file": one_file,
    "prefix-only": prefix_only,
    "prefix-as-is": prefix_as_is,
    "llama.vim": llama_vim,
    "suffix-first-plain": suffix_first_plain,
}


def _plain_prefix(task: Task) -> str:
    """Gives the text before the cursor; in a blank line, only up to the last visible text.

    Models continue plain text badly after blanks or a line end, since a single token may cover both
    the blanks and the text after them. So tools that send plain text leave the blanks to the
    answer.
    """
    return task.prefix.rstrip() if _in_blank_line(task) else task.prefix


async def _plain(task: Task, parts: list[Part], engine: Engine) -> Shown:
    lines = task.expected.count("\n") + 1
    if not _in_blank_line(task):
        answer = await _generate(engine, parts, lines)
        return _shown("\n".join(answer.text.split("\n")[:lines]), answer)
    answer = await _generate(engine, parts, lines, blank_first=True)
    text = "\n".join(answer.text.lstrip("\n").split("\n")[:lines])
    return _shown(text.removeprefix(_line_prefix(task)), answer)


def _line_prefix(task: Task) -> str:
    return task.prefix.rpartition("\n")[2]


def _in_blank_line(task: Task) -> bool:
    return not (_line_prefix(task) + task.suffix.partition("\n")[0]).strip()


def _llama_vim_window(task: Task) -> tuple[str, str, str]:
    *above, at_line = task.prefix.split("\n")
    rest, *below = task.suffix.split("\n")
    if _in_blank_line(task):
        at_line = rest = ""  # llama.vim then asks from the line's start
    before = "".join(f"{line}\n" for line in above[-LLAMA_VIM_BEFORE:])
    after = "".join(f"{line}\n" for line in [rest, *below[:LLAMA_VIM_AFTER]])
    return before, at_line, after


def llama_vim_shows(text: str, task: Task) -> str:
    """Gives the part of an answer that llama.vim shows; "" if it only repeats the lines below."""
    content = text.rstrip("\n").split("\n")
    line_prefix = _line_prefix(task)
    rest, *below = task.suffix.split("\n")
    if _in_blank_line(task):
        lead = len(content[0]) - len(content[0].lstrip())
        content[0] = content[0][min(lead, len(line_prefix)) :]
    if len(content) > 1 and content[0] == "" and content[1:] == below[: len(content) - 1]:
        return ""
    if content == [rest]:
        return ""
    while len(below) > 1 and not below[0].strip():
        below = below[1:]
    if below and line_prefix + content[0] == below[0] and _repeats(content[1:], below[1:]):
        return ""
    return "\n".join(content)


def _repeats(more: list[str], below: list[str]) -> bool:
    """Whether the lines `below` begin with the lines `more`.

    If `more` is a single line, the first line of `below` need only begin with that line.
    """
    if len(more) == 1:
        return bool(below) and below[0].startswith(more[0])
    return more == below[: len(more)]


async def _generate(
    engine: Engine, parts: list[Part], lines: int | None = None, *, blank_first: bool = False
) -> Answer:
    """Generates up to an end token, `MAX_TOKENS`, or the end of `lines` lines.

    With `blank_first`, line ends before the first text do not count.
    """
    prompt = Prompt("raw", (_mark("bos"), *(part for part in parts if part.special or part.text)))
    generation = engine.generate(prompt, Decoding(MAX_TOKENS))
    tokens: list[Token] = []
    text = ""
    async for token in generation:
        tokens.append(token)
        text += token.text
        counted = text.lstrip("\n") if blank_first else text
        if lines is not None and counted.count("\n") >= lines:
            break
    generation.stop()
    return Answer(tuple(tokens), complete=True)


async def _fitted(before: str, after: str, engine: Engine) -> tuple[str, str]:
    """Cuts the texts before and after the cursor to the nearest lines that fit into the window."""
    model = await engine.ready()
    room = model.window - MAX_TOKENS - RESERVED_TOKENS
    behind = after.splitlines(keepends=True)
    kept_after = await _fit(behind, int(room * SUFFIX_SHARE), engine)
    left = room - sum(await engine.count(kept_after))
    kept_before = await _fit(before.splitlines(keepends=True)[::-1], left, engine)
    return "".join(kept_before[::-1]), "".join(kept_after)


async def _fit(lines: list[str], room: int, engine: Engine) -> list[str]:
    for number, tokens in enumerate(await engine.count(lines)):
        room -= tokens
        if room < 0:
            return lines[:number]
    return lines


def _shown(text: str, answer: Answer) -> Shown:
    if not text.strip():
        return Shown("")
    return Shown(text, 0, confidence(answer, answer.text.index(text) + len(text)))


def _mark(name: str) -> Part:
    return Part("mark", special=name)


def _text(label: str, text: str) -> Part:
    """Makes a part without token healing, since other tools do none.

    Only parts with the label "prefix" are healed.
    """
    return Part(label, text=text)
