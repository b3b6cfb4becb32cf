"""Keeps one line, or where that line opens a block, the lines up to the block's end."""

from __future__ import annotations

from mistral_lsp.postprocess.base import Situation, Suggestion, indentation


def limit_lines(suggestion: Suggestion, situation: Situation) -> Suggestion:
    """Cuts what goes on behind the line or the block."""
    end = _end(suggestion.text, situation)
    return suggestion if end is None else Suggestion(suggestion.text[:end], suggestion.replaced)


def is_over(text: str, situation: Situation) -> bool:
    """Whether an answer that still grows has all that will be kept."""
    return _end(text, situation) is not None


def _end(text: str, situation: Situation) -> int | None:
    """Where to cut, or None while the answer may go on."""
    lines = text.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not lines[first].endswith(("\n", "\r")):
        return None
    end = sum(map(len, lines[: first + 1]))
    base = _base(lines[first], first > 0, situation)
    if base is None:
        return end
    for line in lines[first + 1 :]:
        if _leaves(line, base):
            if situation.closes_by_indentation or not _closes(line, base):
                return end
            # The closing line is wanted whole.
            return end + len(line) if line.endswith(("\n", "\r")) else None
        end += len(line)
    return None


def _base(line: str, on_new_line: bool, situation: Situation) -> int | None:
    """The indentation at which the block is over, or None where only the line is wanted."""
    if situation.multiline == "never":
        return None
    whole = line if on_new_line else situation.line_prefix + line
    if _opens(whole, situation):
        return indentation(whole)
    if on_new_line and _opens(situation.line_prefix, situation):
        return indentation(situation.line_prefix)
    return indentation(whole) - 1 if situation.multiline == "always" else None


def _opens(line: str, situation: Situation) -> bool:
    return any(line.rstrip().endswith(opener) for opener in situation.opens_block)


def _leaves(line: str, base: int) -> bool:
    # A line that is still being written shows by its first character how far it is indented.
    return bool(line.strip()) and indentation(line) <= base


def _closes(line: str, base: int) -> bool:
    """Whether the line that ends a block belongs to it: it is its closing bracket."""
    return indentation(line) == base and line.lstrip().startswith(("}", ")", "]"))
