"""The fixed keys and parties of the vectors. The seeds are public and the keys sign nothing else, ever."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from schemas.crypto.keys import ED25519_BYTES, HYBRID_PRIVATE_BYTES, Identity, SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import Signature
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, PartyKind, PartyStatement, read_party, state_party
from schemas.vocabulary import AgencyKind, OfficerRole

HUB: Final = "example-hub"
DESK: Final = "desk"
COORDINATOR: Final = "coordinator"
AGENCY: Final = "example-police"
ADMISSION: Final = "admission"
OFFICER: Final = "o-4f2a9c"
MANAGER: Final = "o-71c3d0"
LEAD: Final = "o-9be105"
IG_OFFICER: Final = "o-81d0e3"
LOG: Final = "hub.example/sharing-log/2026"
MINUTE_MS: Final = 60_000
DAY_MS: Final = 24 * 60 * MINUTE_MS
T0: Final = 1_795_305_600_000
"""2026-11-22T00:00:00Z: when the sample enquiry was received."""

_STATED: Final = {
    DESK: (
        KeyPurpose.MESSAGE,
        KeyPurpose.DEED,
        KeyPurpose.REQUEST,
        KeyPurpose.ADDENDUM,
        KeyPurpose.BUS_SIGNER,
        KeyPurpose.BUS_USER,
    ),
    COORDINATOR: (
        KeyPurpose.MESSAGE,
        KeyPurpose.DEED,
        KeyPurpose.GRANT,
        KeyPurpose.LOG,
        KeyPurpose.BUS_SIGNER,
        KeyPurpose.BUS_USER,
    ),
    AGENCY: (
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
    ),
    ADMISSION: (
        KeyPurpose.MESSAGE,
        KeyPurpose.DEED,
        KeyPurpose.DIRECTORY,
        KeyPurpose.ADMISSION,
        KeyPurpose.BUS_ACCOUNT,
        KeyPurpose.BUS_SIGNER,
        KeyPurpose.BUS_USER,
    ),
    OFFICER: (KeyPurpose.OFFICER, KeyPurpose.COMMAND),
    IG_OFFICER: (KeyPurpose.OFFICER, KeyPurpose.COMMAND, KeyPurpose.POLICY),
}
_KINDS: Final = {
    DESK: PartyKind.DESK,
    COORDINATOR: PartyKind.COORDINATOR,
    AGENCY: PartyKind.AGENT,
    ADMISSION: PartyKind.ADMISSION,
}
_ROLES: Final = {OFFICER: OfficerRole.SOCIAL_WORKER, IG_OFFICER: OfficerRole.IG_LEAD}


def drawn(label: str, length_bytes: int) -> bytes:
    """Bytes that look random and follow from a label: SHAKE256 of `needtoknow/v1/vectors/<label>`."""
    return hashlib.shake_256(b"needtoknow/v1/vectors/" + label.encode("ascii")).digest(length_bytes)


def drawn_id(label: str) -> str:
    """Sixteen such bytes, in hexadecimal."""
    return drawn(label, 16).hex()


def drawn_digest(label: str) -> str:
    """A digest of nothing in particular."""
    return drawn(label, 32).hex()


@cache
def signing_key(party: str, purpose: KeyPurpose) -> SigningKey:
    """A party's signing key."""
    return SigningKey.from_seed(purpose, drawn(f"{party}/{purpose}", ED25519_BYTES))


@cache
def identity(party: str, purpose: KeyPurpose) -> Identity:
    """A party's private sealing key."""
    return Identity.from_seed(purpose, drawn(f"{party}/{purpose}", HYBRID_PRIVATE_BYTES))


def statement(party: str, /, **changes: object) -> PartyStatement:
    """What a party's file says."""
    keys = [
        KeyStatement(
            purpose=purpose,
            public=encode_base64(
                (signing_key(party, purpose) if USES[purpose].signs else identity(party, purpose)).public.raw
            ),
            not_before=T0 - DAY_MS,
            not_after=T0 + 6 * DAY_MS,
            epoch=47 if purpose is KeyPurpose.SEAL else 0,
        )
        for purpose in _STATED[party]
    ]
    stated = PartyStatement(
        hub=HUB,
        party=party,
        party_kind=_KINDS.get(party, PartyKind.OFFICER),
        agency_kind=AgencyKind.POLICE if party == AGENCY else None,
        officer_role=_ROLES.get(party),
        name="Example Police" if party == AGENCY else "Example Hub",
        log=LOG if party == COORDINATOR else None,
        root=encode_base64(signing_key(party, KeyPurpose.ROOT).public.raw),
        keys=keys,
        issued_at=T0 - DAY_MS,
        serial=1,
    )
    return stated.model_copy(update=changes)


def party_file(party: str) -> bytes:
    """A party's file."""
    return state_party(statement(party), signing_key(party, KeyPurpose.ROOT))


@cache
def party(name: str) -> Party:
    """A party, read from its file."""
    return read_party(party_file(name))


def signed_by(key: SigningKey, raw: bytes) -> Signature:
    """A key's signature under its own purpose."""
    return Signature(key.id, sign(key, key.purpose, raw))
