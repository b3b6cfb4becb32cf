"""Parses URIs, so that all spellings of a document's URI give the same result."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

PARTS = re.compile(
    r"(?:([a-z][a-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?",
    re.IGNORECASE | re.DOTALL,
)
"""Matches any text, and splits it as in RFC 3986, appendix B. The standard library's parser raises
an exception for some texts.
"""
SURROGATES = re.compile("[\ud800-\udfff]")


class Uri(NamedTuple):
    """The unescaped parts of a URI. They are equal for all spellings of one document's URI."""

    scheme: str
    authority: str
    path: str
    query: str = ""
    fragment: str = ""

    @property
    def file(self) -> str:
        """The path, if the URI is that of a file on this machine, or ""."""
        is_file = self.scheme == "file" and not self.authority and self.path.startswith("/")
        return "" if not is_file or "\0" in self.path else self.path


@lru_cache(maxsize=256)
def parse(uri: str) -> Uri:
    """Splits a URI into its parts. For a text that is not a URI, gives only a path."""
    found = PARTS.fullmatch(SURROGATES.sub("\ufffd", uri))
    assert found is not None
    scheme, authority, path, query, fragment = (unquote(part or "") for part in found.groups())
    scheme, authority = scheme.lower(), authority.lower()
    if scheme == "file" and authority == "localhost":
        authority = ""
    if path.startswith("/"):
        path = "/" + posixpath.normpath(path).lstrip("/")
    return Uri(scheme, authority, path, query, fragment)
