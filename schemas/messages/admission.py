"""What an agency gets back: the hub's keys, and everything it needs to begin, in one file (SPEC 10.3).

Nothing in it is secret. It is signed by the hub's admission, whose keys it brings itself: so it proves only that it is
whole, and the ten words (SPEC 10.4) over request and reply say to two people that nobody stands between them. Refuses
to know JWTs, certificates and trust files: they are bytes here, read where they are used.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import CHALLENGE_BYTES, Sealing, open_sealed, seal
from schemas.envelope import Envelope, check_parts, digest, signed, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.armour import armoured, dearmour
from schemas.messages.enrolment import EnrolmentRequest
from schemas.messages.fields import Address, Hex16, Hex32, Millis, Slug
from schemas.messages.model import Message, read
from schemas.messages.party import Directory, Party, PartyKind, open_party_frame

MARK: Final = "ADMISSION"
MAX_REPLY_BYTES: Final = 1_400_000
"""The largest frame, in base64 and lines."""
MAX_REPLY_LIFE_MS: Final = 30 * 24 * 3600 * 1000
SKEW_MS: Final = 120_000
"""Two clocks may differ by so much (SPEC 4.3)."""
PARTS: Final = (
    "coordinator",
    "desk",
    "admission",
    "officers",
    "account",
    "authorities",
    "certificate",
    "trust",
    "challenge",
)
"""The parts by number."""
_HUB: Final = (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION)


class ReplyMalformed(Rejected):
    """Not one header, one signature and the nine parts, or parties of other kinds than belong there."""

    code = "reply_malformed"


class ReplyForeign(Rejected):
    """A reply to another request, or about another hub or agency."""

    code = "reply_foreign"


class ReplyUntimely(Rejected):
    """A reply dated in the future, past its expiry, or valid for too long."""

    code = "reply_untimely"


class AdmissionHeader(Message):
    """What admission signs."""

    kind: Literal["admission"] = "admission"
    hub: Slug
    agency: Slug
    admission_key: Hex16
    request_digest: Hex32 = Field(description="Digest of the request's whole frame.")
    nonce: Hex32 = Field(description="Random, so that nobody can make a request to fit the words.")
    issued_at: Millis
    expires_at: Millis
    addresses: Annotated[list[Address], Field(min_length=1, max_length=16)]
    parts: Annotated[list[Hex32], Field(min_length=len(PARTS), max_length=len(PARTS))]


@dataclass(frozen=True, slots=True)
class Welcome:
    """What admission sends to an agency beside the hub's three party files."""

    officers: tuple[Party, ...]
    """Those whose requests the agency is to answer; it pins them with the hub."""
    account: bytes
    """Its account JWT."""
    authorities: bytes
    """The certificates of the bus's authorities, in PEM."""
    certificate: bytes
    """Its own certificate chain, in PEM."""
    trust: bytes
    """Whose signatures make a checkpoint good (C2SP tlog-policy)."""
    challenge: bytes
    """32 random bytes sealed to its sealing key, bound to its request's header."""


@dataclass(frozen=True, slots=True)
class AdmissionReply:
    """A reply that holds in itself. It may be acted on once people have compared the words."""

    header: AdmissionHeader
    coordinator: Party
    desk: Party
    admission: Party
    welcome: Welcome
    frame: bytes
    digest: str
    """SHA-256 of the header's bytes, which name everything else."""


def state_reply(
    request: EnrolmentRequest,
    hub: Sequence[Party],
    welcome: Welcome,
    addresses: Sequence[str],
    key: SigningKey,
    *,
    issued_at: int,
    expires_at: int,
    nonce: str | None = None,
) -> bytes:
    """The file that answers a request.

    Args:
        hub: coordinator, desk and admission, in any order.
        addresses: of the bus: `tls://host:port` or `wss://host:port`.
        key: admission's `admission` key.
        nonce: given by vectors only; random otherwise.

    Raises:
        ValidationError: an address is none, or there are none or too many.
    """
    by_kind = {party.statement.party_kind: party for party in hub}
    officers = b"".join(len(one.frame).to_bytes(4, "big") + one.frame for one in welcome.officers)
    parts = [
        *(by_kind[kind].frame for kind in _HUB),
        officers,
        welcome.account,
        welcome.authorities,
        welcome.certificate,
        welcome.trust,
        welcome.challenge,
    ]
    header = AdmissionHeader(
        hub=request.header.hub,
        agency=request.header.agency,
        admission_key=key.id,
        request_digest=request.digest,
        nonce=nonce or os.urandom(32).hex(),
        issued_at=issued_at,
        expires_at=expires_at,
        addresses=list(addresses),
        parts=[digest(part) for part in parts],
    )
    return armoured(MARK, signed(header.encode(), [key], parts))


