"""The modes in which the latency bench types, and what it measures in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.support.subjects import Answer, Subject, Work, cpu_seconds, peak_mb
from bench.support.typist import Document, Place, rhythm

PATIENCE_SECONDS = 120.0
LONGEST_REPLAY = 400
"""The most steps in the mode `accept` at one place. More would mean an endless loop."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A keystroke, or an acceptance of a suggestion. `answer` is None if the next key came first.

    `evaluated` is the number of prompt tokens that were evaluated for it, or None if unknown.
    """

    answer: Answer | None
    evaluated: int | None = None


@dataclass
class Run:
    """What was measured with one subject in one mode. Memory is in MB, by process."""

    subject: str
    mode: str
    begun: float = field(default_factory=time.perf_counter)
    samples: list[Sample] = field(default_factory=list)
    more_samples: list[Sample] = field(default_factory=list)
    """Samples from additional lines, typed only with subjects that have `goes_on`."""
    cold_ms: list[float] = field(default_factory=list)
    start_to_first_ms: float | None = None
    work: Work = field(default_factory=Work)
    cpu_seconds: float = 0.0
    accepted_characters: int = 0
    typed_characters: int = 0
    peak_mb: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def replay(
    subject: Subject,
    mode: str,
    places: Sequence[Place],
    keys: int,
    on_place: Callable[[], None] = lambda: None,
    lines: int = 1,
    more: int = 0,
) -> Run:
    """Starts a subject and types `lines` lines at every place.

    `keys` is the number of characters to type in the first line; 0 means all of them. With a
    subject that has `goes_on`, types `more` further lines, and keeps only their samples.
    """
    run = Run(subject.name, mode)
    subject.start()
    try:
        type_at(subject, run, places, keys, on_place, lines, more)
        run.peak_mb = {part: peak_mb(process) for part, process in subject.processes().items()}
        run.facts = subject.facts()
    finally:
        subject.stop()
    return run


def type_at(
    subject: Subject,
    run: Run,
    places: Sequence[Place],
    keys: int = 0,
    on_place: Callable[[], None] = lambda: None,
    lines: int = 1,
    more: int = 0,
) -> None:
    """Types at every place with a running subject. Fills in all of `run` but memory and facts."""
    for place in places:
        document = Document.at(place, keys, lines, more)
        _open_cold(subject, document, run)
        work, cpu = subject.work(), _cpu_seconds(subject)
        MODES[run.mode](subject, document, run)
        subject.settle()
        run.work = run.work.plus(subject.work(), work)
        run.cpu_seconds += _cpu_seconds(subject) - cpu
        if more and subject.goes_on:
            run.more_samples += _go_on(subject, run.mode, document)
        on_place()


def _go_on(subject: Subject, mode: str, document: Document) -> list[Sample]:
    document.go_on()
    further = Run(subject.name, mode)
    MODES[mode](subject, document, further)
    return further.samples


def _cpu_seconds(subject: Subject) -> float:
    return sum(map(cpu_seconds, subject.processes().values()))


def _open_cold(subject: Subject, document: Document, run: Run) -> None:
    """Opens a document, and sends the first request, which reads the window.

    The request's time goes into `cold_ms`, not into the samples.
    """
    subject.open(document)
    answer = _ask_and_wait(subject, document)
    run.cold_ms.append(answer.full_ms)
    if run.start_to_first_ms is None and answer.text:
        run.start_to_first_ms = (time.perf_counter() - run.begun) * 1000
    subject.settle()
    subject.look()


def _ask_and_wait(subject: Subject, document: Document) -> Answer:
    """Sends a request and waits for the whole answer. Raises TimeoutError if none comes."""
    subject.ask(document)
    answer = subject.wait(time.perf_counter() + PATIENCE_SECONDS)
    if answer is None:
        raise TimeoutError(f"{subject.name} did not answer within {PATIENCE_SECONDS:.0f} s")
    return answer


def _change(subject: Subject, document: Document, text: str = "", deleted: int = 0) -> None:
    """Types text or deletes characters at the cursor."""
    edit = document.deleted(deleted) if deleted else document.typed(text)
    subject.edit(document, edit)
    document.apply(edit)


def closed_loop(subject: Subject, document: Document, run: Run) -> None:
    """Types a character, waits for its answer, and types the next character."""
    evaluated = subject.work().evaluated
    while key := document.next_key():
        _change(subject, document, key)
        answer = _ask_and_wait(subject, document)
        subject.settle()
        now = subject.work().evaluated
        run.samples.append(Sample(answer, now - evaluated))
        evaluated = now


def human_pace(subject: Subject, document: Document, run: Run) -> None:
    """Types at a person's rhythm. A key that comes before the answer cancels the request."""
    keys = rhythm(seed=document.place)
    due = time.perf_counter() + next(keys)
    overtaken = False
    while key := document.next_key():
        subject.rest(due)
        # In the order of editors: the change, the cancel of the earlier request, the next request.
        _change(subject, document, key)
        if overtaken:
            subject.cancel()
        subject.ask(document)
        due += next(keys)
        answer = subject.wait(due)
        overtaken = answer is None
        run.samples.append(Sample(answer))
    if overtaken:
        subject.cancel()


def accept_and_go_on(subject: Subject, document: Document, run: Run) -> None:
    """Accepts the correct beginning of each suggestion; if there is none, types a character.

    Alternately accepts the whole beginning and only its first word. After every third acceptance,
    deletes two characters, which are then typed or accepted again.
    """
    accepted = 0
    for _ in range(LONGEST_REPLAY):
        if not document.left:
            return
        answer = _ask_and_wait(subject, document)
        run.samples.append(Sample(answer))
        right = _right_part(answer.text, document.left)
        if not right:
            _change(subject, document, document.left[0])
            run.typed_characters += 1
            continue
        accepted += 1
        piece = right if accepted % 2 else _first_word(right)
        _change(subject, document, piece)
        run.accepted_characters += len(piece)
        if accepted % 3 == 0 and len(piece) > 2:
            _change(subject, document, deleted=2)


def _right_part(text: str, left: str) -> str:
    """Gives the common prefix of `left` and the first line of `text`, in whole words."""
    line = text.split("\n")[0]
    same = 0
    while same < min(len(line), len(left)) and line[same] == left[same]:
        same += 1
    if same == len(line):
        return line
    while same and _in_word(line[same - 1]) and _in_word(line[same]):
        same -= 1
    return line[:same]


def _first_word(text: str) -> str:
    """Gives a suggestion up to the end of its first word, as editors do when accepting by word."""
    end = 0
    while end < len(text) and not _in_word(text[end]):
        end += 1
    while end < len(text) and _in_word(text[end]):
        end += 1
    return text[:end]


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


MODES: dict[str, Callable[[Subject, Document, Run], None]] = {
    "closed": closed_loop,
    "human": human_pace,
    "accept": accept_and_go_on,
}
