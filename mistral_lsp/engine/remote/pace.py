"""The time limits of the HTTP engine, as one record; tests pass shorter or longer ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Time limits in seconds.

    - `connect`, `write`: for opening a connection, and for sending a request.
    - `silence`: between two pieces of an answer. It is long, since a slow server is silent while it
      reads a long prompt.
    - `head`: until an answer's headers; `answer`: for a whole answer.
    - `load`: for a server to load its model, which many do at the first request. No other limit of
      answers holds meanwhile.
    - `patience`: after this, the status says that a connected server may be loading its model.
    - `retries`: before each retry of a request; only after a `passing` ServerError.
    - `credentials`: for botocore to find AWS credentials, for which it may ask other servers.
    - `check`: for a server to name its model, which takes no computing.
    - `listing`: for a server to list its models, while the user waits for the list.
    - `measure`: for the probes of the reading speed. A slower server gets the smallest suffix.
    - `trusted`: after a longer silence, a server may have restarted with another model.
    - `unloaded`: after a longer silence, a server may have unloaded its model.
    - `grace`: a server lost more recently than this is assumed to be restarting.
    """

    connect: float = 5.0
    write: float = 15.0
    silence: float = 60.0
    head: float = 90.0
    answer: float = 300.0
    load: float = 900.0
    patience: float = 2.0
    retries: tuple[float, ...] = (0.1, 0.4)
    credentials: float = 60.0
    check: float = 2.0
    listing: float = 10.0
    measure: float = 2.0
    trusted: float = 5.0
    unloaded: float = 60.0
    grace: float = 10.0
