"""The servers in the settings, and whether code and key may be sent to them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import msgspec

from mistral_lsp.config import Settings
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import EngineError

_VERSION = re.compile(r"api-version=[\w.-]{1,40}", re.ASCII)
"""The only query that an address may have; Azure wants it in every request."""


class Wanted(msgspec.Struct, frozen=True):
    """The servers' addresses, dialect and model. With `window` 0, the model sets the window."""

    urls: tuple[str, ...]
    dialect: str
    model: str
    window: int

    @classmethod
    def of(cls, settings: Settings) -> Wanted:
        """Gives the servers' part of the settings."""
        return cls(
            tuple(dict.fromkeys(settings.http_url.split())) or ("",),
            settings.http_dialect,
            settings.http_model.strip(),
            settings.window,
        )

    def without_wishes(self) -> Wanted:
        """Gives the same object: every changed setting needs a new engine."""
        return self


def address_of(url: str) -> str:
    """Gives the base address of a server. Raises EngineError for an unusable or unsafe URL."""
    if not url:
        raise EngineError(
            "The engine http has no server. Set mistralLsp.httpUrl to its address, "
            "for example http://localhost:8080."
        )
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EngineError(
            f"mistralLsp.httpUrl is {shown(url)!r}, which is no address of a server. "
            "Write it like https://example.com or http://localhost:8080."
        )
    if "@" in url or parts.fragment or not _may_be_asked(parts.query):
        raise EngineError(
            "mistralLsp.httpUrl must hold no name, password, ? or #, apart from Azure's "
            "?api-version. Put the key into the environment variable MISTRAL_LSP_API_KEY."
        )
    if parts.scheme == "http" and not is_here(parts.hostname):
        raise EngineError(
            f"mistralLsp.httpUrl is {url}: your code would go there for everybody on the way to "
            f"read. Use https, or a tunnel: ssh -L 8080:localhost:{parts.port or 80} "
            f"{parts.hostname}, and set it to http://localhost:8080."
        )
    path = parts.path.rstrip("/") if parts.query else _root(parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}"


def version_of(url: str) -> str:
    """Gives the query of an Azure address, like "api-version=2024-10-21"; "" for other servers."""
    return _split(url).query


def _may_be_asked(query: str) -> bool:
    return not query or bool(_VERSION.fullmatch(query))


def shown(url: str) -> str:
    """Gives a URL without its possible secrets: name, password, and all after ? or #."""
    address, *rest = re.split("[?#]", url, maxsplit=1)
    if "@" in "".join(rest):  # the password may begin before the ? or #
        return one_line(_scheme(url) + "…")
    return one_line(_scheme(url) + address[len(_scheme(url)) :].rpartition("@")[2])


def _scheme(url: str) -> str:
    found = re.match(r"\w*://", url)
    return found[0] if found else ""


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise EngineError(
            f"mistralLsp.httpUrl is {shown(url)!r}, which is no address of a server."
        ) from error
    return parts


def _root(path: str) -> str:
    """Gives the path without the /v1 that users may add, as other programs require it."""
    return path.rstrip("/").removesuffix("/v1")


def is_here(host: str) -> bool:
    """Whether a host name is this machine's; decided without a name look-up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
