"""Everything of the bus that is rotated, by its name: one at a time, as far as it goes now, and ended if a crash did.

Composes `operator_keys`, `authority` and the hub's account; refuses to know the order of anybody's steps.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import assert_never

from broker.enrolment.rotation.authority import AuthorityRotation
from broker.enrolment.rotation.operator_keys import BusRotation, Progress, Reached
from broker.enrolment.rotation.own_keys import OwnKeys
from broker.enrolment.rotation.steps import BusSteps, What


@dataclass(frozen=True, slots=True)
class BusRotations:
    """Made once by the program; `settle` is called at its start."""

    steps: BusSteps
    bus: BusRotation
    authority: AuthorityRotation
    own_keys: OwnKeys
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def go_on(self, what: What, *, emergency: bool, without: bool) -> Progress:
        """Replace something of the bus, as far as that goes now."""
        async with self._one_at_a_time:
            if await self._ended(what):
                return Progress(Reached.DONE)
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

    async def settle(self) -> None:
        """End whatever was interrupted between its last step and the entry that says so."""
        async with self._one_at_a_time:
            for what in await self.steps.under_way():
                await self._ended(what)

    async def _account(self, *, emergency: bool) -> Progress:
        await self.steps.begin(What.ACCOUNT, self.steps.room.issuer().hub, emergency=emergency)
        await self.own_keys.replace_account()
        await self.steps.end(What.ACCOUNT)
        return Progress(Reached.DONE)

    async def _ended(self, what: What) -> bool:
        """Whether a crash came after everything was done: then what follows from it is done again, and it ends."""
        replaced = (await self.steps.under_way()).get(what)
        if replaced is None or not self._is_gone(what, replaced):
            return False
        if what is What.ACCOUNT:
            await self.own_keys.follow_account()
        elif what is What.AUTHORITY:
            await self.own_keys.renew_certificate()
        await self.steps.end(what)
        return True

    def _is_gone(self, what: What, replaced: str) -> bool:
        match what:
            case What.ACCOUNT:
                return self.steps.room.issuer().hub != replaced
            case What.AUTHORITY:
                return replaced not in self.steps.room.authorities.names()
            case _:
                return self.bus.is_gone(what, replaced)
