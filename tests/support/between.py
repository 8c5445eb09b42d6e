"""Two people who admit an agency by e-mail and telephone, and everything that somebody between them could put together.

Owns both ends of the ceremony as pure functions of keys. Refuses to know homes, stores and the bus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from broker.node.tls_key import certificate_request, generate_tls_key
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.messages.admission import AdmissionReply, Welcome, read_reply, seal_challenge, state_reply
from schemas.messages.enrolment import EnrolmentRequest, read_enrolment, state_enrolment
from schemas.messages.fields import encode_base64
from schemas.messages.party import Party, PartyKind, read_party, state_party
from schemas.messages.words import ceremony_words
from schemas.vocabulary import AgencyKind
from tests.support.clock import NOON
from tests.support.parties import DAY_MS, Member, make_member

HUB = "testhub"
ADDRESSES = ("tls://bus.testhub.example:4222",)


def an_agency(name: str = "northshire") -> Member:
    """An agency with keys of its own."""
    return make_member(
        name, PartyKind.AGENT, agency_kind=AgencyKind.POLICE, from_at=NOON - 1000, until=NOON + 6 * DAY_MS
    )


def a_hub() -> dict[PartyKind, Member]:
    """A hub's three parties."""
    kinds = (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION)
    return {kind: make_member(kind.value, kind) for kind in kinds}


def request_of(agency: Member, *, hub: str = HUB, tls_key: bytes | None = None) -> bytes:
    """The file in which it asks."""
    assert agency.party.statement.hub == hub
    proving = [key for purpose, key in agency.keys.items() if USES[purpose].signs]
    request = certificate_request(tls_key or generate_tls_key())
    return state_enrolment(agency.party, agency.root, proving, request, requested_at=NOON)


def taken_in(file: bytes) -> EnrolmentRequest:
    """A request as the hub reads it."""
    return read_enrolment(file, hub=HUB, now=NOON)


def answered(request: EnrolmentRequest, hub: dict[PartyKind, Member], **changes: bytes) -> bytes:
    """The hub's reply; `changes` are other parts of the welcome."""
    challenge, _ = seal_challenge(request, NOON)
    welcome = Welcome((), b"account", b"authorities", b"certificate", b"trust", challenge)
    return state_reply(
        request,
        [member.party for member in hub.values()],
        replace(welcome, **changes),  # type: ignore[arg-type]
        ADDRESSES,
        hub[PartyKind.ADMISSION].signing(KeyPurpose.ADMISSION),
        issued_at=NOON,
        expires_at=NOON + DAY_MS,
    )


def received(file: bytes, request: EnrolmentRequest) -> AdmissionReply:
    """A reply as the agency reads it."""
    return read_reply(file, request=request, now=NOON)


def words(file: bytes, reply: bytes) -> Sequence[str]:
    """What a side that has these two files reads out."""
    request = taken_in(file)
    return ceremony_words(request, received(reply, request))


@dataclass(frozen=True)
class Swapped:
    """An agency one of whose keys is another's, signed by a root."""

    member: Member
    purpose: KeyPurpose


def with_key(agency: Member, purpose: KeyPurpose, root: SigningKey) -> Swapped:
    """The agency's statement with the attacker's key for one purpose, signed by that root, and what can be proven."""
    other = an_agency(agency.party.id)
    theirs = {key.purpose: key for key in other.party.statement.keys}
    keys = [theirs[key.purpose] if key.purpose is purpose else key for key in agency.party.statement.keys]
    changes = {"keys": keys, "root": encode_base64(root.public.raw)}
    statement = agency.party.statement.model_copy(update=changes)
    party: Party = read_party(state_party(statement, root))
    held = {**agency.keys, **({purpose: other.keys[purpose]} if purpose in other.keys else {})}
    return Swapped(Member(party, root, held, agency.identities), purpose)
