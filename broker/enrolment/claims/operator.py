"""The operator of the bus and its system account: who may say which accounts there are.

Owns their claims. Their private keys lie in admission's key store and nowhere else. Refuses to know any other account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from broker.enrolment.claims.accounts import scope, scoped_permissions
from broker.node.bus.claims import Claims, ClaimsKind, encode
from schemas.crypto import nkey
from schemas.crypto.keys import PublicKey, SigningKey

SYSTEM_ASKS: Final = (
    "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP",
    "$SYS.REQ.CLAIMS.DELETE",
    "$SYS.REQ.CLAIMS.LIST",
    "$SYS.REQ.CLAIMS.UPDATE",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.SERVER.PING.>",
)
"""What admission asks of the servers; the user of the system account may publish nothing else."""
SYSTEM_HEARS: Final = ("$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT", "$SYS.SERVER.*.STATSZ")
"""What admission listens to: who comes and goes, and which servers there are."""
SYSTEM_CONNECTIONS: Final = 8
"""Admission, a person's `broker bus check` beside it, and both again while the server has not noticed an end."""


@dataclass(frozen=True, slots=True)
class Operator:
    """The keys behind the bus, as their claims name them."""

    operator: PublicKey
    signer: PublicKey
    system: PublicKey
    system_signer: PublicKey
    further_signers: Sequence[PublicKey] = ()
    """Of the operator, during a rotation: what they issue holds as well. The servers learn of them at a restart."""
    further_system_signers: Sequence[PublicKey] = ()


def operator_claims(keys: Operator, operator: SigningKey, *, issued_at: int) -> str:
    """The operator's claims, which every server's configuration holds, signed by the operator itself.

    With `strict_signing_key_usage` the operator's own key, and an account's own, sign nothing further: they can lie in
    a drawer. No expiry: only a restart of the servers with another file could renew it.
    """
    body = {
        "signing_keys": [nkey.of(key) for key in (keys.signer, *keys.further_signers)],
        "strict_signing_key_usage": True,
        "system_account": nkey.of(keys.system),
    }
    name = nkey.of(keys.operator)
    return encode(Claims(ClaimsKind.OPERATOR, name, name, issued_at, None, body), operator)


def system_claims(keys: Operator, signer: SigningKey, *, issued_at: int) -> str:
    """The system account's claims, signed by the operator's signing key.

    No expiry: it would guard nothing, since who holds the signing key holds the operator's too, and an expired system
    account could no more be renewed over the bus.
    """
    return encode(
        Claims(ClaimsKind.ACCOUNT, nkey.of(keys.system), nkey.of(signer.public), issued_at, None, system_body(keys)),
        signer,
    )


def system_body(keys: Operator) -> dict[str, Any]:
    """What the claims of the system account say."""
    permissions = scoped_permissions(SYSTEM_ASKS, SYSTEM_HEARS, ["STANDARD", "WEBSOCKET"])
    return {
        "limits": {
            "conn": SYSTEM_CONNECTIONS,
            "data": -1,
            "disallow_bearer": True,
            "exports": -1,
            "imports": -1,
            "leaf": 0,
            "payload": -1,
            "subs": -1,
            "wildcards": True,
        },
        "signing_keys": [
            scope("system", key, permissions) for key in (keys.system_signer, *keys.further_system_signers)
        ],
    }


def deletion_claims(accounts: list[str], signer: SigningKey, *, issued_at: int) -> str:
    """An order to forget accounts, whose claims have expired; issuer and subject are both the operator's signing key.

    The server refuses an order that is not signed by its own subject, and the system account's name on the list.
    """
    name = nkey.of(signer.public)
    return encode(Claims(ClaimsKind.GENERIC, name, name, issued_at, None, {"accounts": accounts}), signer)
