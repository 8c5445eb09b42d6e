"""What admission shows a server when it comes as the system account: other keys, but the party's own certificate.

Refuses to know how to dial, and what is asked: `broker.enrolment.servers.connection`.
"""

from __future__ import annotations

import ssl
from typing import Final

from broker.enrolment.claims.keys import BusKeys
from broker.node.bus.access import Access, HomeAccess, Lapse
from broker.node.bus.claims import inbox_of, user_claims
from broker.node.home import Home
from broker.node.keystore import KeyReader
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected

MAX_NONCE_BYTES: Final = 64


class SystemAccess:
    """The access of the system account's one user."""

    __slots__ = ("_party", "_signer", "_user", "account")

    def __init__(self, account: str, signer: SigningKey, user: SigningKey, party: Access) -> None:
        """`party` is admission's own access, whose TLS is used."""
        self.account = account
        self._signer = signer
        self._user = user
        self._party = party

    @classmethod
    def load(cls, admission: Home, keys: KeyReader) -> SystemAccess:
        """Read it from admission's home. Blocking, some milliseconds.

        Raises:
            HomeInvalid: a key is missing. AccessIncomplete: a file is.
        """
        held = BusKeys(admission, keys)
        return cls(
            nkey.of(held.in_use(KeyPurpose.BUS_SYSTEM).public),
            held.in_use(KeyPurpose.BUS_SYSTEM_SIGNER),
            held.in_use(KeyPurpose.BUS_SYSTEM_USER),
            HomeAccess.load(admission, keys),
        )

    @property
    def inbox(self) -> str:
        """The prefix of this user's inboxes."""
        return inbox_of(self._user.public)

    @property
    def lapses(self) -> tuple[Lapse, ...]:
        """Those of the party's access; the system account's claims do not end."""
        return self._party.lapses

    @property
    def others(self) -> tuple[SystemAccess, ...]:
        """None: there is one system account."""
        return ()

    def user_jwt(self, now: int) -> str:
        """The user's claims, under the scoped signing key of the system account."""
        return user_claims(self._user.public, self.account, self._signer, now=now)

    def sign_nonce(self, nonce: bytes) -> bytes:
        """The raw signature of the server's nonce.

        Raises:
            Rejected: too long for a nonce.
        """
        if len(nonce) > MAX_NONCE_BYTES:
            raise Rejected(f"a nonce of more than {MAX_NONCE_BYTES} bytes")
        return self._user.private.sign(nonce)

    def tls(self) -> ssl.SSLContext:
        """Admission's own."""
        return self._party.tls()
