"""Reads .case files: each describes one behaviour as data.

A file begins with a sentence that states the behaviour. Sections `-- name --` follow: the edited
file, maybe a settings.json and other files of the workspace, and the expected results (goldens),
whose names begin with @.

In the edited file, `║` is the cursor, or `├ ┤` encloses the text that the model writes there. In a
golden, `╣` ends the text that the answer replaces.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from mistral_lsp import config, languages
from mistral_lsp.config import Settings
from mistral_lsp.context.definitions import read_definitions
from mistral_lsp.context.index import Index
from mistral_lsp.document import Document, Snapshot
from mistral_lsp.syntax import trees
from mistral_lsp.types import Trigger

SECTION = re.compile(r"^-- (.+?) --\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One behaviour: the edited file, the model's text, and the goldens by name."""

    path: Path
    sentence: str
    sections: dict[str, str]
    snapshot: Snapshot
    offset: int
    model_writes: str
    settings: Settings
    trigger: Trigger

    @property
    def goldens(self) -> dict[str, str]:
        return {name: text for name, text in self.sections.items() if name.startswith("@")}

    def index(self) -> Index:
        """Indexes the definitions in the case's other files."""
        index = Index()
        for name, text in self.sections.items():
            tree = trees.parse(languages.find("", name), text)
            if name != self.snapshot.path and tree is not None:
                index.put(read_definitions(name, text, tree))
        return index


def read_case(path: Path) -> Case:
    head, *rest = SECTION.split(path.read_text(encoding="utf-8"))
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    sentence = " ".join(head.split())
    assert sentence.endswith("."), f"{path}: the first line is a sentence"
    assert len(sections) == len(rest) // 2, f"{path}: every section has its own name"
    name = next(name for name in sections if not name.startswith(("@", "settings.json")))
    text, offset, writes = _read_marks(sections[name], path)
    raw = json.loads(sections.get("settings.json", "{}"))
    trigger: Trigger = "invoked" if raw.pop("trigger", "") == "invoked" else "automatic"
    settings, problems = config.read(raw, Settings())
    assert not problems, problems
    document = Document(f"file:///{name}", name, languages.find("", name), 1, text)
    return Case(path, sentence, sections, document.snapshot(), offset, writes, settings, trigger)


def _read_marks(text: str, path: Path) -> tuple[str, int, str]:
    if "║" in text:
        before, after = text.split("║")
        return before + after, len(before), ""
    assert text.count("├") == text.count("┤") == 1, f"{path}: one ║, or one ├ and one ┤"
    before, rest = text.split("├")
    writes, after = rest.split("┤")
    return before + after, len(before), writes


def rewrite(case: Case, goldens: dict[str, str]) -> None:
    """Rewrites the case's file with these goldens; keeps everything else."""
    parts = [case.sentence, ""]
    for name, text in {**case.sections, **goldens}.items():
        parts.append(f"-- {name} --\n{text}".removesuffix("\n"))
    case.path.write_text("\n".join(parts) + "\n", encoding="utf-8")
