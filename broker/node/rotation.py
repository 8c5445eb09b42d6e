"""Replacing a party's own keys while it runs: a new key, a new statement by the root, and what follows from both.

The order of writes, each step found unfinished and gone on with by `settle`, at the next start if need be:

1. the new private key into the key store       a crash leaves a key that nobody ever stated: it is destroyed
2. the new statement into `own.party`           from here on the ring uses the new key
3. one commit: the statement is known as ours, the renewal to admission waits, and messages that wait under a key that
   died are put anew under one that lives
4. private keys that died, or ended, are destroyed; the bus's signing key only once the account's JWT names the next

Refuses to know what a key is used for, and every key that no statement names but TLS's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

import structlog

from broker.node import directory_records as records
from broker.node.bus.access import names_live_signer
from broker.node.bus.port import BusAway
from broker.node.home import Home
from broker.node.keystore import KeyStore
from broker.node.membership import Membership
from broker.node.post.office import Post
from broker.node.post.writing import Outgoing
from broker.node.renewals import ACCOUNT_RENEW_AHEAD_MS, RENEW_AHEAD_MS, Renewals
from broker.node.restating import replaced
from broker.node.ring import Ring
from broker.node.store.port import Transaction
from schemas.crypto.keys import Identity, PublicKey, SigningKey, public_key
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.envelope import unpack
from schemas.failures import Failure
from schemas.messages.party import STATED, Party, PartyStatement, state_party
from schemas.messages.transport import read_outer

_log = structlog.get_logger()

DESTROYED_AFTER_MS: Final = timedelta(days=1) // timedelta(milliseconds=1)
"""How long after its end a signing key is destroyed: nothing is signed with it, and no clock is a day behind."""
SETTLE_EVERY_MS: Final = timedelta(hours=1) // timedelta(milliseconds=1)
_RECONNECTS: Final = frozenset({KeyPurpose.BUS_SIGNER, KeyPurpose.BUS_USER})

Renamed: TypeAlias = Callable[[Transaction, Mapping[str, str]], None]
"""Told in the transaction that waiting messages have other ids: old to new."""


class NotRotatedHere(Failure):
    """A key of a purpose that this party does not have, or that is replaced in another way."""

    code = "not_rotated_here"


@dataclass(slots=True)
class Rotation:
    """Replaces the keys of one running party. Made by the program; `settle` is called once before anything is sent."""

    home: Home
    keys: KeyStore = field(repr=False)
    ring: Ring = field(repr=False)
    post: Post
    membership: Membership
    renewals: Renewals
    renamed: list[Renamed] = field(default_factory=list)
    publish: Callable[[], None] | None = None
    """Instead of a renewal: admission tells itself."""
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def rotate(self, purpose: KeyPurpose, *, emergency: bool, public: bytes = b"") -> Party:
        """Replace the key of a purpose; gives back the party by its new statement.

        Args:
            emergency: the old key is dead from now on, everywhere.
            public: the new public key where another person keeps the private one: the IG lead's.

        Raises:
            NotRotatedHere: not such a key.
            RotationUnderWay: a planned one is stated and has not begun.
            KeyMalformed: `public` is no key.
        """
        async with self._one_at_a_time:
            now = self.post.clock.now()
            if purpose is KeyPurpose.TLS:
                await self._renew(now, self.renewals.new_tls_key())
                return self.post.me
            if purpose is KeyPurpose.BUS_ACCOUNT and self.post.account is None:
                self.post.account = self.post.me.token  # until admission has let the new one in
            fresh = _fresh(self.keys, self.post.me, purpose, public)
            await self._restate(replaced(self.post.me.statement, fresh, now=now, emergency=emergency))
            _log.warning("key_revoked" if emergency else "key_replaced", purpose=purpose.value, key_id=fresh.id)
            if purpose in _RECONNECTS:
                await self._reconnect()
            if purpose is KeyPurpose.BUS_ACCOUNT:
                # Should the hub's word for it be lost, the bus comes to be in the new account all the same.
                await self.post.follow_own_subjects()
            return self.post.me

    async def restate(self, statement: PartyStatement) -> None:
        """Make another statement of the party, signed by its root, and tell it."""
        async with self._one_at_a_time:
            await self._restate(statement)

    async def renew(self) -> None:
        """Tell admission of the newest statement, whether it knows it or not, and ask for a certificate."""
        await self._renew(self.post.clock.now(), self.renewals.request_again())

    async def settle(self) -> None:
        """Finish what a crash interrupted, and destroy what has died or ended."""
        async with self._one_at_a_time:
            await self._commit(renews=False)
            self._destroy()

    async def settle_for_ever(self) -> None:
        """Look after keys and certificate now and then; never returns."""
        while True:
            await self.post.clock.sleep_until(self.post.clock.now() + SETTLE_EVERY_MS)
            await self.settle()
            await self.renew_if_needed()

    async def renew_if_needed(self) -> None:
        """Tell admission of a statement that the directory does not name yet, and ask for what ends soon or changed."""
        now, me, held = self.post.clock.now(), self.post.me, self.membership.held
        line = None if held is None else held.lines.get(me.id)
        is_untold = line is not None and line.serial < me.statement.serial
        wants_certificate = self._wants_certificate(now)
        if is_untold or wants_certificate or self._wants_account(now) or self.renewals.challenge() is not None:
            await self._renew(now, self.renewals.request_again() if wants_certificate else b"")

    def _wants_certificate(self, now: int) -> bool:
        """Whether the certificate ends soon, or the hub's authorities are others than those trusted here."""
        ends_at, held = self.renewals.certificate_ends_at(), self.membership.held
        if ends_at is None:
            return False
        named = None if held is None else held.statement.authorities
        return ends_at - now < RENEW_AHEAD_MS or (named is not None and named != self.renewals.trusts())

    def _wants_account(self, now: int) -> bool:
        ends_at = self.renewals.account_ends_at()
        return ends_at is not None and ends_at - now < ACCOUNT_RENEW_AHEAD_MS

    async def _restate(self, statement: PartyStatement) -> None:
        me = self.home.restate(_signed(self.keys, statement))
        # A crash before this line leaves a key that nobody stated. After it, `settle` goes on from here.
        self.ring.reload()
        self.post.directory = self.post.directory.without(me.id).with_party(me)
        self.membership.note_own(me.digest)
        await self._commit(renews=True)
        self._destroy()

    async def _commit(self, *, renews: bool) -> None:
        me, now = self.post.me, self.post.clock.now()
        dead = {one.key.id for one in me.keys if one.key.purpose is KeyPurpose.MESSAGE and one.revoked_at is not None}
        admission = self.membership.admission

        def again(raw: bytes, subject: str) -> Outgoing | None:
            if read_outer(unpack(raw).header).message_key not in dead:
                return None
            return self.post.writer.again(raw, subject, sent_at=now)

        def work(tx: Transaction) -> Mapping[str, str]:
            records.note_own(tx, me)
            renamed = self.post.outbox.reissue(tx, again) if dead else {}
            if renews and admission is not None and self.publish is None:
                self.renewals.put(tx, admission, now)
            for told in self.renamed:
                told(tx, renamed)
            return renamed

        for old in await self.post.commit(work):
            self.post.outbox.forget(old)
        if renews and self.publish is not None:
            self.publish()

    async def _renew(self, now: int, request: bytes) -> None:
        admission = self.membership.admission
        if admission is None:
            return
        await self.post.commit(lambda tx: self.renewals.put(tx, admission, now, request=request))

    async def _reconnect(self) -> None:
        try:
            await self.post.bus.renew()
        except BusAway:
            return  # the next connection uses the new key

    def _destroy(self) -> None:
        destroyed = _destroy_dead(self.home, self.keys, self.post.me, self.post.clock.now())
        if destroyed:
            self.ring.reload()
            _log.info("keys_destroyed", count=destroyed)


