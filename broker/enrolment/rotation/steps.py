"""The steps of rotating the bus's own keys, as the hub's log has them: each once, whatever is interrupted.

    begun   the row and the entry that says so, in one commit, before anything is made
    used    the same for the authority, before it signs
    gone    the row says when, before the authority is destroyed; no entry
    done    the row goes, with the entry that says so, after what was replaced is gone and everybody knows

A crash before anything was made leaves a row, and the next call goes on. A crash after everything was done leaves a row
whose `replaced` is gone: `rotations` goes on with what follows from that. Refuses to know how anything is rotated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from broker.enrolment.books import records
from broker.enrolment.books.records import Entered, UnderWay
from broker.enrolment.books.register import Register
from broker.enrolment.books.room import Room
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction

_log = structlog.get_logger()


class What(StrEnum):
    """What of the bus is replaced."""

    OPERATOR = "operator"
    OPERATOR_SIGNER = "operator-signer"
    SYSTEM = "system"
    ACCOUNT = "account"
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True)
class BusSteps:
    """Enters steps in the hub's log, and keeps which rotations are under way."""

    room: Room

    async def begin(self, what: What, replaced: str, *, emergency: bool) -> None:
        """A rotation begins, or is an emergency from now on; nothing, if the log knows that already.

        Args:
            replaced: the public name of what is to be gone at the end.
        """

        def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
            known = records.bus_rotations(tx).get(what)
            entered = Entered.REVOKED if emergency else Entered.ADDED
            if known is not None and (not emergency or known.entered is Entered.REVOKED):
                return ()
            row = UnderWay(what, replaced, entered) if known is None else replace(known, entered=entered)
            records.put_bus_rotation(tx, row)
            return (self._says(f"{what}-{entered}", now),)

        await self.room.commit(step)

    async def use(self, what: What) -> None:
        """The next one is used from now on."""

        def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
            known = records.bus_rotations(tx).get(what)
            if known is None or known.entered is not Entered.ADDED:
                return ()
            records.put_bus_rotation(tx, replace(known, entered=Entered.USED))
            return (self._says(f"{what}-{Entered.USED}", now),)

        await self.room.commit(step)

    async def let_go(self, what: What) -> None:
        """What is replaced is gone in a moment."""

        def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
            records.put_bus_rotation(tx, replace(records.bus_rotations(tx)[what], gone_at=now))
            return ()

        await self.room.commit(step)

    async def end(self, what: What) -> None:
        """What was replaced is gone."""

        def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
            if not records.drop_bus_rotation(tx, what):
                return ()
            return (self._says(f"{what}-done", now),)

        await self.room.commit(step)

    async def under_way(self) -> dict[What, UnderWay]:
        """What is being replaced, by which name it would still be known, and since when it is gone."""
        found = await self.room.post.store.read(records.bus_rotations)
        return {What(one.what): one for one in found.values()}

    def _says(self, what: str, now: int) -> Outgoing:
        _log.warning("bus_key_rotated", kind=what)
        return self.room.deeds.of_bus(what, now)
