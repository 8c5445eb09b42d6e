"""What the coordinator lets the desk know: an entry of the log, and what it means for an exchange (SPEC 4.7).

One table says which entry is which event. An entry about an agency's deed must carry that agency's signature, and
every entry is held against the request it is about. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from broker.desk.asked import Asked
from broker.desk.opening import read_release
from broker.desk.progress import Event, advance
from broker.desk.ruling import EntryForeign, PartsUnexpected, RequestDiffers, TimesDiffer
from broker.desk.trust import Trust, check_dated
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.entry import (
    AcknowledgedEntry,
    CouldNotLookEntry,
    Entry,
    EscalatedEntry,
    ExpiredEntry,
    InReviewEntry,
    OverdueEntry,
    ReleaseEntry,
    WithdrawnEntry,
    read_entry,
    verify_deed,
)
from schemas.vocabulary import ReviewRole

MEANS: Final[Mapping[type[Entry], Event]] = {
    AcknowledgedEntry: Event.ACKNOWLEDGED,
    InReviewEntry: Event.IN_REVIEW,
    ReleaseEntry: Event.RELEASED,
    CouldNotLookEntry: Event.RELEASED,
    OverdueEntry: Event.OVERDUE,
    EscalatedEntry: Event.ESCALATED,
    ExpiredEntry: Event.EXPIRED,
    WithdrawnEntry: Event.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Noticed:
    """An entry about an exchange, proven to be in the log and held against the request."""

    event: Event
    at: int
    is_undecided: bool = False
    desk_deed: str | None = None
    """Of a withdrawal: the leaf hash of the desk's own entry that asked for it, to be compared with the desk's."""
    reviewer: ReviewRole | None = None
    """Of a review: in which role somebody at the agency reviews the request."""
    is_removal: bool = False
    """Withdrawn because the agency was removed; to be compared with whom the desk has pinned."""


def read_notice(parts: Sequence[bytes], asked: Asked, *, trust: Trust, now: int) -> Noticed:
    """What a notice says about an exchange.

    Raises:
        Rejected: the receipt does not verify, or its entry is not about this request or cannot follow any more.
        NotRuledYet: it presupposes the ruling, which is still on its way.
    """
    if not parts:
        raise PartsUnexpected("a notice without a receipt")
    leaf = trust.prove(parts[0], now)
    entry = read_entry(leaf)
    event = MEANS.get(type(entry))
    if event is None:
        raise EntryForeign("no entry that is notified")
    advance(asked.progress, event)  # too early or too late is known before anything is compared with the grant
    if isinstance(entry, ReleaseEntry | CouldNotLookEntry):
        return Noticed(event, read_release(leaf, asked, trust=trust, now=now).t)
    if (entry.hub, entry.log) != (trust.hub, trust.origin):
        raise EntryForeign("an entry of another hub or log")
    assert isinstance(
        entry, AcknowledgedEntry | InReviewEntry | OverdueEntry | EscalatedEntry | ExpiredEntry | WithdrawnEntry
    )
    if (entry.agency, entry.exchange) != (asked.agency, asked.exchange):
        raise EntryForeign("an entry about another exchange")
    match entry:
        case AcknowledgedEntry() | InReviewEntry():
            _check_deed(entry, leaf, asked, trust, now)
            if isinstance(entry, InReviewEntry):
                return Noticed(event, entry.t, reviewer=entry.reviewer)
        case OverdueEntry():
            if entry.deadline_at != asked.deadline_at:
                raise TimesDiffer("overdue by another deadline than the request's")
            return Noticed(event, entry.t, is_undecided=entry.undecided)
        case ExpiredEntry():
            if entry.expires_at != asked.expires_at:
                raise TimesDiffer("expired at another time than the request's")
        case WithdrawnEntry():
            return Noticed(event, entry.t, desk_deed=entry.desk_deed, is_removal=entry.removal is not None)
        case EscalatedEntry():
            pass
    return Noticed(event, entry.t)


def _check_deed(entry: AcknowledgedEntry | InReviewEntry, leaf: bytes, asked: Asked, trust: Trust, now: int) -> None:
    if entry.by != asked.agency:
        raise EntryForeign("the deed of another party than the agency")
    check_dated(entry.t, not_before=asked.asked_at, now=now, what="the entry")
    verify_deed(type(entry), leaf, trust.directory.key(asked.agency, KeyPurpose.DEED, entry.deed_key, entry.t))
    if entry.request_digest != asked.request_digest:
        raise RequestDiffers("the deed is about another request")
