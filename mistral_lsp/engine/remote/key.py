"""The key for a server: from the environment, or from the system's keyring."""

from __future__ import annotations

import os

from mistral_lsp.types import EngineError

KEY_VARIABLE = "MISTRAL_LSP_API_KEY"
SERVICE = "mistral-lsp"
"""What keys are called in the keyring; the user there is the server's address."""


def from_environment() -> str:
    """The key that the environment gives, or "". Raises EngineError for one that won't do."""
    return _checked(os.environ.get(KEY_VARIABLE, ""), f"The key in {KEY_VARIABLE}")


def from_keyring(address: str) -> str:
    """The key that the keyring has for an address, or "". May wait for the user to open it."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        found = keyring.get_password(SERVICE, address) or ""
    except KeyringError:  # none runs here, or the user did not open it
        return ""
    return _checked(found, f"The key in the keyring for {address}")


def _checked(key: str, where: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise EngineError(f"{where} has characters that no key has.")
    return key
