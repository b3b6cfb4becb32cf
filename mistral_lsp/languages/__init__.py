"""All known languages, and the search for one by an editor's language id or a file's name."""

from __future__ import annotations

from pathlib import PurePath

from mistral_lsp.languages import (
    bash,
    c,
    cpp,
    csharp,
    css,
    go,
    html,
    java,
    javascript,
    json,
    kotlin,
    lua,
    markdown,
    php,
    python,
    ruby,
    rust,
    sql,
    toml,
    tsx,
    typescript,
    yaml,
)
from mistral_lsp.languages.base import PLAIN, Language

LANGUAGES = (
    python.LANGUAGE,
    javascript.LANGUAGE,
    typescript.LANGUAGE,
    tsx.LANGUAGE,
    go.LANGUAGE,
    rust.LANGUAGE,
    java.LANGUAGE,
    kotlin.LANGUAGE,
    c.LANGUAGE,
    cpp.LANGUAGE,
    csharp.LANGUAGE,
    php.LANGUAGE,
    ruby.LANGUAGE,
    lua.LANGUAGE,
    bash.LANGUAGE,
    sql.LANGUAGE,
    html.LANGUAGE,
    css.LANGUAGE,
    json.LANGUAGE,
    yaml.LANGUAGE,
    toml.LANGUAGE,
    markdown.LANGUAGE,
)

_BY_ID = {key: language for language in LANGUAGES for key in language.ids}
_BY_NAME = {name: language for language in LANGUAGES for name in language.names}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}


def find(language_id: str, path: str = "") -> Language:
    """Finds a language by its id, or else by the file's name or suffix.

    Gives PLAIN if none is found.
    """
    file = PurePath(path)
    by_suffix = _BY_SUFFIX.get(file.suffix.lower(), PLAIN)
    return _BY_ID.get(language_id, _BY_NAME.get(file.name, by_suffix))
