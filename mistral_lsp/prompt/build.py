"""Builds a prompt: fills the model's fill-in form with the texts of a plan."""

from __future__ import annotations

from mistral_lsp.document import Snapshot
from mistral_lsp.models.forms import FORMS, SPACED, UNPARTED, WRITTEN
from mistral_lsp.prompt.secrets import blot
from mistral_lsp.prompt.view import blot_file, see_around, style
from mistral_lsp.prompt.window import Plan
from mistral_lsp.types import Part, Prompt

FILE_MARK = "file_sep"
INSTRUCTION = " Below is how a file goes on. Write what stands in front of that, nothing else.\n\n"
WHY = {
    "instruction": "says what to do, to a model that was taught to be told",
    "related": "other files: where the user has been, and what defines the names around the cursor",
    "path": "names the file and so the language",
    "suffix": "the text behind the cursor, frozen while the user types before it",
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
        texts[first] = f" {texts[first]}"
    parts = []
    for slot in FORMS[form]:
        if slot == "related":
            parts += _related(plan, marked=form not in UNPARTED)
        elif slot.startswith("<"):
            name = slot[1:-1]
            parts.append(Part(label="mark", text=WRITTEN.get(name, ""), special=name))
        elif texts[slot]:
            parts.append(Part(label=slot, text=texts[slot], why=WHY[slot]))
    return Prompt(form, tuple(parts), snapshot.path)


def _related(plan: Plan, marked: bool) -> list[Part]:
    parts = []
    for excerpt in plan.related:
        if marked:
            parts.append(Part(label="mark", special=FILE_MARK))
        text = f"{excerpt.path}\n{blot_file(excerpt.path, excerpt.text)}\n"
        parts.append(Part(label="related", text=text, why=WHY["related"]))
    return parts
