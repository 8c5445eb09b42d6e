"""What can go wrong, as values that carry a code and say what to do about it.

Every exception of this project is a `Failure`. Its `code` is what goes on the wire, into the log line and into a metric
label; its `disposition` is read in one place only (the intake of `broker.node`). The text is for the person at home: it
names the field or check and never a person, an identifier, a key or the offending value itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Disposition(StrEnum):
    """What is to be done about a failure (DESIGN.md section 10)."""

    RETRY = "retry"
    """A store, bus or case system is away: the same again later."""
    REJECT = "reject"
    """Bytes or proof do not hold: recorded, answered with one code, never retried."""
    HALT = "halt"
    """Our own ground is gone (a forked log, a broken store): stop and call a person."""


class Failure(Exception):
    """A failure with a stable code. Subclasses set `code` and `disposition`; the detail stays at home."""

    code: ClassVar[str] = "failure"
    disposition: ClassVar[Disposition] = Disposition.REJECT

    def __init__(self, detail: str = "") -> None:
        super().__init__(f"{self.code}: {detail}" if detail else self.code)
        self.detail = detail


class Rejected(Failure):
    """Bytes or a proof that do not hold. Base of every REJECT failure."""

    code = "rejected"
    disposition = Disposition.REJECT


class Away(Failure):
    """Something needed is not there just now. Base of every RETRY failure."""

    code = "away"
    disposition = Disposition.RETRY


class GroundLost(Failure):
    """Our own state cannot be relied on. Base of every HALT failure."""

    code = "ground_lost"
    disposition = Disposition.HALT
