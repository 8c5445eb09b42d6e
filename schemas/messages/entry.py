"""The leaves of a sharing log: one model an entry type, and never a personal datum (SPEC 7.1).

A leaf is the canonical bytes themselves, at most 4096. It carries sixteen random bytes, so its hash tells nothing. An
entry about a party's deed is made and signed by that party; the log's keeper adds nothing inside. Long because every
type of entry stands here.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, model_validator

from schemas.canonical import without_member
from schemas.crypto.failures import SignatureInvalid
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import Verified, sign, verify
from schemas.envelope import digest
from schemas.messages.fields import Count, Hex16, Hex32, Hex64, Millis, Origin, Slug, Word
from schemas.messages.model import KindUnexpected, Message, RuleBroken, read_one_of
from schemas.vocabulary import ReviewAct, ReviewFinding, ReviewRole

MAX_LEAF_BYTES: Final = 4096
SIGNATURE: Final = "sig"
_KEPT_ENTRIES: Final = 64
"""Entries read lately, by their leaves: a party reads each of an exchange two to four times, and they never change."""


class Entry(Message):
    """What every entry says."""

    type: str
    log: Origin
    hub: Slug
    t: Millis = Field(description="When, by the clock of whoever made the entry.")
    n: Hex16 = Field(description="Sixteen random bytes.")


class HubEntry(Entry):
    """An entry the coordinator makes about an exchange with an agency."""

    agency: Slug
    exchange: Hex16
    seq: Count = Field(description="Number of this entry among those the hub made that name the agency, from 1.")


class DeedEntry(Entry):
    """An entry a party makes about its own deed, signed with its deed key over the leaf without `sig`."""

    by: Slug
    deed_key: Hex16
    sig: Hex64
    done_at: Millis | None = Field(
        default=None, description="When it was done, if it had to be signed anew: `t` is when that was."
    )


class RequestEntry(HubEntry):
    """A request was permitted."""

    type: Literal["request"] = "request"
    deadline_at: Millis
    expires_at: Millis
    request_digest: Hex32
    grant_digest: Hex32
    addendum_digest: Hex32
    desk_key: Hex16
    desk_sig: Hex64 = Field(description="The desk's signature of the request header that `request_digest` names.")


class RefusalEntry(HubEntry):
    """A request was refused; nothing was sent to the agency."""

    type: Literal["refusal"] = "refusal"
    request_digest: Hex32
    addendum_digest: Hex32
    policy_digest: Hex32
    rules: Annotated[list[Word], Field(min_length=1, max_length=32)]
    desk_key: Hex16
    desk_sig: Hex64


class OverdueEntry(HubEntry):
    """The deadline passed and the hub had recorded no answer; `undecided` if the hub itself was away then."""

    type: Literal["overdue"] = "overdue"
    deadline_at: Millis
    undecided: bool


class EscalatedEntry(HubEntry):
    """An overdue exchange was put before the hub's manager."""

    type: Literal["escalated"] = "escalated"


class ExpiredEntry(HubEntry):
    """The exchange ended without an answer. Final."""

    type: Literal["expired"] = "expired"
    expires_at: Millis


class WithdrawnEntry(HubEntry):
    """The hub took the request back, because the desk asked for it or because the agency was removed."""

    type: Literal["withdrawn"] = "withdrawn"
    desk_deed: Hex32 | None = Field(default=None, description="Leaf hash of the desk's own entry that asked for it.")
    removal: Hex32 | None = Field(default=None, description="Leaf hash of the `member` entry that removed the agency.")

    @model_validator(mode="after")
    def _says_why(self) -> WithdrawnEntry:
        if (self.desk_deed is None) == (self.removal is None):
            raise RuleBroken("a withdrawal names the desk's deed or the agency's removal")
        return self


class BreakGlassEntry(HubEntry):
    """A manager broke the glass for the request; both leads are told, and a review is open until it is closed."""

    type: Literal["break-glass"] = "break-glass"
    request_digest: Hex32
    grant_digest: Hex32
    addendum_digest: Hex32 = Field(description="Of the request's addendum, which says who, by whom and why.")
    until: Millis
    lifted: Annotated[list[Word], Field(max_length=32)] = Field(description="As in the grant; perhaps none.")
    manager_key: Hex16
    manager_sig: Hex64 = Field(description="The manager's signature of the request's digest.")


class AcknowledgedEntry(DeedEntry):
    """The agency has the request."""

    type: Literal["acknowledged"] = "acknowledged"
    agency: Slug
    exchange: Hex16
    request_digest: Hex32


class InReviewEntry(DeedEntry):
    """The request waits for a person at the agency; by what that person is there, never by a name."""

    type: Literal["in-review"] = "in-review"
    agency: Slug
    exchange: Hex16
    request_digest: Hex32
    reviewer: ReviewRole = Field(description="In which role somebody reviews it.")


