"""Admission's room: what all of its parts share, and the one way in which a step is committed.

A step, its entry, the claims that follow, the next directory: one transaction, or nothing. Only after it is durable are
servers shown anything and directories given out; both are repeated from the store until they are where they belong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from broker.enrolment.books import records
from broker.enrolment.books.deeds import Deeds
from broker.enrolment.books.directory import issue
from broker.enrolment.books.records import Account, MemberState
from broker.enrolment.books.register import Register, read_register
from broker.enrolment.books.to_hold import RENEW_BEFORE_MS, gone, of_agency, of_hub
from broker.enrolment.claims.check import Trusted, check_claims
from broker.enrolment.claims.keys import Issuer
from broker.enrolment.tls.authorities import Authorities
from broker.node.bus.claims import decode
from broker.node.ground import Ground
from broker.node.post.office import Post
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.messages.party import Directory, Party

Step = Callable[[Transaction, Register, int], Iterable[Outgoing]]
"""What a step does to the tables, and the entries that say so; raises a `Rejected` to do nothing."""


class Servers(Protocol):
    """The servers of the bus, as admission tells them what is to hold."""

    async def show(self, accounts: Mapping[str, str]) -> frozenset[str]:
        """Have these claims hold, by account and in this order; gives back the servers that have confirmed them all.

        Never fails: what a server has not confirmed, it is shown again until it has.
        """

    async def forget(self, accounts: Collection[str], order: str) -> bool:
        """Have accounts deleted whose claims have ended; whether every server has.

        Args:
            order: `claims.operator.deletion_claims` of them.
        """


@dataclass(slots=True)
class Room:
    """Made once by the program; `register` follows the store, `servers` the bus."""

    ground: Ground
    authorities: Authorities
    issuer: Callable[[], Issuer]
    addresses: tuple[str, ...]
    servers: Servers
    pinned: Callable[[], Directory]
    """The hub's own parties by their files."""
    register: Register = field(init=False)
    trusted_by: dict[str, str] = field(default_factory=dict)
    """Which authorities each party says it trusts, by their digest; forgotten at a restart, and heard again soon."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def post(self) -> Post:
        """The post office."""
        return self.ground.post

    @property
    def me(self) -> Party:
        """Admission."""
        return self.ground.me

    @property
    def hub(self) -> str:
        """The hub's name."""
        return self.me.statement.hub

    @property
    def deeds(self) -> Deeds:
        """Admission's hand for entries."""
        return Deeds(self.register.coordinator, self.ground.ring, self.post.writer)

    async def take_up(self) -> None:
        """Read the register, before the first step."""
        pinned = self.pinned()
        self._follow(await self.post.store.read(lambda tx: read_register(tx, pinned)))

    async def commit(self, step: Step, *, touched: Collection[str] = (), renews: bool = False) -> frozenset[str]:
        """Commit a step and what follows from it, then show the servers what changed.

        Args:
            touched: the parties whose accounts are to have new claims.
            renews: give every account new claims whose old ones end soon, are by another key or lead to another hub.

        Returns:
            The servers that have confirmed the new claims; all of them, if there are none.

        Raises: what the step raises; CatchingUp, in a store that was restored; then nothing happened.
        """
        self.ground.catch_up.require()
        # One at a time: claims of one account must not overtake each other on their way to the servers.
        async with self._lock:
            pinned, issuer = self.pinned(), self.issuer()

            def work(tx: Transaction) -> tuple[Register, dict[str, str]]:
                now = self.post.clock.now()
                shown = self.take(tx, step, touched, now, pinned=pinned, issuer=issuer, renews=renews)
                register = read_register(tx, pinned)
                trusted = digest(self.authorities.trusted())
                directory = issue(tx, register, self.ground.ring, self.deeds, now, authorities=trusted)
                if directory is not None:
                    self.post.outbox.put(tx, directory)
                return register, shown

            register, shown = await self.post.commit(work)
            # A crash here: the step is done. The servers learn of it at the next start, from the store.
            self._follow(register)
            return await self.servers.show(shown)

    async def connect_leaf_nodes_anew(self) -> frozenset[str]:
        """Have the servers end the connections of agencies' own servers, which come back within seconds.

        Claims that allow none, and then claims as before: no server needs a permission for it that admission has not.

        Returns:
            The servers that have confirmed both.

        Raises:
            CatchingUp: the store was restored.
        """
        self.ground.catch_up.require()
        async with self._lock:
            pinned, issuer = self.pinned(), self.issuer()

            def work(tx: Transaction) -> tuple[Register, dict[str, str], dict[str, str]]:
                now, register = self.post.clock.now(), read_register(tx, pinned)
                without, again = dict[str, Account](), dict[str, Account]()
                for name, member in register.members.items():
                    if not member.may_run_leaf or member.state is not MemberState.ADMITTED:
                        continue
                    party = register.agencies[name]
                    made = of_agency(party, member.state, register.accounts, issuer, now)
                    without |= {one.nkey: one for one in made}
                    made = of_agency(
                        party, member.state, {**register.accounts, **without}, issuer, now, may_run_leaf=True
                    )
                    again |= {one.nkey: one for one in made}
                self._check([*without.values(), *again.values()], register, issuer, now)
                # Claims that allow none are not kept: a crash between the two leaves the others to be shown.
                for account in (without | again).values():
                    records.put_account(tx, account)
                return read_register(tx, pinned), _shown(without), _shown(again)

            register, without, again = await self.post.commit(work)
            self._follow(register)
            return await self.servers.show(without) & await self.servers.show(again)

    def take(
        self,
        tx: Transaction,
        step: Step,
        touched: Collection[str],
        now: int,
        *,
        pinned: Directory,
        issuer: Issuer,
        renews: bool = False,
    ) -> dict[str, str]:
        """Take a step within a transaction: its entries, and the claims that follow; gives back those that are new."""
        for outgoing in step(tx, read_register(tx, pinned), now):
            self.post.outbox.put(tx, outgoing)
        return self._reissue(tx, read_register(tx, pinned), issuer, touched, now, renews=renews)

    def _reissue(
        self, tx: Transaction, register: Register, issuer: Issuer, touched: Collection[str], now: int, *, renews: bool
    ) -> dict[str, str]:
        held = register.accounts
        old = [account for account in held.values() if renews and _is_old(account, issuer, now)]
        ending = {account.party for account in old}
        made: list[Account] = []
        hub = {party.id for party in register.hub.values()}
        if issuer.hub not in held or hub & {*touched, *ending}:
            made.append(of_hub(register.hub.values(), register.admission, held, issuer, now))
            # A hub account that was rotated away: whoever has a key of it is let in no more.
            made += [
                gone(account, issuer, now)
                for account in held.values()
                if account.party in hub and account.nkey != issuer.hub and account.standing is not records.Standing.GONE
            ]
        for name in sorted({*touched, *ending} & set(register.members)):
            member = register.members[name]
            made += of_agency(
                register.agencies[name], member.state, held, issuer, now, may_run_leaf=member.may_run_leaf
            )
        known = {account.nkey for account in made}
        # Claims of whoever left are looked at as well: nobody may have reason to doubt the rest for them.
        made += [
            gone(one, issuer, now) for one in old if one.standing is records.Standing.GONE and one.nkey not in known
        ]
        self._check(made, register, issuer, now)
        for account in made:
            records.put_account(tx, account)
        return _shown({account.nkey: account for account in made})

    @classmethod
    def _check(cls, made: Iterable[Account], register: Register, issuer: Issuer, now: int) -> None:
        trusted = cls._trusted(register, issuer)
        for account in made:
            check_claims(account.claims, trusted, now=now)

    @staticmethod
    def _trusted(register: Register, issuer: Issuer) -> Trusted:
        signers: dict[str, str] = {}
        for party in register.agencies.values():
            accounts = [one.key for one in party.keys if one.key.purpose is KeyPurpose.BUS_ACCOUNT]
            if len(accounts) == 1:  # during a rotation its keys sign for two accounts
                signers |= {
                    nkey.of(one.key): nkey.of(accounts[0])
                    for one in party.keys
                    if one.key.purpose is KeyPurpose.BUS_SIGNER
                }
        return Trusted(issuer.hub, [nkey.of(issuer.signer.public)], signers)

    def _follow(self, register: Register) -> None:
        self.register = register
        self.post.directory = register.directory


def _shown(accounts: Mapping[str, Account]) -> dict[str, str]:
    return {name: account.claims for name, account in accounts.items()}


def _is_old(account: Account, issuer: Issuer, now: int) -> bool:
    if account.standing is not records.Standing.GONE and account.expires_at - now < RENEW_BEFORE_MS:
        return True
    if account.expires_at <= now:
        return False
    claims = decode(account.claims)
    leads_to = {one.get("account") for one in claims.body.get("imports", ())}
    return claims.issuer != nkey.of(issuer.signer.public) or not leads_to <= {issuer.hub}
