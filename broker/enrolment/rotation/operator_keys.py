"""The keys of operator and system account, rotated while the bus runs: one step after another, each durable first.

Servers take another operator only at a restart, so a signing key of the operator goes like this:

    added     the servers' configuration names the next one too; each server is restarted, one after the other
    used      every account's claims are made anew under it, and every server has confirmed them
    dropped   the old one's private half is destroyed, and each server restarted once more, when it suits

In an emergency all three are done at once: until they are restarted, servers go on with whom they know. The operator's
own key signs nothing but the operator's claims, so another one is used at once. The system account's keys need no
restart: admission shows the servers new claims, comes in by them, and takes the old ones away.

Refuses to know configuration files: whoever writes them reads the keys (`at_rest.founding.identity_of`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, Protocol

from broker.enrolment.books.room import Room
from broker.enrolment.claims.keys import BusKeys
from broker.enrolment.claims.operator import Operator, system_claims
from broker.enrolment.rotation.steps import BusSteps, What
from broker.node.bus.port import BusAway
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose

_OPERATOR: Final = KeyPurpose.BUS_OPERATOR
_SIGNER: Final = KeyPurpose.BUS_OPERATOR_SIGNER
_SYSTEM: Final = (KeyPurpose.BUS_SYSTEM_SIGNER, KeyPurpose.BUS_SYSTEM_USER)
_LAST_OF: Final = {What.OPERATOR: _OPERATOR, What.OPERATOR_SIGNER: _SIGNER, What.SYSTEM: _SYSTEM[-1]}
"""The key of each that is settled last."""
RECONNECTED_WITHIN: Final = timedelta(seconds=10)
_LOOK_EVERY: Final = timedelta(milliseconds=100)


class Reached(StrEnum):
    """How far a rotation has come."""

    ADDED = "added"
    USED = "used"
    DROPPED = "dropped"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come, and whom it waits for."""

    reached: Reached
    servers: tuple[str, ...] = ()
    """Servers that have to be given their configuration, and, but for the authority's, be restarted."""
    parties: tuple[str, ...] = ()
    """Parties that have not renewed."""


