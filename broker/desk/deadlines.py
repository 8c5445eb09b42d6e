"""By when an answer is due: the hub's clock table, in elapsed time from when the enquiry was received.

Working hours and calendars are not here: every line of the table is elapsed time and says so in its unit. Keeps no time
itself; the coordinator watches the deadlines that a request names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.node.clock import DAY_MS
from schemas.messages.model import FieldInvalid
from schemas.vocabulary import Rag

LONGEST_EXPIRY_MS: Final = 60 * DAY_MS
"""Sixty days from asking: below the ninety that any message may ask to be remembered, with room for its answer."""
SHORTEST_LEAD_MS: Final = 60_000
"""A deadline less than a minute off would pass before the officer has signed."""


class DeadlinePassed(FieldInvalid):
    """The deadline, counted from when the enquiry was received, lies in the past."""

    code = "deadline_passed"


@dataclass(frozen=True, slots=True)
class Span:
    """A line of the table, both in elapsed milliseconds from receipt."""

    deadline_ms: int
    expiry_ms: int

    def __post_init__(self) -> None:
        if not 0 < self.deadline_ms < self.expiry_ms <= LONGEST_EXPIRY_MS:
            raise ValueError("0 < deadline < expiry <= 60 days does not hold")


@dataclass(frozen=True, slots=True)
class Times:
    """The two instants both sides know, in milliseconds UTC."""

    deadline_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class DeadlineTable:
    """The clock of each rating. A rating without a line has none, and each of its requests must name its times."""

    spans: Mapping[Rag, Span]
    shortest_lead_ms: int = SHORTEST_LEAD_MS

    def times(
        self, rag: Rag, *, received_at: int, now: int, deadline_at: int | None = None, expires_at: int | None = None
    ) -> Times:
        """The times of a request made now.

        Args:
            deadline_at, expires_at: what the officer asks for instead of the table's times.

        Raises:
            DeadlinePassed: the table's deadline has passed, and no later one was asked for.
            FieldInvalid: no line for that rating, or times in a wrong order or over the limits.
        """
        span = self.spans.get(rag)
        if deadline_at is None:
            if span is None:
                raise FieldInvalid(f"field deadline_at is missing; the clock table has no line for {rag}")
            deadline_at = received_at + span.deadline_ms
            if deadline_at < now + self.shortest_lead_ms:
                minutes = max(0, now - deadline_at) // 60_000
                raise DeadlinePassed(
                    f"field deadline_at: a {rag} enquiry received then was due {minutes} minutes ago; "
                    "name a later deadline for this request"
                )
        if expires_at is None:
            if span is None:
                raise FieldInvalid(f"field expires_at is missing; the clock table has no line for {rag}")
            expires_at = deadline_at + span.expiry_ms - span.deadline_ms
        if deadline_at < now + self.shortest_lead_ms:
            raise FieldInvalid(f"field deadline_at must be at least {self.shortest_lead_ms // 1000} seconds from now")
        if not deadline_at < expires_at <= now + LONGEST_EXPIRY_MS:
            raise FieldInvalid("field expires_at must be after deadline_at and at most 60 days from now")
        return Times(deadline_at, expires_at)
