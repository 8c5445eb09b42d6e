"""What the desk remembers of its own request, to hold against whatever comes back about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from broker.desk.progress import Progress
from schemas.messages.grant import Grant
from schemas.messages.model import read
from schemas.messages.request import RequestHeader

_KEPT_HEADERS: Final = 64
"""Requests read lately, by their headers: codes, of which one exchange reads its own six times."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An exchange of this desk: what was asked of whom, and what was granted."""

    exchange: str
    enquiry: str
    agency: str
    officer: str
    progress: Progress
    header: bytes = field(repr=False)
    request_digest: str
    asked_at: int
    deadline_at: int
    expires_at: int
    reply_key: str
    """Key id of the enquiry's reply key."""
    grant: bytes | None = field(default=None, repr=False)
    grant_digest: str | None = None

    def request(self) -> RequestHeader:
        """The header, as a message."""
        return _request_of(self.header)

    def granted(self) -> Grant:
        """The grant, as a message; only once there is one."""
        assert self.grant is not None
        return read(Grant, self.grant)


@lru_cache(maxsize=_KEPT_HEADERS)
def _request_of(header: bytes) -> RequestHeader:
    return read(RequestHeader, header)
