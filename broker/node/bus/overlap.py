"""What arrives twice while one connection takes over from another, told apart from what was sent twice.

Owns the memory of one such overlap, in which both connections hear everything: a message is given on when it is first
heard. Refuses to know the connections.
"""

from __future__ import annotations

import hashlib
from typing import Final

MESSAGES: Final = 65_536
"""Remembered at most: a second at the measured rate. What is forgotten may be heard twice, as any message may be sent
twice; receivers know them by their ids."""
_DIGEST_BYTES: Final = 16


class Overlap:
    """Counts each message on both connections; the larger count is how often it was sent and heard."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str, bytes], list[int]] = {}

    def is_first(self, side: int, listener: int, subject: str, payload: bytes) -> bool:
        """Whether this hearing, on connection 0 or 1 by one listener, is not the echo of one on the other."""
        key = (listener, subject, hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).digest())
        counts = self._counts.get(key)
        if counts is None:
            if len(self._counts) >= MESSAGES:
                del self._counts[next(iter(self._counts))]
            counts = self._counts[key] = [0, 0]
        counts[side] += 1
        return counts[side] > counts[1 - side]
