"""Makes botocore ask nobody for anything: the standard input and the terminal are the editor's.

Importing botocore takes a second, so this module is imported in a thread.
"""

from __future__ import annotations

import logging
import subprocess
from functools import partialmethod
from typing import Any

from botocore import credentials
from botocore.session import Session

LONGEST_SECONDS = 60.0
"""How long a program of `credential_process` may take."""

for _chatty in ("botocore", "urllib3"):  # they log session tokens
    logging.getLogger(_chatty).setLevel(logging.WARNING)


class NeedsCodeError(Exception):
    """The credentials need a code that only the user has."""


class _Program(subprocess.Popen[bytes]):
    """A program of `credential_process`, without an input and a terminal; it ends in time."""

    def __init__(self, *args: Any, **named: Any):
        alone = {"stdin": subprocess.DEVNULL, "start_new_session": True}
        super().__init__(*args, **{**named, **alone})

    def communicate(
        self, input: bytes | None = None, timeout: float | None = None
    ) -> tuple[bytes, bytes]:
        """Waits for the end of the program. Kills it after LONGEST_SECONDS."""
        try:
            return super().communicate(input, timeout or LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            with self:  # waits for its end, and closes the pipes
                self.kill()
            raise


def _refuse(prompt: str) -> str:
    raise NeedsCodeError


def new_session() -> Any:
    """Gives a session that finds credentials as the `aws` command does, but asks nobody."""
    return Session()


# botocore has parameters for both, but builds these objects by itself.
for _class, _named in (
    (credentials.ProcessProvider, {"popen": _Program}),
    (credentials.AssumeRoleProvider, {"prompter": _refuse}),
):
    _class.__init__ = partialmethod(_class.__init__, **_named)