def read_reply(file: bytes, *, request: EnrolmentRequest, now: int) -> AdmissionReply:
    """The reply of a file to the request that this agency made, or the check of SPEC 10.3 that it fails.

    Raises:
        Rejected: the failure names the check.
    """
    frame = dearmour(MARK, file, limit_bytes=MAX_REPLY_BYTES)  # 1  one frame of this kind, between its marks
    envelope = unpack(frame)
    header = read(AdmissionHeader, envelope.header)
    if len(envelope.signatures) != 1 or len(envelope.parts) != len(PARTS):
        raise ReplyMalformed("a reply has one signature and nine parts")
    # 2  to my request
    if (header.hub, header.agency, header.request_digest) != (
        request.header.hub,
        request.header.agency,
        request.digest,
    ):
        raise ReplyForeign("a reply to another request than the one made here; send the newest request to the hub")
    check_parts(envelope, header.parts)  # 3  with the parts it names
    if not header.issued_at < header.expires_at <= header.issued_at + MAX_REPLY_LIFE_MS or now >= header.expires_at:
        raise ReplyUntimely("past its expiry, or valid for too long")  # 4  in time
    if header.issued_at > now + SKEW_MS:
        raise ReplyUntimely("dated later than the permitted clock skew")
    coordinator, desk, admission = _hub_of(envelope)  # 5  with the hub's three parties and its officers
    officers = _officers_of(envelope.parts[PARTS.index("officers")])
    # 6  of which no key is another's, or mine
    pinned = Directory.of(header.hub, [request.party, coordinator, desk, admission, *officers])
    key = pinned.key(admission.id, KeyPurpose.ADMISSION, header.admission_key, header.issued_at, seen_at=now)
    verify_header(envelope, key, KeyPurpose.ADMISSION)  # 7  signed by that admission
    welcome = Welcome(officers, *envelope.parts[PARTS.index("account") :])
    return AdmissionReply(header, coordinator, desk, admission, welcome, frame, envelope.digest)


def seal_challenge(request: EnrolmentRequest, now: int) -> tuple[bytes, str]:
    """A new challenge, sealed to the newest sealing key of whoever made the request, and the digest that answers it.

    Raises:
        KeyNotInForce: that key is over by now.
    """
    challenge = os.urandom(CHALLENGE_BYTES)
    alone = Directory.of(request.header.hub, [request.party])
    key, _ = alone.newest(request.party.id, KeyPurpose.SEAL, now)
    return seal(Sealing.CHALLENGE, request.header_bytes, challenge, key), digest(challenge)


def open_challenge(request: EnrolmentRequest, sealed: bytes, identity: Identity) -> str:
    """The digest by which an agency shows that it opened the challenge (SPEC 10.3).

    Raises:
        SealBroken: it does not open.
    """
    return digest(open_sealed(Sealing.CHALLENGE, request.header_bytes, sealed, identity))


def _hub_of(envelope: Envelope) -> tuple[Party, Party, Party]:
    coordinator, desk, admission = (open_party_frame(part) for part in envelope.parts[: len(_HUB)])
    if tuple(party.statement.party_kind for party in (coordinator, desk, admission)) != _HUB:
        raise ReplyMalformed("not a coordinator, a desk and an admission")
    return coordinator, desk, admission


def _officers_of(part: bytes) -> tuple[Party, ...]:
    officers = []
    while part:
        length = int.from_bytes(part[:4], "big")
        frame, rest = part[4 : 4 + length], part[4 + length :]
        if len(frame) != length:
            raise ReplyMalformed("the officers' part ends too early")
        officers.append(open_party_frame(frame))
        part = rest
    if any(officer.statement.party_kind is not PartyKind.OFFICER for officer in officers):
        raise ReplyMalformed("an officer who is none")
    return tuple(officers)
