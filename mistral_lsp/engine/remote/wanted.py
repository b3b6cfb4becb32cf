"""Which servers the settings name, and whether code and key may go there."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import msgspec

from mistral_lsp.config import Settings
from mistral_lsp.text.shown import one_line
from mistral_lsp.types import EngineError


class Wanted(msgspec.Struct, frozen=True):
    """Servers that have the same model, how to talk to them, and the model; `window` 0 takes what
    suits it.
    """

    urls: tuple[str, ...]
    dialect: str
    model: str
    window: int

    @classmethod
    def of(cls, settings: Settings) -> Wanted:
        """What the settings ask for."""
        return cls(
            tuple(dict.fromkeys(settings.http_url.split())) or ("",),
            settings.http_dialect,
            settings.http_model.strip(),
            settings.window,
        )

    def without_wishes(self) -> Wanted:
        """The same: a server is not ours to be told how long to live."""
        return self


def address_of(url: str) -> str:
    """The address that paths are put behind. Raises EngineError for a URL that won't do."""
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
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EngineError(
            "mistralLsp.httpUrl must hold no name, password, ? or #. Put the key into the "
            "environment variable MISTRAL_LSP_API_KEY."
        )
    if parts.scheme == "http" and not is_here(parts.hostname):
        raise EngineError(
            f"mistralLsp.httpUrl is {url}: your code would go there for everybody on the way to "
            f"read. Use https, or a tunnel: ssh -L 8080:localhost:{parts.port or 80} "
            f"{parts.hostname}, and set it to http://localhost:8080."
        )
    return f"{parts.scheme}://{parts.netloc}{_root(parts.path)}"


def shown(url: str) -> str:
    """A URL without what may be a secret in it: name and password, and what is behind ? or #."""
    return one_line(re.sub(r"[^/]*@", "", re.split("[?#]", url)[0]))


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
    """The path without the /v1 that other programs want there."""
    return path.rstrip("/").removesuffix("/v1")


def is_here(host: str) -> bool:
    """Whether a host is this machine, by its name alone: nobody else is asked who it is."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
