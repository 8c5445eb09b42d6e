"""Deeds of others: their own signed word for what they did, checked before it is appended as it is (SPEC 7.2).

Knows which party may do what. What a deed does to an exchange is `exchange`; that it fits the exchange is `bind`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broker.coordinator.events import (
    Acknowledged,
    Event,
    Opened,
    PutInReview,
    Quarantined,
    Released,
    ReviewClosed,
    WithdrawAsked,
)
from broker.coordinator.exchange import Exchange
from broker.coordinator.room import Room
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.post.intake import FromTheFuture
from schemas.canonical import without_member
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import Verified, verify
from schemas.envelope import PartMismatch, digest
from schemas.failures import Rejected
from schemas.messages.entry import (
    SIGNATURE,
    AcknowledgedEntry,
    AdmissionEntry,
    ClosedEntry,
    ConflictEntry,
    ConsultedEntry,
    CouldNotLookEntry,
    DeedEntry,
    InReviewEntry,
    KeyEntry,
    OpenedEntry,
    QuarantinedEntry,
    ReleaseEntry,
    ReviewClosedEntry,
    WithdrawEntry,
    read_entry,
)
from schemas.messages.party import Party, PartyKind

DEEDS_OF: Final[dict[PartyKind, tuple[type[DeedEntry], ...]]] = {
    PartyKind.AGENT: (InReviewEntry, ReleaseEntry, CouldNotLookEntry),
    PartyKind.ADMISSION: (AdmissionEntry, KeyEntry),
    PartyKind.DESK: (
        OpenedEntry,
        QuarantinedEntry,
        ConsultedEntry,
        WithdrawEntry,
        ConflictEntry,
        ClosedEntry,
        ReviewClosedEntry,
    ),
}
"""What each kind of party may send word of by itself; an agency's acknowledgement comes with that of its delivery."""


class NotTheirDeed(Rejected):
    """An entry that is no deed, or not one of that party."""

    code = "not_their_deed"


class DeedElsewhere(Rejected):
    """A deed for another hub, another log or another exchange than the message says."""

    code = "deed_elsewhere"


class DeedUnbound(Rejected):
    """A deed that names other digests, or another agency, than the exchange has."""

    code = "deed_unbound"


class DeedRepeated(Rejected):
    """The exchange has another deed of that type."""

    code = "deed_repeated"


@dataclass(frozen=True, slots=True)
class CheckedDeed:
    """A deed whose signature holds, with its addendum where it has one."""

    entry: Verified[DeedEntry]
    leaf: bytes
    addendum_digest: str
    addendum: bytes

    @property
    def exchange(self) -> str | None:
        """The exchange it is about, if it is about one."""
        exchange = getattr(self.entry.value, "exchange", None)
        return exchange if isinstance(exchange, str) else None


def check_deed(
    room: Room,
    sender: Party,
    kinds: tuple[type[DeedEntry], ...],
    parts: tuple[bytes, ...],
    *,
    exchange: str | None,
    now: int,
) -> CheckedDeed:
    """Open a deed, or say which check it failed.

    Raises:
        Rejected: the failure names the check.
    """
    if not parts:
        raise PartMismatch("a deed has a leaf")
    leaf = parts[0]
    entry = read_entry(leaf)  # 1  a leaf in canonical form, of a deed this party may do
    if not isinstance(entry, kinds) or entry.by != sender.id:
        raise NotTheirDeed(f"not a deed of that {sender.statement.party_kind}")
    if entry.hub != room.hub or entry.log != room.log.origin or getattr(entry, "exchange", None) != exchange:
        raise DeedElsewhere  # 2  for this log, about the exchange the message names
    if entry.t > now + PERMITTED_SKEW_MS:
        raise FromTheFuture("a deed dated later than the permitted clock skew")
    key = room.directory.key(sender.id, KeyPurpose.DEED, entry.deed_key, entry.t, seen_at=now)  # 3  by its pinned key
    verified = verify(key, KeyPurpose.DEED, without_member(leaf, SIGNATURE), bytes.fromhex(entry.sig), entry)
    addendum_digest = getattr(entry, "addendum_digest", "")  # 4  with exactly the addendum it names
    if len(parts) != (2 if addendum_digest else 1):
        raise PartMismatch("not the parts of that deed")
    if addendum_digest and digest(parts[1]) != addendum_digest:
        raise PartMismatch("the addendum is not the one the deed names")
    return CheckedDeed(verified, leaf, addendum_digest, parts[1] if addendum_digest else b"")


def bind(deed: DeedEntry, exchange: Exchange, sender: Party) -> Event:
    """The event a deed is, if it names exactly what the exchange is about.

    Raises:
        DeedUnbound: it does not.
    """
    agency = getattr(deed, "agency", "")
    by_agency = sender.statement.party_kind is PartyKind.AGENT
    if agency != exchange.agency or (by_agency and sender.id != agency):
        raise DeedUnbound("another agency's exchange")
    match deed:
        case AcknowledgedEntry(request_digest=request):
            _equal(request, exchange.request_digest)
            return Acknowledged()
        case InReviewEntry(request_digest=request):
            _equal(request, exchange.request_digest)
            return PutInReview(deed.reviewer)
        case ReleaseEntry() | CouldNotLookEntry():
            _equal(deed.request_digest, exchange.request_digest)
            _equal(deed.grant_digest, exchange.grant_digest)
            return Released(deed.answer_digest)
        case OpenedEntry(answer_digest=answer):
            _equal(answer, exchange.answer_digest)
            return Opened()
        case QuarantinedEntry(answer_digest=answer):
            _equal(answer, exchange.answer_digest)
            return Quarantined()
        case ReviewClosedEntry():
            return ReviewClosed()  # that it is this review, and by whom: `review_closing`
        case WithdrawEntry(request_digest=request):
            _equal(request, exchange.request_digest)
            return WithdrawAsked()
        case _:
            raise DeedUnbound("a deed that is about no exchange")


def _equal(named: str, expected: str) -> None:
    if named != expected:
        raise DeedUnbound("it names another digest than the exchange has")