def rotate_at_rest(home: Home, purpose: KeyPurpose, *, emergency: bool, now: int, public: bytes = b"") -> Party:
    """Replace a key of a home whose program does not run; what follows from it is done when it starts.

    Raises:
        NotRotatedHere: not such a key, or one that has to be asked for over the bus.
        KeyStoreInUse: the program runs.
        RotationUnderWay, KeyMalformed: as `Rotation.rotate`.
    """
    keys = home.keystore()
    try:
        me = home.own()
        fresh = _fresh(keys, me, purpose, public)
        me = home.restate(_signed(keys, replaced(me.statement, fresh, now=now, emergency=emergency)))
        _destroy_dead(home, keys, me, now)
    finally:
        keys.close()
    return me


def _fresh(keys: KeyStore, me: Party, purpose: KeyPurpose, public: bytes) -> PublicKey:
    kind = me.statement.party_kind
    if purpose not in STATED[kind] or (purpose is KeyPurpose.ADDENDUM) != bool(public):
        raise NotRotatedHere(f"a {kind.value} does not replace a {purpose.value} key so, or only while it runs")
    if public:
        return public_key(purpose, public)
    key = SigningKey.generate(purpose) if USES[purpose].signs else Identity.generate(purpose)
    keys.add(purpose, key.id, key.seed())
    return key.public


def _signed(keys: KeyStore, statement: PartyStatement) -> bytes:
    name = keys.names(KeyPurpose.ROOT)[0]
    return state_party(statement, SigningKey.from_seed(KeyPurpose.ROOT, keys.get(KeyPurpose.ROOT, name)))


def _destroy_dead(home: Home, keys: KeyStore, me: Party, now: int) -> int:
    """Destroy private keys that were revoked, have ended or were never stated; sealing keys end by their epochs.

    While the servers of the bus may know a party by a dead signing key alone, that one is what it comes in by to tell
    of the next: without it nobody but a thief would come in until the ceremony was repeated.
    """
    stated = {one.key.id: one for one in me.keys}
    destroyed = 0
    kept = set() if names_live_signer(home, me, keys, now) else {KeyPurpose.BUS_SIGNER}
    for purpose in STATED[me.statement.party_kind]:
        for name in keys.names(purpose):
            one = stated.get(name)
            if one is None:
                is_dead = purpose is not KeyPurpose.SEAL
            else:
                is_over = purpose is not KeyPurpose.SEAL and one.not_after + DESTROYED_AFTER_MS <= now
                is_dead = (one.revoked_at is not None or is_over) and purpose not in kept
            if is_dead:
                keys.destroy(purpose, name)
                destroyed += 1
    return destroyed
