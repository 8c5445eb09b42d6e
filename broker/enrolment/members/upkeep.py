"""What admission does unasked: follows what came in by message, and makes anew what ends soon.

All of it is read from the store, so that a restart at any moment goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from broker.enrolment.books import records
from broker.enrolment.books.records import Standing
from broker.enrolment.books.register import Register
from broker.enrolment.books.room import Room
from broker.enrolment.claims.operator import deletion_claims
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction

_log = structlog.get_logger()

LOOK_EVERY_MS: Final = 3_600_000
"""How often claims and the directory are looked at: both are made anew long before they end."""
TOGETHER_MS: Final = 200
"""Renewals that come together are one directory: so long is waited for more of them."""


async def _nothing() -> None:
    return


class Upkeep:
    """One task beside the post."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._wake = asyncio.Event()
        self._renewed: set[str] = set()
        self._own = False
        self.renewed_own: Callable[[], Awaitable[None]] = _nothing
        """Called once admission's own newer statement is in the directory and in the hub's claims."""

    def follow(self, party: str) -> None:
        """A party's newer statement has been committed, or is about to be."""
        if party == self._room.me.id:
            self._own = True  # nobody has made new claims for it yet
        else:
            self._renewed.add(party)
        self._wake.set()

    async def run(self) -> None:
        """Follow and renew for ever."""
        room, clock = self._room, self._room.post.clock
        while True:
            await self._show_renewed()
            if self._wake.is_set():
                self._wake.clear()
                await clock.sleep_until(clock.now() + TOGETHER_MS)
                await self._show_renewed()
            # A step that does nothing: what follows of itself is done with it.
            touched, self._own = ((room.me.id,), False) if self._own else ((), False)
            await room.commit(lambda tx, register, now: (), touched=touched, renews=True)
            if touched:
                await self.renewed_own()
            await self._forget_ended()
            await self._until(clock.now() + LOOK_EVERY_MS)

    async def _show_renewed(self) -> None:
        """Show the servers the claims of whoever was renewed, at once: they sign with new keys from now on."""
        if not self._renewed:
            return
        names, self._renewed = self._renewed, set()
        room = self._room
        await room.take_up()
        hub = {party.id for party in room.register.hub.values()}
        wanted = names | (hub if names & hub else set())
        accounts = [one for one in room.register.accounts.values() if one.party in wanted]
        # A new account is there before the one it takes the place of is gone: whoever is cut off comes back in it.
        accounts.sort(key=lambda one: one.standing is Standing.GONE)
        await room.servers.show({one.nkey: one.claims for one in accounts})

    async def _forget_ended(self) -> None:
        """Have accounts of whoever left deleted, once no claims that they ever had could hold any more.

        Not before: a server that was away would bring them back (deploy/decisions/0014).
        """
        room, now = self._room, self._room.post.clock.now()
        accounts = room.register.accounts.values()
        ended = [one.nkey for one in accounts if one.standing is Standing.GONE and one.expires_at <= now]
        if not ended:
            return
        order = deletion_claims(ended, room.issuer().signer, issued_at=now)
        if not await room.servers.forget(ended, order):
            return  # a server is away, and would keep them; in an hour again

        def drop(tx: Transaction, register: Register, at: int) -> Iterable[Outgoing]:
            for name in ended:
                records.drop_account(tx, name)
            return ()

        await room.commit(drop)

    async def _until(self, at: int) -> None:
        waits = [asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(self._room.post.clock.sleep_until(at))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
