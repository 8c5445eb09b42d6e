"""Telling admission of the party's newer statement, and taking what it gives for it: account JWT and certificate.

A renewal waits in the outbox like any lasting message; only the newest matters, so it replaces those that still wait.
What comes back is written into `<home>/bus/` before the renewal is let go: a crash in between has it sent once more.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.node.bus.claims import decode
from broker.node.bus.port import BusAway
from broker.node.certificates import ends_at
from broker.node.home import Home, write_whole
from broker.node.keystore import KeyStore
from broker.node.post.office import Post
from broker.node.post.port import Settlement
from broker.node.store.port import Transaction
from broker.node.tls_key import certificate_request, generate_tls_key, public_of, split_chain
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.failure_codes import COMMITTED
from schemas.failures import Rejected
from schemas.messages.party import Party, PartyKind
from schemas.messages.transport import Acknowledgement, Renewal, kind_of

_log = structlog.get_logger()

RENEWAL_LIFE_MS: Final = timedelta(days=80) // timedelta(milliseconds=1)
RENEW_AHEAD_MS: Final = timedelta(days=90) // timedelta(milliseconds=1)
"""A certificate is renewed this long before it ends: a month before doctor and alerts begin to speak of it."""
ACCOUNT_RENEW_AHEAD_MS: Final = timedelta(days=70) // timedelta(milliseconds=1)
"""The account's JWT is asked for this long before it ends: admission has made it anew by then, and nobody warns yet."""


class RenewalMalformed(Rejected):
    """The acknowledgement of a renewal without its two parts, or with parts that are not what they should be."""

    code = "renewal_malformed"


@dataclass(slots=True)
class Renewals:
    """Sends renewals and takes their answers. `put` runs in a work, the rest on the event loop."""

    home: Home
    keys: KeyStore = field(repr=False)
    post: Post
    told: Callable[[], Awaitable[None]] | None = None
    """Called once what came is in use: tells admission which authorities are trusted from now on, and tidies up."""
    _stated: dict[str, str] = field(default_factory=dict)
    """The statement that each renewal sent since the start told of."""

    @property
    def folder(self) -> Path:
        """Where the bus's files are."""
        return self.home.path / "bus"

    def put(self, tx: Transaction, admission: Party, now: int, *, request: bytes = b"") -> None:
        """Have the newest statement sent, in place of any that still waits.

        Args:
            request: a certificate request in DER, if a certificate is wanted.
        """
        tx.execute("DELETE FROM outbox WHERE kind = ?", (kind_of(Renewal),))
        challenge = self.challenge()
        fields = {} if challenge is None else {"challenge_digest": challenge}
        parts = (self.post.me.frame, request)
        until = now + RENEWAL_LIFE_MS
        outgoing = self.post.writer.write(Renewal, admission, parts, sent_at=now, expires_at=until, **fields)
        self._stated[outgoing.message_id] = self.post.me.digest
        self.post.outbox.put(tx, outgoing)

    def account(self) -> str | None:
        """The account that the bus knows this party by, if its newest statement names another one already."""
        try:
            named = decode((self.folder / "account.jwt").read_text("ascii").strip()).subject
        except FileNotFoundError:
            return None
        is_agent = self.post.me.statement.party_kind is PartyKind.AGENT
        return named if is_agent and named != self.post.me.token else None

    def challenge(self) -> str | None:
        """The digest of the admission reply's opened challenge, until admission has it."""
        try:
            return (self.folder / "challenge").read_text("ascii").strip()
        except FileNotFoundError:
            return None

    def new_tls_key(self) -> bytes:
        """Make a further TLS key and ask a certificate for it; the one in use stays until that has come.

        One that was asked for before and has not come is given up.
        """
        in_use = self._in_use()
        for name in self.keys.names(KeyPurpose.TLS):
            if name != in_use:
                self.keys.destroy(KeyPurpose.TLS, name)
        key = generate_tls_key()
        self.keys.add(KeyPurpose.TLS, os.urandom(8).hex(), key)
        return certificate_request(key)

    def request_again(self) -> bytes:
        """A certificate request for the TLS key in use, for a new one if that is gone; none where there is no TLS."""
        certificate, in_use = self._certificate(), self._in_use()
        if certificate is not None and in_use is None:
            return self.new_tls_key()
        return b"" if in_use is None else certificate_request(self.keys.get(KeyPurpose.TLS, in_use))

    def certificate_ends_at(self) -> int | None:
        """When the certificate in use ends (milliseconds UTC); None where there is none."""
        certificate = self._certificate()
        return None if certificate is None else ends_at(certificate)

    def account_ends_at(self) -> int | None:
        """When the account's JWT ends (milliseconds UTC); None where there is none."""
        try:
            return decode((self.folder / "account.jwt").read_text("ascii").strip()).expires_at
        except FileNotFoundError:
            return None

    def trusts(self) -> str | None:
        """The digest of the authorities that are trusted; None where there is no TLS."""
        try:
            return digest((self.folder / "ca.pem").read_bytes())
        except FileNotFoundError:
            return None

    def take_chain(self, chain: bytes) -> None:
        """Use a chain from now on, and destroy the key that was used before; a key still waited for stays.

        Raises:
            ChainMalformed: it is none; nothing was written.
        """
        own, authorities = split_chain(chain)
        before, comes = self._in_use(), self._key_of(x509.load_pem_x509_certificate(own))
        if comes is None:
            # To a request that was given up: another has been made since, and its answer is on its way.
            _log.warning("certificate_of_no_key")
            return
        write_whole(self.folder / "ca.pem", authorities)
        write_whole(self.folder / "client.pem", own)
        if before is not None and before != comes:
            self.keys.destroy(KeyPurpose.TLS, before)

    async def taken(self, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """Take what admission gave; the connection is made anew with it.

        Raises:
            RenewalMalformed, ChainMalformed: it is not that; nothing was written.
        """
        if acknowledgement.code != COMMITTED:
            _log.error("renewal_refused", code=acknowledgement.code)
            return lambda tx: None
        if len(parts) != 2:
            raise RenewalMalformed("not an account JWT and a certificate chain")
        account, chain = parts
        if chain:
            self.take_chain(chain)
        if account:
            write_whole(self.folder / "account.jwt", account)
        (self.folder / "challenge").unlink(missing_ok=True)
        # Only the newest statement's renewal has the newest account let in; an earlier one may be answered late.
        is_newest = self._stated.get(acknowledgement.acknowledges, self.post.me.digest) == self.post.me.digest
        if is_newest and (account or chain or self.post.account is not None):
            self._stated.clear()
            self.post.spawn(self._renew_link())
        _log.info("renewal_taken")
        return lambda tx: None

    async def _renew_link(self) -> None:
        try:
            await self.post.follow_own_subjects()
            await self.post.bus.renew()
            self.post.account = None
            self.post.follow_account()  # should a server not have heard of the new one, we are in the old one still
        except BusAway:
            _log.info("bus_not_renewed")  # the next connection uses what was written
        if self.told is not None:
            await self.told()

    def _certificate(self) -> x509.Certificate | None:
        try:
            return x509.load_pem_x509_certificates((self.folder / "client.pem").read_bytes())[0]
        except FileNotFoundError:
            return None

    def _in_use(self) -> str | None:
        certificate = self._certificate()
        return None if certificate is None else self._key_of(certificate)

    def _key_of(self, certificate: x509.Certificate) -> str | None:
        wanted = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = self.keys.names(KeyPurpose.TLS)
        return next((name for name in names if public_of(self.keys.get(KeyPurpose.TLS, name)) == wanted), None)
