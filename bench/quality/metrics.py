"""Judges suggestions by the expected text, and summarises the judgements."""

from __future__ import annotations

import importlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import tree_sitter
from rapidfuzz.distance import Levenshtein

from bench.quality import sandbox
from bench.quality.sets import Task
from bench.quality.strategies import Shown
from mistral_lsp import languages

SHORTEST_ECHO = 4
"""Repeating a line of fewer characters is no echo: lines such as `)` often recur in good code."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts on a suggestion.

    `passed` is None if the task has no test, and `valid` is None if nothing was shown.
    """

    shown: bool
    exact: bool
    similarity: float
    first_line: bool
    passed: bool | None
    valid: bool | None
    echo: bool
    confidence: float | None

    @property
    def right(self) -> bool:
        """Whether the test passes. Without a test: whether the text is exactly the expected one."""
        return self.exact if self.passed is None else self.passed


def judge(task: Task, shown: Shown) -> Judgement:
    """Judges a suggestion. An empty suggestion fails, even if the test passes without any text."""
    written = middle(task, shown)
    offered = bool(shown.text.strip())
    completed = task.prefix + shown.text + task.suffix[shown.replaced :]
    passed = offered and sandbox.passes(f"{completed}\n{task.test}") if task.test else None
    return Judgement(
        shown=offered,
        exact=written.rstrip() == task.expected.rstrip(),
        similarity=Levenshtein.normalized_similarity(written.rstrip(), task.expected.rstrip()),
        first_line=_through_first_line(written) == _through_first_line(task.expected),
        passed=passed,
        valid=_is_valid(task, completed) if offered else None,
        echo=_echoes(task, written) and not _echoes(task, task.expected),
        confidence=shown.confidence if offered else None,
    )


def middle(task: Task, shown: Shown) -> str:
    """Gives the shown text. Removes the replaced characters if the text ends with them."""
    return shown.text.removesuffix(task.suffix[: shown.replaced])


def _through_first_line(text: str) -> str:
    """Gives the text up to the end of the first line that is not blank."""
    lead = len(text) - len(text.lstrip())
    return text[:lead] + text[lead:].partition("\n")[0].rstrip()


def _is_valid(task: Task, completed: str) -> bool:
    """Whether the suggestion causes no syntax errors in the completed file.

    The file may have as many errors as the correct file or the file with an empty gap, whichever
    has fewer. So a suggestion must not break a sound file. If the expected text repairs a broken
    file, the suggestion must repair it, too.
    """
    right = task.prefix + task.expected + task.suffix
    found = _errors(task.language, completed)
    return not found or found <= min(
        _errors(task.language, right), _errors(task.language, task.file)
    )


def _errors(language: str, text: str) -> int:
    """Counts the error nodes and the missing tokens in the text's syntax tree."""
    nodes = [_parser(language).parse(text.encode("utf-8", "replace")).root_node]
    count = 0
    while nodes:
        node = nodes.pop()
        count += node.is_error or node.is_missing
        nodes += [child for child in node.children if child.has_error]
    return count


@cache
def _parser(language: str) -> tree_sitter.Parser:
    module, function = languages.find(language).grammar.split(":")
    grammar = getattr(importlib.import_module(module), function)
    return tree_sitter.Parser(tree_sitter.Language(grammar()))


def _echoes(task: Task, written: str) -> bool:
    """Whether `written` repeats the text after the gap.

    If there is text in the gap's line after the gap: whether `written` ends with that text.
    Otherwise: whether a line of `written` equals the next line that is not blank.
    """
    rest, _, below = task.suffix.partition("\n")
    if rest.strip():
        return written.rstrip().endswith(rest.strip())
    following = next((line.strip() for line in below.splitlines() if line.strip()), "")
    if len(following) < SHORTEST_ECHO:
        return False
    first, *others = written.splitlines() or [""]
    whole = task.prefix.rpartition("\n")[2] + first
    return following in (line.strip() for line in [whole, *others])


def auroc(right: Iterable[float], wrong: Iterable[float]) -> float | None:
    """Gives the area under the ROC curve, with confidence as a sign of right answers.

    Of all pairs of a right and a wrong answer, it is the share in which the right answer has the
    higher confidence. Ties count half. None if there are no pairs.
    """
    lower = sorted(wrong)
    places = [bisect_left(lower, one) + bisect_right(lower, one) for one in right]
    if not places or not lower:
        return None
    return sum(places) / 2 / len(places) / len(lower)


def summarise(judgements: Sequence[Judgement]) -> dict[str, float | None]:
    """Gives the quality columns in percent. A column without any verdicts is None.

    The columns from `valid` on are computed from the shown suggestions, `passed` from the tasks
    with a test, and the others from all tasks.
    """
    shown = [one for one in judgements if one.shown]
    right = [one.confidence for one in shown if one.right and one.confidence is not None]
    wrong = [one.confidence for one in shown if not one.right and one.confidence is not None]
    columns = {
        "shown": mean([one.shown for one in judgements]),
        "exact": mean([one.exact for one in judgements]),
        "similarity": mean([one.similarity for one in judgements]),
        "first_line": mean([one.first_line for one in judgements]),
        "passed": mean([one.passed for one in judgements if one.passed is not None]),
        "valid": mean([one.valid for one in shown if one.valid is not None]),
        "echo": mean([one.echo for one in shown]),
        "confidence_right": mean(right),
        "confidence_wrong": mean(wrong),
        "auroc": auroc(right, wrong),
    }
    return {
        name: None if value is None else round(100 * value, 2) for name, value in columns.items()
    }


def at_gate(judgements: Sequence[Judgement], least: float) -> dict[str, float | None]:
    """Gives the effect of the confidence threshold `least` on the shown suggestions, in percent.

    `kept` is the share that reaches the threshold. `right` is the share of right suggestions among
    all, and `right_of_kept` among those that reach it.
    """
    sure = [one for one in judgements if one.shown and one.confidence is not None]
    kept = [one for one in sure if (one.confidence or 0.0) >= least]
    shares = {
        "kept": len(kept) / len(sure) if sure else None,
        "right": mean([one.right for one in sure]),
        "right_of_kept": mean([one.right for one in kept]),
    }
    return {
        name: None if value is None else round(100 * value, 2) for name, value in shares.items()
    }


def mean(values: Sequence[float]) -> float | None:
    """Gives the mean, or None if there are no values."""
    return sum(values) / len(values) if values else None