class Servers(Protocol):
    """The servers, as far as their operator goes."""

    async def operators(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        """The operator that each server trusts, and its signing keys."""

    async def tell(self, claims: str) -> frozenset[str]:
        """Have the system account's claims hold, from the next connection on if there is none just now.

        Gives back the servers that confirmed them.

        Raises:
            BusAway: not connected.
        """

    async def renew(self) -> None:
        """Connect anew with the system account's keys that are in use now."""

    @property
    def current(self) -> frozenset[str]:
        """The servers that have confirmed everything."""

    @property
    def stale(self) -> frozenset[str]:
        """The servers that have not, or are away."""


@dataclass(slots=True)
class BusRotation:
    """Rotates on. Each call goes as far as it can; called again, after a crash too, it goes on from there."""

    room: Room
    servers: Servers
    keys: BusKeys = field(repr=False)
    steps: BusSteps
    _told: Operator | None = None
    """What the servers were last told of the system account, by this process."""
    _told_at: int = 0
    _came_by: str = ""
    """The system user's key for which admission has connected anew."""

    async def operator(self, *, emergency: bool) -> Progress:
        """Have another key be the bus's operator; an emergency is another word in the log."""
        keys = self.keys
        await self.steps.begin(What.OPERATOR, keys.replaced(_OPERATOR), emergency=emergency)
        if not self._is_under_way(_OPERATOR):
            await asyncio.to_thread(keys.add, _OPERATOR)
        if keys.to_come(_OPERATOR):
            keys.use(_OPERATOR)
        await asyncio.to_thread(keys.destroy_former, _OPERATOR)
        wanted = nkey.of(keys.in_use(_OPERATOR).public)
        return await self._finish(_OPERATOR, What.OPERATOR, lambda name, signers: name == wanted)

    async def operator_signer(self, *, emergency: bool) -> Progress:
        """Have another key sign accounts' claims."""
        keys = self.keys
        await self.steps.begin(What.OPERATOR_SIGNER, keys.replaced(_SIGNER), emergency=emergency)
        if not self._is_under_way(_SIGNER):
            await asyncio.to_thread(keys.add, _SIGNER)
        if coming := keys.to_come(_SIGNER):
            wanted = nkey.of(coming[0].public)
            missing = await self._servers_but(lambda name, signers: wanted in signers)
            if missing and not emergency:
                return Progress(Reached.ADDED, missing)
            keys.use(_SIGNER)
        if emergency:
            await asyncio.to_thread(keys.destroy_former, _SIGNER)
        # From here on claims are made under the new key; those of before are made anew, now and at every start.
        await self.tell_system()
        await self.room.commit(lambda tx, register, now: (), renews=True)
        if keys.former(_SIGNER):
            if self.servers.stale or not self.servers.current:
                return Progress(Reached.USED, tuple(sorted(self.servers.stale)))
            await asyncio.to_thread(keys.destroy_former, _SIGNER)
        only = frozenset({nkey.of(keys.in_use(_SIGNER).public)})
        return await self._finish(_SIGNER, What.OPERATOR_SIGNER, lambda name, signers: signers == only)

    async def system(self, *, emergency: bool) -> Progress:
        """Have other keys sign and be the system account's user; an emergency is another word in the log."""
        keys = self.keys
        await self.steps.begin(What.SYSTEM, keys.replaced(_LAST_OF[What.SYSTEM]), emergency=emergency)
        for purpose in _SYSTEM:
            if not self._is_under_way(purpose):
                await asyncio.to_thread(keys.add, purpose)
        if any(keys.to_come(purpose) for purpose in _SYSTEM):
            await self.tell_system()
            if not self.servers.current:
                return Progress(Reached.ADDED, self._missing())
            for purpose in _SYSTEM:
                if keys.to_come(purpose):
                    keys.use(purpose)
        # Once: every connection begins with showing the servers everything.
        if self._came_by != (user := keys.in_use(KeyPurpose.BUS_SYSTEM_USER).id):
            await self.servers.renew()
            self._came_by = user
        if not await self._is_connected():
            return Progress(Reached.USED, self._missing())
        for purpose in _SYSTEM:
            await asyncio.to_thread(keys.destroy_former, purpose)
        await self.tell_system()
        # Whoever has the old keys commands a server that has not heard, and by it the others.
        if self.servers.stale or not self.servers.current:
            return Progress(Reached.DROPPED, self._missing())
        for purpose in _SYSTEM:
            keys.settle(purpose)
        # A crash before this line: the next start finds that what was replaced is gone, and enters the end.
        await self.steps.end(What.SYSTEM)
        return Progress(Reached.DONE)

    def is_gone(self, what: What, replaced: str) -> bool:
        """Whether the key that was to be replaced is known no more, so that nothing but the entry is left to do."""
        return not self.keys.is_named(_LAST_OF[what], replaced)

    def _is_under_way(self, purpose: KeyPurpose) -> bool:
        return bool(self.keys.to_come(purpose)) or self.keys.has_former(purpose)

    async def _finish(
        self, purpose: KeyPurpose, what: What, is_there: Callable[[str, frozenset[str]], bool]
    ) -> Progress:
        missing = await self._servers_but(is_there)
        if missing:
            return Progress(Reached.DROPPED, missing)
        self.keys.settle(purpose)
        # A crash before this line: see `system`.
        await self.steps.end(what)
        return Progress(Reached.DONE)

    async def _servers_but(self, is_there: Callable[[str, frozenset[str]], bool]) -> tuple[str, ...]:
        try:
            known = await self.servers.operators()
        except BusAway:
            known = {}
        lacking = {name for name, told in known.items() if not is_there(*told)}
        return tuple(sorted(lacking | self.servers.stale)) or (() if known else ("no server answers",))

    async def tell_system(self) -> None:
        """Have the servers hold what the system account is now; once at the start, since one of them may be of before.

        Those that are away are told when they are back, and are not current until they have confirmed it.
        """
        names, signer = self.keys.operator(), self.keys.in_use(_SIGNER)
        if names == self._told:
            return
        # A second later than the last: servers keep the later issued of two claims, in whole seconds.
        self._told, self._told_at = names, max(self.room.post.clock.now(), self._told_at + 1000)
        with suppress(BusAway):
            await self.servers.tell(system_claims(names, signer, issued_at=self._told_at))

    def _missing(self) -> tuple[str, ...]:
        return tuple(sorted(self.servers.stale)) or ("no server answers",)

    async def _is_connected(self) -> bool:
        clock = self.room.post.clock
        ends_at = clock.now() + RECONNECTED_WITHIN // timedelta(milliseconds=1)
        while clock.now() < ends_at:
            try:
                if await self.servers.operators():
                    return True
            except BusAway:
                pass  # it was left a moment ago
            await clock.sleep_until(clock.now() + _LOOK_EVERY // timedelta(milliseconds=1))
        return False
