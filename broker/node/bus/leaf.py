"""What an agency's own nats-server shows the hub's, when it is a leaf node of the bus.

Owns the credentials file: a user of its own, issued by the agency under its signing key. Refuses to know the server's
configuration (`broker.enrolment.leaf_config`, which the hub writes, because all of it is public).
"""

from __future__ import annotations

import binascii
from base64 import b32encode
from datetime import timedelta
from typing import Final

from broker.node.bus.claims import user_claims
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose

LEAF_LIFE: Final = timedelta(days=30)
"""The server reads the file at each connect, and is cut off when its claims end: the file is renewed in time."""

_SEED: Final = 18 << 3
_USER: Final = 20 << 3


def leaf_credentials(account: str, signer: SigningKey, *, now: int, life: timedelta = LEAF_LIFE) -> str:
    """A credentials file for one leaf node: claims and private key of a user made for this file alone.

    nats-server reads private keys in this form and no other; so it is not the agency's own user, and the file is its
    server's alone. `account` is the nkey of the agency's account, whose claims must allow a leaf node.
    """
    user = SigningKey.generate(KeyPurpose.BUS_USER)
    claims = user_claims(user.public, account, signer, now=now, life=life)
    return (
        f"-----BEGIN NATS USER JWT-----\n{claims}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{_seed(user)}\n------END USER NKEY SEED------\n"
    )


def _seed(user: SigningKey) -> str:
    # The letter of a seed, then that of a user: five bits each, over two bytes (nkeys).
    body = bytes([_SEED | _USER >> 5, (_USER & 31) << 3]) + user.seed()
    return b32encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "little")).decode("ascii").rstrip("=")
