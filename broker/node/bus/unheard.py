"""Which subject a "no responders" status is about.

Owns the reply inbox's tokens. The server answers a message that nobody hears with status 503 to its reply subject; the
token there leads back to the subject. Refuses to believe more than that: it is a hint that any listener could forge.
"""

from __future__ import annotations

import secrets
from typing import Final

OUTSTANDING_AT_MOST: Final = 8192
"""A 503 comes back in under a millisecond; at the measured 50,000 messages a second that is 50 outstanding."""


class UnheardWatch:
    """Remembers the newest messages until their 503 comes, or until they are forgotten."""

    def __init__(self, outstanding_at_most: int = OUTSTANDING_AT_MOST) -> None:
        self._at_most = outstanding_at_most
        self._subjects: dict[str, str] = {}

    def expect(self, subject: str) -> str:
        """Make the reply token of one message."""
        if len(self._subjects) >= self._at_most:
            del self._subjects[next(iter(self._subjects))]
        # Random: a counter would tell each listener how much is said to all the others.
        token = secrets.token_hex(8)
        self._subjects[token] = subject
        return token

    def resolve(self, token: str) -> str | None:
        """Give back the subject of a token, once."""
        return self._subjects.pop(token, None)
