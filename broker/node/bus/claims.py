"""NATS's claims: signed statements of what an operator, an account or a user of the bus may do (JWT version 2).

Owns the form, `alg: ed25519-nkey` (nats-io/jwt v2), and the user's claims that every party issues for itself. Refuses
to know which accounts there are and what they may do: `broker.enrolment.claims.accounts`.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.crypto import nkey
from schemas.crypto.failures import KeyMalformed, WrongPurpose
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected

USER_LIFE: Final = timedelta(days=1)
"""A party issues its own user's claims at every connect, so that a stolen copy is of little use; the server ends a
connection whose claims are over."""
MAX_CLAIMS_BYTES: Final = 64 * 1024
"""Ours are under 3 KB; an account with every signing key that a statement can hold is under 32."""

_HEADER: Final = {"alg": "ed25519-nkey", "typ": "JWT"}
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
_ISSUES: Final = {
    KeyPurpose.BUS_OPERATOR: ("operator",),
    KeyPurpose.BUS_OPERATOR_SIGNER: ("account", "generic"),
    KeyPurpose.BUS_SIGNER: ("user",),
    KeyPurpose.BUS_SYSTEM_SIGNER: ("user",),
}
"""What a key of each purpose issues. An account's own key issues nothing: it names, and its signing keys sign."""


class ClaimsInvalid(Rejected):
    """Claims that are not of their form, or not signed by the key that they name as their issuer."""

    code = "bus_claims_invalid"


class ClaimsKind(StrEnum):
    """What is claimed about the subject."""

    OPERATOR = "operator"
    ACCOUNT = "account"
    USER = "user"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an issuer says of a subject; both are nkeys. Times are whole seconds, in milliseconds UTC."""

    kind: ClaimsKind
    subject: str
    issuer: str
    issued_at: int
    expires_at: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    """The member `nats` without its type and version."""


def encode(claims: Claims, signer: SigningKey) -> str:
    """The claims as signed text.

    Raises:
        WrongPurpose: the signer is not the issuer, or its keys do not issue such claims.
    """
    if claims.kind not in _ISSUES.get(signer.purpose, ()) or nkey.of(signer.public) != claims.issuer:
        raise WrongPurpose(f"a {signer.purpose} key does not issue these {claims.kind} claims")
    payload: dict[str, Any] = {
        "iat": claims.issued_at // 1000,
        "iss": claims.issuer,
        "nats": {**claims.body, "type": claims.kind.value, "version": 2},
        "sub": claims.subject,
    }
    if claims.expires_at is not None:
        payload["exp"] = claims.expires_at // 1000
    # The id tells two claims apart where the server merges stores; it only has to follow from the content.
    payload["jti"] = b32encode(hashlib.sha256(_json(payload)).digest()).decode("ascii").rstrip("=")
    text = f"{_base64(_json(_HEADER))}.{_base64(_json(payload))}"
    return f"{text}.{_base64(signer.private.sign(text.encode('ascii')))}"


def decode(text: str) -> Claims:
    """The claims of a text, known to be signed by the issuer that they name; whether to trust it is the caller's.

    Raises:
        ClaimsInvalid: says what of the form does not hold.
    """
    if len(text) > MAX_CLAIMS_BYTES or _JWT.fullmatch(text) is None:
        raise ClaimsInvalid("not three parts of base64url, or too long")
    signed, _, signature = text.rpartition(".")
    header, payload = (_unverified_object(part) for part in signed.split("."))
    if header != _HEADER:
        raise ClaimsInvalid("not signed with ed25519-nkey")
    try:
        read = _Payload.model_validate(payload)
        kind = ClaimsKind(read.nats.pop("type", None))
        issuer = nkey.Kind.OPERATOR if kind is not ClaimsKind.USER else nkey.Kind.ACCOUNT
        key = Ed25519PublicKey.from_public_bytes(nkey.decode(issuer, read.iss))
        key.verify(_bytes(signature), signed.encode("ascii"))
    except (ValidationError, ValueError, KeyMalformed):
        raise ClaimsInvalid("a member is missing, unknown or of another type") from None
    except InvalidSignature:
        raise ClaimsInvalid("not signed by the issuer it names") from None
    if read.nats.pop("version", None) != 2:
        raise ClaimsInvalid("not claims of version 2")
    expires_at = None if read.exp is None else read.exp * 1000
    return Claims(kind, read.sub, read.iss, read.iat * 1000, expires_at, read.nats)


def user_claims(user: PublicKey, account: str, signer: SigningKey, *, now: int, life: timedelta = USER_LIFE) -> str:
    """A user's claims, issued by the party itself under a signing key of its account, whose nkey `account` is.

    They say nothing of permissions: the account's claims fix a template for each signing key, and the server refuses a
    user who brings any of its own.

    Raises:
        WrongPurpose: one of the keys is for something else.
    """
    return encode(
        Claims(
            kind=ClaimsKind.USER,
            subject=nkey.of(user),
            issuer=nkey.of(signer.public),
            # Servers whose clocks are behind do not look at this; an expiry in their past they do.
            issued_at=now,
            expires_at=now + life // timedelta(milliseconds=1),
            body={"issuer_account": account},
        ),
        signer,
    )


def inbox_of(user: PublicKey) -> str:
    """Where the server answers this user and nobody else: the prefix that its template lets it subscribe below."""
    return f"_INBOX.{nkey.of(user)}"


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    jti: str
    iat: int
    iss: str
    sub: str
    exp: int | None = None
    nats: dict[str, Any]


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _base64(raw) != text:
        raise ClaimsInvalid("base64 with bits that mean nothing")
    return raw


def _unverified_object(part: str) -> dict[str, Any]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ClaimsInvalid("a member that is there twice")
        return found

    try:
        value = json.loads(_bytes(part), object_pairs_hook=members)
    except (ValueError, RecursionError):
        raise ClaimsInvalid("not JSON") from None
    if not isinstance(value, dict):
        raise ClaimsInvalid("not an object")
    return value
