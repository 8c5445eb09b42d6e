"""Where an exchange stands at the desk, as one table of transitions.

The coordinator decides what happens; the desk follows what is proven to be in the log. Events may overtake each other
on their way, so the table also says what a late-coming one still means; what is not in it does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.node.clock import PERMITTED_SKEW_MS
from schemas.failures import Away, Rejected


class Progress(StrEnum):
    """Where an exchange stands."""

    PREPARED = "prepared"
    """Shown to the officer, not signed; nobody else knows of it."""
    ASKED = "asked"
    PERMITTED = "permitted"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    """The agency's release is in the log; the answer itself is on its way."""
    OPENED = "opened"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    """The coordinator did not take the submission; it was never decided on."""
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Event(StrEnum):
    """What can become known of an exchange. Each happens once; the time of each is kept."""

    PREPARED = "prepared"
    SUBMITTED = "submitted"
    PERMITTED = "permitted"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    ACKNOWLEDGED = "acknowledged"
    IN_REVIEW = "in_review"
    RELEASED = "released"
    OPENED = "opened"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    EXPIRED = "expired"
    WITHDRAW_ASKED = "withdraw_asked"
    WITHDRAWN = "withdrawn"


_WITH_AGENCY: Final = (Progress.PERMITTED, Progress.DELIVERED)
_AFTER_RELEASE: Final = (Progress.ANSWERED, Progress.OPENED)
_ENDED: Final = (Progress.EXPIRED, Progress.WITHDRAWN)

TRANSITIONS: Final[Mapping[tuple[Progress, Event], Progress]] = {
    (Progress.PREPARED, Event.SUBMITTED): Progress.ASKED,
    (Progress.ASKED, Event.PERMITTED): Progress.PERMITTED,
    (Progress.ASKED, Event.REFUSED): Progress.REFUSED,
    (Progress.ASKED, Event.NOT_ACCEPTED): Progress.NOT_ACCEPTED,
    (Progress.PERMITTED, Event.ACKNOWLEDGED): Progress.DELIVERED,
    **{(at, Event.RELEASED): Progress.ANSWERED for at in _WITH_AGENCY},
    # The answer itself proves its release, and may be here before the coordinator's notice of it.
    **{(at, Event.OPENED): Progress.OPENED for at in (*_WITH_AGENCY, Progress.ANSWERED)},
    # Asked as well: if the ruling was lost for good, its exchange still ends.
    **{(at, Event.EXPIRED): Progress.EXPIRED for at in (Progress.ASKED, *_WITH_AGENCY)},
    **{(at, Event.WITHDRAWN): Progress.WITHDRAWN for at in _WITH_AGENCY},
    # Marks: they change nothing but that they happened.
    **{
        (at, event): at
        for at in _WITH_AGENCY
        for event in (Event.IN_REVIEW, Event.OVERDUE, Event.ESCALATED, Event.WITHDRAW_ASKED)
    },
    # Overtaken on their way: true, and too late to move anything.
    **{
        (at, event): at
        for at in (*_AFTER_RELEASE, *_ENDED)
        for event in (Event.ACKNOWLEDGED, Event.IN_REVIEW, Event.OVERDUE, Event.ESCALATED)
    },
    (Progress.DELIVERED, Event.ACKNOWLEDGED): Progress.DELIVERED,
    (Progress.ANSWERED, Event.RELEASED): Progress.ANSWERED,
    (Progress.OPENED, Event.RELEASED): Progress.OPENED,
    (Progress.EXPIRED, Event.EXPIRED): Progress.EXPIRED,
    (Progress.EXPIRED, Event.PERMITTED): Progress.EXPIRED,
    (Progress.WITHDRAWN, Event.WITHDRAWN): Progress.WITHDRAWN,
}

EARLY: Final = frozenset(
    (Progress.ASKED, event)
    for event in (
        Event.ACKNOWLEDGED,
        Event.IN_REVIEW,
        Event.RELEASED,
        Event.OPENED,
        Event.OVERDUE,
        Event.ESCALATED,
        Event.WITHDRAWN,
    )
)
"""What presupposes a ruling that the desk has not seen yet: left for later, and its sender repeats it."""


class Concluded(Rejected):
    """Something that cannot happen any more to an exchange, or never could."""

    code = "concluded"


class NotRuledYet(Away):
    """Something that presupposes the coordinator's ruling, which is still on its way."""

    code = "not_ruled_yet"


def advance(progress: Progress, event: Event) -> Progress:
    """Where an exchange stands after an event.

    Raises:
        NotRuledYet: it came too early.
        Concluded: the table has no such line.
    """
    after = TRANSITIONS.get((progress, event))
    if after is not None:
        return after
    if (progress, event) in EARLY:
        raise NotRuledYet("the coordinator's ruling is still on its way")
    raise Concluded(f"{event} cannot follow {progress}")


@dataclass(frozen=True, slots=True)
class Standing:
    """An exchange's progress, when each event of it was (milliseconds UTC), and what that means for an officer."""

    progress: Progress
    at: Mapping[Event, int]
    deadline_at: int
    expires_at: int
    is_undecided: bool
    """The deadline fell inside an outage of the hub: whether the answer was in time is not known from the log."""
    reviewer: str | None = None
    """In which role a person at the agency reviews the request, by the agency's own word."""

    @property
    def is_late(self) -> bool:
        """The answer came after its deadline: by the hub's record, or by the agency's own word."""
        released_at = self.at.get(Event.RELEASED)
        if released_at is None:
            return False
        return released_at > self.deadline_at or (Event.OVERDUE in self.at and not self.is_undecided)

    @property
    def is_overdue(self) -> bool:
        """The deadline passed and nothing is recorded yet."""
        return Event.OVERDUE in self.at and self.progress in _WITH_AGENCY

    def is_outstanding(self, now: int) -> bool:
        """The agency may still answer; after the expiry nobody takes an answer any more."""
        return self.progress in (Progress.ASKED, *_WITH_AGENCY) and now < self.expires_at + 2 * PERMITTED_SKEW_MS

    def shown(self) -> dict[str, object]:
        """For a screen: words and times, nothing of what was asked or answered."""
        return {
            "progress": self.progress.value,
            "deadline_at": self.deadline_at,
            "expires_at": self.expires_at,
            "late": self.is_late,
            "overdue": self.is_overdue,
            "undecided": self.is_undecided,
            "in_review": self.reviewer if self.progress in _WITH_AGENCY else None,
            "escalated": Event.ESCALATED in self.at,
            "at": {event.value: at for event, at in self.at.items()},
        }