class ReleaseEntry(DeedEntry):
    """The agency has committed an answer and will let go of it against the proof of this entry."""

    type: Literal["release"] = "release"
    agency: Slug
    exchange: Hex16
    request_digest: Hex32
    grant_digest: Hex32
    answer_digest: Hex32
    addendum_digest: Hex32


class CouldNotLookEntry(DeedEntry):
    """As a release, but the agency could look at nothing; the answer says so."""

    type: Literal["could-not-look"] = "could-not-look"
    agency: Slug
    exchange: Hex16
    request_digest: Hex32
    grant_digest: Hex32
    answer_digest: Hex32
    addendum_digest: Hex32


class OpenedEntry(DeedEntry):
    """The desk opened an answer."""

    type: Literal["opened"] = "opened"
    agency: Slug
    exchange: Hex16
    answer_digest: Hex32


class ConsultedEntry(DeedEntry):
    """An officer looked at an enquiry's answers; who, in the addendum."""

    type: Literal["consulted"] = "consulted"
    addendum_digest: Hex32


class QuarantinedEntry(DeedEntry):
    """The desk kept back what an answer held beyond its grant."""

    type: Literal["quarantined"] = "quarantined"
    agency: Slug
    exchange: Hex16
    answer_digest: Hex32
    addendum_digest: Hex32


class ReviewClosedEntry(DeedEntry):
    """An information-governance lead of the hub closed the review of a broken glass; who and why, in the addendum."""

    type: Literal["review-closed"] = "review-closed"
    agency: Slug
    exchange: Hex16
    break_glass: Hex32 = Field(description="Leaf hash of the entry that opened the review.")
    finding: ReviewFinding
    lead_key: Hex16
    lead_sig: Hex64 = Field(description="By the lead's officer key, over the review's digest (SPEC 5.7).")
    addendum_digest: Hex32


class WithdrawEntry(DeedEntry):
    """The desk asks for a request to be taken back."""

    type: Literal["withdraw"] = "withdraw"
    agency: Slug
    exchange: Hex16
    request_digest: Hex32


class ConflictEntry(DeedEntry):
    """An enquiry's conflict list changed, or somebody on it tried to reach the enquiry; who, in the addendum."""

    type: Literal["conflict"] = "conflict"
    addendum_digest: Hex32


class ClosedEntry(DeedEntry):
    """The desk closed an enquiry; `enquiries` are its random references, one an agency asked."""

    type: Literal["closed"] = "closed"
    enquiries: Annotated[list[Hex16], Field(max_length=32)]
    addendum_digest: Hex32


class MemberEntry(Entry):
    """Someone was admitted or removed: an agency by name, an officer only in the addendum."""

    type: Literal["member"] = "member"
    member: Literal["desk", "agency", "officer"]
    change: Literal["admitted", "removed"]
    agency: Slug | None = None
    root: Hex16 | None = None
    addendum_digest: Hex32 | None = None


class AdmissionEntry(DeedEntry):
    """Admission took a step with an agency, or with the bus itself; `file_digest`: the request or reply it rests on."""

    type: Literal["admission"] = "admission"
    step: Literal[
        "offered", "admitted", "renewed", "root-replaced", "suspended", "resumed", "expelled", "refused", "bus-rotated"
    ]
    agency: Slug | None = None
    root: Hex16 | None = None
    statement_digest: Hex32 | None = None
    file_digest: Hex32 | None = None
    reason: Word | None = Field(
        default=None, description="Of a refusal the failure's code; of `bus-rotated` what of the bus, and how far."
    )

    @model_validator(mode="after")
    def _says_who_or_why(self) -> AdmissionEntry:
        is_about_agency = self.step not in ("refused", "bus-rotated")
        if not is_about_agency and self.reason is None:
            raise RuleBroken("a refusal, and a step about the bus itself, has a reason")
        if is_about_agency and None in (self.agency, self.root, self.statement_digest):
            raise RuleBroken("a step with an agency names agency, root and statement")
        return self


class KeyEntry(DeedEntry):
    """Admission issued a directory."""

    type: Literal["key"] = "key"
    version: Count
    directory_digest: Hex32 = Field(description="Digest of the directory statement, the header that admission signed.")


class PolicyEntry(Entry):
    """A version of the hub's policy was taken: its IG lead's signed statement, which this names, puts it in force."""

    type: Literal["policy"] = "policy"
    number: Count
    policy_digest: Hex32
    statement_digest: Hex32 = Field(description="Digest of the policy statement, the header that the IG lead signed.")
    valid_from: Millis


class LogReadEntry(Entry):
    """Somebody read the log through its keeper, or made an extract of it for a data subject."""

    type: Literal["log-read"] = "log-read"
    entries: Count
    extract_by: Literal["ig_lead"] | None = Field(
        default=None, description="An extract was made, by somebody in that role; `entries` are the exchanges in it."
    )


class ShardOpenEntry(Entry):
    """The first entry of a log."""

    type: Literal["shard-open"] = "shard-open"


