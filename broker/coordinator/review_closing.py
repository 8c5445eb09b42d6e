"""Who closes the review of a broken glass: an information-governance lead of the hub's, by the lead's own signature.

The desk hands the lead's word in as a deed of its own, and cannot make one: the signature is the lead's, over the entry
that opened the review and the finding. Neither of the two people who broke the glass closes it.
"""

from __future__ import annotations

from broker.coordinator import reviews
from broker.coordinator.room import Room
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import verify
from schemas.failures import Rejected
from schemas.messages.entry import ReviewClosedEntry, review_digest
from schemas.messages.party import Party, PartyKind
from schemas.vocabulary import OfficerRole


class ReviewForeign(Rejected):
    """A closing that names another entry than the one that opened the review."""

    code = "review_foreign"


class ReviewClosedBefore(Rejected):
    """The review is closed."""

    code = "review_closed"


class NotALead(Rejected):
    """The key is no admitted information-governance lead's, or is that of one of the two who broke the glass."""

    code = "not_a_lead"


def close_review(room: Room, tx: Transaction, entry: ReviewClosedEntry, now: int) -> None:
    """Check a closing, and close the review.

    Raises:
        ReviewUnknown, ReviewForeign, ReviewClosedBefore, NotALead: as they say.
        SignatureInvalid, KeyNotInForce and others: it is not that lead's word.
    """
    review = reviews.get_review(tx, entry.exchange)
    if entry.break_glass != review.entry_hash:
        raise ReviewForeign
    if review.closed_at is not None:
        raise ReviewClosedBefore
    lead = _whose(room, entry.lead_key)
    if lead is None or lead.id in (review.officer, review.manager):
        raise NotALead
    key = room.directory.key(lead.id, KeyPurpose.OFFICER, entry.lead_key, entry.t, seen_at=now)
    said = review_digest(entry.break_glass, entry.finding)
    verify(key, KeyPurpose.OFFICER, said.encode("ascii"), bytes.fromhex(entry.lead_sig), None)
    reviews.mark_closed(tx, entry.exchange, entry.finding, now)


def _whose(room: Room, key_id: str) -> Party | None:
    """The admitted lead whose officer key that is."""
    for party in room.directory.parties.values():
        if party.statement.party_kind is not PartyKind.OFFICER or not room.is_admitted(party):
            continue
        if party.statement.officer_role is OfficerRole.IG_LEAD and any(one.key.id == key_id for one in party.keys):
            return party
    return None
