"""Every language known, found by an editor's language id or by a file's name."""

from __future__ import annotations

from pathlib import PurePath

from mistral_lsp.languages import javascript, python, tsx, typescript
from mistral_lsp.languages.base import PLAIN, Language

LANGUAGES = (python.LANGUAGE, javascript.LANGUAGE, typescript.LANGUAGE, tsx.LANGUAGE)

_BY_ID = {name: language for language in LANGUAGES for name in language.ids}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}


def find(language_id: str, path: str = "") -> Language:
    """The language with this id, else of this file name, else the one without a grammar."""
    by_name = _BY_SUFFIX.get(PurePath(path).suffix.lower(), PLAIN)
    return _BY_ID.get(language_id, by_name)
