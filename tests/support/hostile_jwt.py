"""Nkeys and NATS JWTs as anybody can make them: attackers sign whatever they like, for whomever they like.

Written apart from the product's own, so that a mistake in that one cannot hide an attack here. Refuses to know what a
server accepts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.raw_nats import Credentials

_KINDS: Final = {"operator": 14 << 3, "account": 0, "user": 20 << 3, "server": 13 << 3}
HOUR_S: Final = 3600


@dataclass(frozen=True)
class Nkey:
    """A key pair of NATS: an Ed25519 key with a letter for what it is."""

    kind: str
    private: Ed25519PrivateKey

    @classmethod
    def make(cls, kind: str) -> Nkey:
        """A new one."""
        return cls(kind, Ed25519PrivateKey.generate())

    @property
    def public(self) -> str:
        """Its name: 56 characters, `O`, `A` or `U` first."""
        raw = bytes([_KINDS[self.kind]]) + self.private.public_key().public_bytes_raw()
        return base64.b32encode(raw + _crc16(raw).to_bytes(2, "little")).rstrip(b"=").decode()

    def sign(self, message: bytes) -> bytes:
        """Sign anything."""
        return self.private.sign(message)


def forged(
    issuer: Nkey,
    subject: str,
    kind: str,
    nats: Mapping[str, Any],
    *,
    expires_in_s: int | None = HOUR_S,
    issued_ago_s: int = 0,
    issuer_name: str | None = None,
    algorithm: str = "ed25519-nkey",
) -> str:
    """A JWT of any claims, signed by any key; `issuer_name` claims another issuer than the one that signs."""
    issued = int(time.time()) - issued_ago_s
    claims: dict[str, Any] = {
        "iat": issued,
        "iss": issuer_name or issuer.public,
        "sub": subject,
        "nats": {**nats, "type": kind, "version": 2},
    }
    if expires_in_s is not None:
        claims["exp"] = issued + issued_ago_s + expires_in_s
    claims["jti"] = base64.b32encode(hashlib.sha256(os.urandom(16)).digest()).rstrip(b"=").decode()
    signed = f"{_text({'typ': 'JWT', 'alg': algorithm})}.{_text(claims)}"
    return f"{signed}.{_base64(issuer.sign(signed.encode()))}"


def user_of(
    signer: Nkey, account: str, nats: Mapping[str, Any] | None = None, *, key: Nkey | None = None, **claims: Any
) -> Credentials:
    """A user of an account, as the account's signing key makes one; without claims of its own it is a scoped one."""
    key = key or Nkey.make("user")
    content = {"issuer_account": account, **(UNSCOPED if nats is None else nats)}
    return Credentials(forged(signer, key.public, "user", content, **claims), key.sign)


UNSCOPED: Final[Mapping[str, Any]] = {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1}
"""What a user claims who is not under a template: everything."""
SCOPED: Final[Mapping[str, Any]] = {"pub": {}, "sub": {}}
"""What a user claims who is under a template: nothing of its own."""


def altered(jwt: str, **claims: Any) -> str:
    """Somebody's JWT with claims changed, its signature as it was."""
    head, body, signature = jwt.split(".")
    read = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return f"{head}.{_text({**read, **claims})}.{signature}"


def _text(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _crc16(raw: bytes) -> int:
    crc = 0
    for byte in raw:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
