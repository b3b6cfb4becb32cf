"""The API key for a server, from the environment or the system's keyring."""

from __future__ import annotations

import os

from mistral_lsp.types import EngineError

KEY_VARIABLE = "MISTRAL_LSP_API_KEY"
SERVICE = "mistral-lsp"
"""The service name of keys in the keyring; their user name is the server's address."""


def from_environment() -> str:
    """Gives the key in the environment, or "". Raises EngineError for an unusable one."""
    return _checked(os.environ.get(KEY_VARIABLE, ""), f"The key in {KEY_VARIABLE}")


def from_keyring(address: str) -> str:
    """Gives the keyring's key for an address, or "". May wait for the user to unlock it."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        found = keyring.get_password(SERVICE, address) or ""
    except KeyringError:  # no keyring, or the user did not unlock it
        return ""
    return _checked(found, f"The key in the keyring for {address}")


def _checked(key: str, where: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise EngineError(f"{where} has characters that no key has.")
    return key