class ReceivedEntry(Entry):
    """An agency's own log: an entry of the hub's log that names the agency has come in."""

    type: Literal["received"] = "received"
    exchange: Hex16 | None = None
    entry_type: Word
    entry_hash: Hex32 = Field(description="The entry's leaf hash in the hub's log.")


class KeptBackEntry(Entry):
    """An agency's own log: what was matched, withheld or broken, in words only in the sealed addendum."""

    type: Literal["kept-back"] = "kept-back"
    exchange: Hex16
    addendum_digest: Hex32


class ReviewedEntry(Entry):
    """An agency's own log: a person acted at its review desk; who, on what and why, in the sealed addendum."""

    type: Literal["reviewed"] = "reviewed"
    exchange: Hex16
    act: ReviewAct
    reviewer: ReviewRole | None = Field(default=None, description="In which role; none where time acted and no person.")
    addendum_digest: Hex32 | None = None


class AlertSeenEntry(Entry):
    """An agency's own log: its information-governance lead has seen an entry that the hub told it of."""

    type: Literal["alert-seen"] = "alert-seen"
    exchange: Hex16
    entry_hash: Hex32 = Field(description="The entry's leaf hash in the hub's log.")


class RejectedEntry(Entry):
    """A party's own log: a message did not hold. `check` is the failure's code."""

    type: Literal["rejected"] = "rejected"
    sender: Slug | None = None
    exchange: Hex16 | None = None
    check: Word
    message_digest: Hex32


ENTRIES: Final[dict[str, type[Entry]]] = {
    str(model.model_fields["type"].default): model
    for model in (
        RequestEntry,
        RefusalEntry,
        OverdueEntry,
        EscalatedEntry,
        ExpiredEntry,
        WithdrawnEntry,
        BreakGlassEntry,
        AcknowledgedEntry,
        InReviewEntry,
        ReleaseEntry,
        CouldNotLookEntry,
        OpenedEntry,
        ConsultedEntry,
        QuarantinedEntry,
        ReviewClosedEntry,
        WithdrawEntry,
        ConflictEntry,
        ClosedEntry,
        MemberEntry,
        AdmissionEntry,
        KeyEntry,
        PolicyEntry,
        LogReadEntry,
        ShardOpenEntry,
        ReceivedEntry,
        KeptBackEntry,
        ReviewedEntry,
        AlertSeenEntry,
        RejectedEntry,
    )
}
ALERTING: Final = (QuarantinedEntry, BreakGlassEntry, ReviewClosedEntry)
"""Entries that the agency's information-governance lead is told of: their notice brings their addendum (SPEC 4.7)."""
E_ = TypeVar("E_", bound=Entry)
D_ = TypeVar("D_", bound=DeedEntry)


@lru_cache(maxsize=_KEPT_ENTRIES)
def read_entry(leaf: bytes) -> Entry:
    """The entry whose leaf these bytes are.

    Raises:
        KindUnexpected: no such entry type.
        Rejected: not a leaf of that type.
    """
    return read_one_of(ENTRIES, "type", leaf, limit_bytes=MAX_LEAF_BYTES)


def read_entry_as(model: type[E_], leaf: bytes) -> E_:
    """The entry of these bytes, if it is of that type.

    Raises:
        KindUnexpected: it is of another type.
    """
    entry = read_entry(leaf)
    if not isinstance(entry, model):
        raise KindUnexpected("an entry of another type")
    return entry


def review_digest(break_glass: str, finding: ReviewFinding) -> str:
    """What a lead signs to close a review (SPEC 5.7): SHA-256 over the entry's leaf hash and the finding.

    Args:
        break_glass: leaf hash, in hexadecimal, of the entry that opened the review.
    """
    return digest(f"needtoknow/v1/review\0{break_glass}\0{finding.value}".encode("ascii"))


def nonce() -> str:
    """Sixteen random bytes for a leaf or an id, in hexadecimal."""
    return os.urandom(16).hex()


def sign_deed(entry: DeedEntry, key: SigningKey) -> bytes:
    """The leaf of `entry` with its signature put in; whatever stands in `sig` and `deed_key` before does not matter."""
    bare = entry.model_copy(update={"deed_key": key.id, "sig": "0" * 128})
    signature = sign(key, KeyPurpose.DEED, without_member(bare.encode(), SIGNATURE))
    return bare.model_copy(update={"sig": signature.hex()}).encode()


def verify_deed(model: type[D_], leaf: bytes, key: PublicKey) -> Verified[D_]:
    """The deed these bytes are, known to be signed by `key`.

    Raises:
        SignatureInvalid, WrongPurpose: it is not.
        KindUnexpected: it is an entry of another type.
    """
    entry = read_entry_as(model, leaf)
    if entry.deed_key != key.id:
        raise SignatureInvalid("the leaf names another key")
    return verify(key, KeyPurpose.DEED, without_member(leaf, SIGNATURE), bytes.fromhex(entry.sig), entry)
