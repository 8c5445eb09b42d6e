"""How an agency asks to be admitted: its public keys, and the proof that it holds each private half (SPEC 10.2).

One frame in a file or a pasted block. It names itself and is signed by its own root, so it proves nothing about who the
agency is: that is for two people and the words of SPEC 10.4. Refuses to know TLS: the certificate request in it is
read where certificates are made.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.crypto.signing import sign, verify
from schemas.envelope import check_parts, digest, signed, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.armour import armoured, dearmour
from schemas.messages.fields import Hex16, Hex32, Hex64, Millis, Slug
from schemas.messages.model import Message, Part, read
from schemas.messages.party import MAX_KEYS, Party, PartyKind, StatedKey, open_party_frame

MARK: Final = "ENROLMENT"
MAX_REQUEST_BYTES: Final = 96 * 1024
"""The largest header and the largest party frame, in base64."""
MAX_CERTIFICATE_REQUEST_BYTES: Final = 1024
REQUEST_LIFE_MS: Final = 30 * 24 * 3600 * 1000
"""A month between an agency's request and the telephone call."""
SKEW_MS: Final = 120_000
"""Two clocks may differ by so much (SPEC 4.3)."""
MAX_EPOCH_MS: Final = 7 * 24 * 3600 * 1000
"""The longest a sealing key may live: what was sealed to it is unreadable after that, and a grace."""
EPOCH_MARGIN_MS: Final = 600_000
"""A key may begin so much early, for those whose clocks are behind."""
NEEDED: Final = frozenset(
    {
        KeyPurpose.MESSAGE,
        KeyPurpose.DEED,
        KeyPurpose.ANSWER,
        KeyPurpose.SEAL,
        KeyPurpose.LOG,
        KeyPurpose.ADDENDUM,
        KeyPurpose.WITNESS,
        KeyPurpose.BUS_ACCOUNT,
        KeyPurpose.BUS_SIGNER,
        KeyPurpose.BUS_USER,
    }
)
"""An agency has a key of each of these in force when it asks."""


class EnrolmentMalformed(Rejected):
    """Not one header, one signature, a party frame and a certificate request."""

    code = "enrolment_malformed"


class EnrolmentForeign(Rejected):
    """A request to another hub, or one that names another agency than the party in it."""

    code = "enrolment_foreign"


class EnrolmentUntimely(Rejected):
    """A request dated in the future, or too long ago."""

    code = "enrolment_untimely"


class NotAnAgency(Rejected):
    """The party that asks is of another kind."""

    code = "not_an_agency"


class KeysIncomplete(Rejected):
    """A key that an agency needs is missing, or not in force."""

    code = "keys_incomplete"


class KeyShared(Rejected):
    """One key for two purposes, or in two parties' hands."""

    code = "key_shared"


class EpochTooLong(Rejected):
    """A sealing key that would live for longer than an epoch."""

    code = "epoch_too_long"


class ProofMissing(Rejected):
    """A signing key without a proof that its private half is there."""

    code = "proof_missing"


class ProofUnasked(Rejected):
    """A proof by a key that the party does not state, or a second one by the same key."""

    code = "proof_unasked"


class ProofInvalid(Rejected):
    """A proof that its key did not sign, or signed for another statement or another request."""

    code = "proof_invalid"


class Possession(Message):
    """What each key signs under its own purpose: the statement that names it, and this request."""

    kind: Literal["possession"] = "possession"
    statement: Hex32 = Field(description="Digest of the party frame.")
    nonce: Hex32


class Proof(Part):
    """A key's signature of the `possession`."""

    key: Hex16
    sig: Hex64


