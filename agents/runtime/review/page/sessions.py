"""Who is signed in at the page: random tokens, known here by their digest, gone when idle or when the program stops.

In memory alone. Refuses to know how somebody shows who he is (`reviewers`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from agents.runtime.review.reviewers import Door, SignedIn
from broker.node.clock import Clock

IDLE_MS: Final = 15 * 60_000
LONGEST_MS: Final = 8 * 3600_000
"""A working day; then somebody signs in again."""
MOST: Final = 256
_TOKEN_BYTES: Final = 32


@dataclass(slots=True)
class Session:
    """Somebody who is signed in."""

    reviewer: str
    since: int
    seen_at: int
    form_token: str = field(repr=False)
    """Stands in every form: what another page sends in the reviewer's name does not have it."""


@dataclass(slots=True)
class Sessions:
    """Everybody who is signed in."""

    door: Door
    clock: Clock
    _known: dict[str, Session] = field(default_factory=dict)

    def open(self, who: SignedIn) -> str:
        """Begin a session; gives back the token for its cookie."""
        now = self.clock.now()
        for digest in [one for one, session in self._known.items() if not self._lives(session, now)]:
            del self._known[digest]
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        token = secrets.token_hex(_TOKEN_BYTES)
        self._known[_digest(token)] = Session(who.id, now, now, secrets.token_hex(_TOKEN_BYTES))
        return token

    def find(self, token: str | None) -> tuple[SignedIn, Session] | None:
        """Who a token is of, if they are still signed in and still review here."""
        session = None if token is None else self._known.get(_digest(token))
        if token is None or session is None:
            return None
        now = self.clock.now()
        who = self.door.still(session.reviewer)
        if who is None or not self._lives(session, now):
            self.close(token)
            return None
        session.seen_at = now
        return who, session

    def close(self, token: str | None) -> None:
        """End a session."""
        if token is not None:
            self._known.pop(_digest(token), None)

    def _lives(self, session: Session, now: int) -> bool:
        return now < session.seen_at + IDLE_MS and now < session.since + LONGEST_MS


def is_same(given: str, expected: str) -> bool:
    """Whether two tokens are the same, told in the same time whatever they are."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
