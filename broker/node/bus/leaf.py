"""What an agency's own nats-server shows the hub's, when it is a leaf node of the bus.

Owns the credentials file: a user of its own, issued by the agency under its signing key; and what else of the agent's
home its server needs. Refuses to know the server's configuration (`broker.enrolment.configuration.leaf`, which the hub
writes, because all of it is public).
"""

from __future__ import annotations

import binascii
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.node.bus.access import signer_in_use, tls_key_of
from broker.node.bus.access_files import read_bus_file, read_certificates, read_claims
from broker.node.bus.claims import user_claims
from broker.node.home import Home
from broker.node.keystore import KeyReader
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure

LEAF_LIFE: Final = timedelta(days=90)
"""The server reads the file at each connect, and is cut off when its claims end. A timer renews it daily; if that has
stopped, there is a month until the first of the notices that everything has (60, 30, 14 and 3 days ahead)."""
LEAF_USER: Final = "leaf-user.jwt"
LEAF_SERVER: Final = "leaf-server.pem"
"""Of what the server was given last, the public halves: in the agent's `bus/`, where it is looked up when they end."""

_SEED: Final = 18 << 3
_USER: Final = 20 << 3


class LeafNotAllowed(Failure):
    """The hub lets this agency's account have no leaf node."""

    code = "leaf_not_allowed"


@dataclass(frozen=True, slots=True)
class LeafAccess:
    """What the agency's server shows the hub's: account, credentials for ninety days, a certificate and its key."""

    account: str
    claims: str
    chain: bytes
    authorities: bytes
    credentials: str = field(repr=False)
    key: bytes = field(repr=False)
    """The agent's TLS key in PEM, in the clear, because nats-server reads no other. It opens the hub's door and says
    nothing of who is there; that is for the credentials, which are the server's own."""


def leaf_access(home: Home, keys: KeyReader, *, now: int) -> LeafAccess:
    """What a leaf node of this agency needs, out of its agent's home.

    Raises:
        LeafNotAllowed: the account's claims, as they are in the home, allow none.
        AccessIncomplete: the agent is not enrolled, or a key is missing.
    """
    folder = home.path / "bus"
    text = read_bus_file(folder / "account.jwt")
    claims = read_claims(text)
    if not claims.body.get("limits", {}).get("leaf"):
        raise LeafNotAllowed(
            "the hub lets this agency have no leaf node; when it has typed broker agency leaf AGENCY on, "
            "type agent keys renew, then this again"
        )
    chain = read_bus_file(folder / "client.pem")
    key = tls_key_of(keys, read_certificates(chain, "client.pem")[0])
    return LeafAccess(
        account=claims.subject,
        claims=text.decode("ascii").strip(),
        chain=chain,
        authorities=read_bus_file(folder / "ca.pem"),
        credentials=leaf_credentials(claims.subject, signer_in_use(home.own(), keys, claims), now=now),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


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