class EnrolmentHeader(Message):
    """What the agency's root signs."""

    kind: Literal["enrolment"] = "enrolment"
    hub: Slug
    agency: Slug
    requested_at: Millis
    nonce: Hex32 = Field(description="Random: no two requests are the same.")
    proofs: Annotated[list[Proof], Field(max_length=MAX_KEYS)]
    parts: Annotated[list[Hex32], Field(min_length=2, max_length=2)]


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """A request that holds in itself; whether it clashes with anybody is `schemas.messages.newcomer`'s to say."""

    header: EnrolmentHeader
    party: Party
    certificate_request: bytes
    frame: bytes
    header_bytes: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the whole frame: what a reply and the log name it by."""
        return digest(self.frame)

    @property
    def file(self) -> bytes:
        """The request as text that survives e-mail."""
        return armoured(MARK, self.frame)


def state_enrolment(
    party: Party,
    root: SigningKey,
    keys: Iterable[SigningKey],
    certificate_request: bytes,
    *,
    requested_at: int,
    nonce: str | None = None,
) -> bytes:
    """The file in which a party asks to be admitted.

    Args:
        keys: the private halves of every signing key it states that is not over.
        certificate_request: PKCS#10 in DER, for its `tls` key.
        nonce: given by vectors only; random otherwise.
    """
    nonce = nonce or os.urandom(32).hex()
    possession = Possession(statement=party.digest, nonce=nonce).encode()
    header = EnrolmentHeader(
        hub=party.statement.hub,
        agency=party.id,
        requested_at=requested_at,
        nonce=nonce,
        proofs=[Proof(key=key.id, sig=sign(key, key.purpose, possession).hex()) for key in keys],
        parts=[party.digest, digest(certificate_request)],
    )
    return armoured(MARK, signed(header.encode(), [root], [party.frame, certificate_request]))


def read_enrolment(file: bytes, *, hub: str, now: int) -> EnrolmentRequest:
    """The request of a file, or the check of SPEC 10.2 that it fails.

    Args:
        now: milliseconds UTC.

    Raises:
        Rejected: the failure names the check.
    """
    frame = dearmour(MARK, file, limit_bytes=MAX_REQUEST_BYTES)  # 1  one frame of this kind, between its marks
    envelope = unpack(frame)
    header = read(EnrolmentHeader, envelope.header)
    if len(envelope.signatures) != 1 or len(envelope.parts) != len(header.parts):
        raise EnrolmentMalformed("a request has one signature and two parts")
    if not 0 < len(envelope.parts[1]) <= MAX_CERTIFICATE_REQUEST_BYTES:
        raise EnrolmentMalformed(f"a certificate request has 1 to {MAX_CERTIFICATE_REQUEST_BYTES} bytes")
    if header.hub != hub:  # 2  to this hub
        raise EnrolmentForeign("a request to another hub")
    check_parts(envelope, header.parts)  # 3  with the parts it names
    party = open_party_frame(envelope.parts[0])  # 4  by the agency it names, whose statement holds
    if party.statement.party_kind is not PartyKind.AGENT:
        raise NotAnAgency("only agencies ask to be admitted")
    if (party.statement.hub, party.id) != (header.hub, header.agency):
        raise EnrolmentForeign("a request that names another party than the one in it")
    verify_header(envelope, party.root, KeyPurpose.ROOT)  # 5  signed by its root
    if not now - REQUEST_LIFE_MS <= header.requested_at <= now + SKEW_MS:  # 6  not long ago
        raise EnrolmentUntimely("made too long ago, or dated in the future; make a new request")
    check_keys(party, now)  # 7  with every key it needs, each for one purpose
    _check_proofs(party, header, now)  # 8  and the proof that it holds them
    return EnrolmentRequest(header, party, envelope.parts[1], frame, envelope.header)


def check_keys(party: Party, now: int) -> None:
    """That an agency states every key it needs, each for one purpose, and sealing keys for an epoch only.

    Raises:
        KeyShared, KeysIncomplete, EpochTooLong: it does not.
    """
    if len(party.publics) != 1 + len(party.keys):
        raise KeyShared("one key has two purposes")
    missing = NEEDED - {one.key.purpose for one in party.keys if one.in_force(now)}
    if missing:
        raise KeysIncomplete(f"no {', '.join(sorted(missing))} key in force")
    if any(
        one.not_after - one.not_before > MAX_EPOCH_MS + EPOCH_MARGIN_MS
        for one in party.keys
        if one.key.purpose is KeyPurpose.SEAL
    ):
        raise EpochTooLong("a sealing key lives for seven days at most")


def _check_proofs(party: Party, header: EnrolmentHeader, now: int) -> None:
    stated = {one.key.id: one for one in party.keys if USES[one.key.purpose].signs}
    given = {proof.key: proof for proof in header.proofs}
    if len(given) != len(header.proofs) or not given.keys() <= stated.keys():
        raise ProofUnasked("a proof that nobody asked for")
    if {name for name, one in stated.items() if _is_to_be_proven(one, now)} - given.keys():
        raise ProofMissing("a key whose private half is not shown to be there")
    possession = Possession(statement=party.digest, nonce=header.nonce)
    for name, proof in given.items():
        key = stated[name].key
        try:
            verify(key, key.purpose, possession.encode(), bytes.fromhex(proof.sig), possession)
        except Rejected:
            raise ProofInvalid(f"the proof of the {key.purpose} key does not hold") from None


def _is_to_be_proven(key: StatedKey, now: int) -> bool:
    # A key that is over stays stated for the log's sake, and its private half may be gone.
    return key.revoked_at is None and now < key.not_after
