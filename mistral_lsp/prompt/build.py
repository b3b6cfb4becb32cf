"""Builds a prompt: fills the model's form with the texts of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mistral_lsp.document import Snapshot
from mistral_lsp.models.chats import CHATS, WRITTEN_OUT, is_mark, pieces
from mistral_lsp.models.defuse import defused
from mistral_lsp.models.forms import FORMS, PREFIX_FIRST, SPACED, UNPARTED, WRITTEN
from mistral_lsp.models.marks import MARKS
from mistral_lsp.prompt.secrets import blot
from mistral_lsp.prompt.view import blot_file, see_around, style
from mistral_lsp.prompt.window import Plan
from mistral_lsp.types import Part, Prompt

FILE_MARK = "file_sep"
REPOSITORY_MARK = "repo_name"
LONGEST_REPOSITORY = 60
"""Maximum number of characters of a project's name. A longer one is left out."""
LEAST_DEPTH = 3
"""Minimum depth of a project's folder. One nearer to the root may be named after its user."""
INSTRUCTION = "Below is how a file goes on. Write what stands in front of that, nothing else.\n\n"
WHY = {
    "repository": "names the project, to a model that was taught several files of one at once",
    "opening": "says that a user's message begins",
    "instruction": "says what to do, to a model that was taught to be told",
    "related": "other files: where the user has been, and what defines the names around the cursor",
    "path": "names the file and so the language",
    "suffix": "the text behind the cursor, frozen while the user types before it",
    "closing": "says that the message ends, and the model's answer begins",
    "introduction": "signatures around the place where the window starts",
    "prefix": "the text before the cursor, from where the window starts",
    "gap": "parts the suffix from the prefix, for a model without marks",
}


def build(form: str, plan: Plan, snapshot: Snapshot, offset: int, untyped: str = "") -> Prompt:
    """Builds the prompt for a cursor at `offset`, as if the user had typed `untyped` there.

    Secrets are blotted out of every text.
    """
    prefix, suffix = see_around(snapshot, plan.anchor, offset, untyped, plan.suffix)
    introduction = blot(plan.introduction, style(snapshot.path, snapshot.language))
    texts = {
        "instruction": INSTRUCTION,
        "path": f"{snapshot.path}\n",
        "suffix": suffix,
        "introduction": introduction,
        # The line end belongs to the prefix: one token may span it and the next line's blanks.
        "prefix": f"\n{prefix}" if plan.introduction else prefix,
        "gap": "\n\n",
    }
    if form in SPACED:
        first = "introduction" if plan.introduction else "prefix"
        texts |= {slot: f" {texts[slot]}" for slot in ("instruction", first)}
    chat = CHATS.get(form)
    filled = {
        "repository": _repository(snapshot),
        "related": _related(plan, marked=form not in UNPARTED),
        "opening": _around("opening", chat.opening) if chat else [],
        "closing": _around("closing", chat.end + chat.answer) if chat else [],
    }
    parts: list[Part] = []
    for slot in _slots(form, plan):
        if slot == "closing" and chat and chat.trims:
            parts = _trimmed(parts)
        if slot in filled:
            parts += filled[slot]
        elif slot.startswith("<"):
            name = slot[1:-1]
            parts.append(Part(label="mark", text=WRITTEN.get(name, ""), special=name))
        elif texts[slot]:
            parts.append(Part(label=slot, text=texts[slot], why=WHY[slot]))
    if form in WRITTEN_OUT:
        parts = [_defused(part) for part in parts]
    return Prompt(form, tuple(parts), snapshot.path)


def _slots(form: str, plan: Plan) -> Sequence[str]:
    return PREFIX_FIRST if form == "repository" and not plan.related else FORMS[form]


def _repository(snapshot: Snapshot) -> list[Part]:
    """Gives the name of the workspace folder around a file, if that is known and harmless."""
    folder = snapshot.file.removesuffix(f"/{snapshot.path}")
    name = folder.rpartition("/")[2]
    if folder == snapshot.file or folder.count("/") < LEAST_DEPTH:
        return []
    if not 0 < len(name) <= LONGEST_REPOSITORY or blot(name) != name or not name.isprintable():
        return []
    return [
        Part(label="mark", special=REPOSITORY_MARK),
        Part(label="repository", text=f"{name}\n", why=WHY["repository"]),
    ]


def _related(plan: Plan, marked: bool) -> list[Part]:
    parts = []
    for excerpt in plan.related:
        if marked:
            parts.append(Part(label="mark", special=FILE_MARK))
        text = f"{excerpt.path}\n{blot_file(excerpt.path, excerpt.text)}\n"
        parts.append(Part(label="related", text=text, why=WHY["related"]))
    return parts


def _around(slot: str, text: str) -> list[Part]:
    """Gives the marks and texts that a chat form has before or after a message."""
    parts = []
    for piece in pieces(text):
        if is_mark(piece):
            name = MARKS.get(piece, "eos")
            written = WRITTEN[name] if name == "eos" else piece
            parts.append(Part(label="mark", text=written, special=name))
        else:
            parts.append(Part(label=slot, text=piece, why=WHY[slot]))
    return parts


def _defused(part: Part) -> Part:
    """Splits marks in the user's text, if the form's own marks are plain text as well."""
    is_own = part.label in ("mark", "opening", "closing")
    return part if is_own else replace(part, text=defused(part.text))


def _trimmed(parts: Sequence[Part]) -> list[Part]:
    """Gives the parts without the blanks at their end."""
    *before, last = parts
    text = last.text.rstrip()
    return [*before, replace(last, text=text)] if text else _trimmed(before)
