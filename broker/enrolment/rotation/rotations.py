"""Everything of the bus that is rotated, by its name: one at a time, as far as it goes now, gone on with after a crash.

What is unfinished is gone on with by the same command typed again, at every start, and every minute once what was
replaced is gone; it begins anew only after its end. Composes `operator_keys`, `authority` and the hub's account;
refuses to know the order of anybody's steps.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, assert_never

from broker.enrolment.books.records import UnderWay
from broker.enrolment.rotation.authority import AuthorityRotation
from broker.enrolment.rotation.leaf_nodes import LeafNodes
from broker.enrolment.rotation.operator_keys import BusRotation, Progress, Reached
from broker.enrolment.rotation.own_keys import OwnKeys
from broker.enrolment.rotation.steps import BusSteps, What
from schemas.failures import Rejected

SETTLE_EVERY_MS: Final = timedelta(minutes=1) // timedelta(milliseconds=1)
_ENDS_CONNECTIONS: Final = frozenset({What.ACCOUNT, What.OPERATOR, What.OPERATOR_SIGNER})
"""By claims, or by the restart of servers that it takes."""


class WouldCutOff(Rejected):
    """Connections would end whose parties are let in no more: they have no certificate by the new authority."""

    code = "would_cut_off"


@dataclass(slots=True)
class BusRotations:
    """Made once by the program; `settle_for_ever` is begun at its start."""

    steps: BusSteps
    bus: BusRotation
    authority: AuthorityRotation
    own_keys: OwnKeys
    leaf_nodes: LeafNodes
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_account_followed: bool = False
    """Whether everything leads to the account that is in use, as far as this process has seen to it."""

    async def go_on(self, what: What, *, emergency: bool, without: bool) -> Progress:
        """Replace something of the bus, as far as that goes now.

        Args:
            without: go on without parties that have not renewed since the authority was replaced.

        Raises:
            WouldCutOff: parties that have not renewed would be let in no more.
        """
        async with self._one_at_a_time:
            under_way = await self.steps.under_way()
            if what in under_way and self._is_gone(under_way[what]):
                return await self._finish(what, without=without)
            if what in _ENDS_CONNECTIONS and what not in under_way and not without:
                await self._require_renewed(under_way)
            match what:
                case What.OPERATOR:
                    return await self.bus.operator(emergency=emergency)
                case What.OPERATOR_SIGNER:
                    return await self.bus.operator_signer(emergency=emergency)
                case What.SYSTEM:
                    return await self.bus.system(emergency=emergency)
                case What.ACCOUNT:
                    return await self._account(emergency=emergency)
                case What.AUTHORITY:
                    return await self.authority.go_on(emergency=emergency, without=without)
                case _:
                    assert_never(what)

    async def settle_for_ever(self) -> None:
        """Go on now and then with what waits or was interrupted after the replaced was gone; never returns."""
        clock = self.steps.room.post.clock
        while True:
            await self.settle()
            await clock.sleep_until(clock.now() + SETTLE_EVERY_MS)

    async def settle(self) -> None:
        """Go on once with what nobody has to do anything for."""
        async with self._one_at_a_time:
            for what, row in (await self.steps.under_way()).items():
                if self._is_gone(row):
                    await self._finish(what, without=False)

    async def _account(self, *, emergency: bool) -> Progress:
        await self.steps.begin(What.ACCOUNT, self.steps.room.issuer().hub, emergency=emergency)
        await self.own_keys.replace_account()
        self._is_account_followed = True
        return await self._finish(What.ACCOUNT, without=False)

    async def _finish(self, what: What, *, without: bool) -> Progress:
        """What follows once the replaced is gone: each of it again after a crash, and the end when everybody has it."""
        match what:
            case What.ACCOUNT:
                if not self._is_account_followed:
                    await self.own_keys.follow_account()
                    self._is_account_followed = True
                if missing := await self.leaf_nodes.lead():
                    return Progress(Reached.DROPPED, tuple(sorted(missing)))
            case What.AUTHORITY:
                waits = await self.authority.finish(without=without)
                if waits is not None:
                    return waits
        await self.steps.end(what)
        return Progress(Reached.DONE)

    async def _require_renewed(self, under_way: dict[What, UnderWay]) -> None:
        row = under_way.get(What.AUTHORITY)
        if row is None or not self._is_gone(row):
            return
        parties = await self.authority.not_renewed()
        if parties:
            raise WouldCutOff(
                f"it would cut off {', '.join(parties)}: the authority was replaced, and they have not renewed. Run"
                " broker bus rotate authority until it names none of them; or go on --without them: each is then"
                " admitted anew"
            )

    def _is_gone(self, row: UnderWay) -> bool:
        what = What(row.what)
        match what:
            case What.ACCOUNT:
                return self.steps.room.issuer().hub != row.replaced
            case What.AUTHORITY:
                return row.replaced not in self.steps.room.authorities.names()
            case _:
                return self.bus.is_gone(what, row.replaced)
