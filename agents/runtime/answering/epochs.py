"""This agency's sealing epochs: the next key is made ahead, and a key is destroyed once nothing can be sealed to it.

    made        three days before the last epoch stated ends, so that the hub has it long before it begins
    destroyed   three days after its end, once the view of the hub's log is whole and was stated since, and no request
                sealed to it waits here: the hub takes in nothing that is sealed to an epoch so long over

A key that is gone cannot be got back by anybody: what was sealed to it and lies in old backups stays sealed for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from agents.runtime.answering import jobs
from agents.runtime.hub_log import mirror
from broker.node.ground import Ground
from broker.node.membership import Membership
from broker.node.metrics import AgentMetrics
from broker.node.restating import SEAL_GRACE_MS, next_sealing_epoch
from broker.node.rotation import Rotation
from broker.node.store.port import Transaction
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import unpack
from schemas.messages.model import read
from schemas.messages.request import RequestHeader

_log = structlog.get_logger()

MADE_AHEAD_MS: Final = timedelta(days=3) // timedelta(milliseconds=1)
"""A weekend without a connection, and a day to notice."""
LOOK_EVERY_MS: Final = timedelta(hours=1) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Epochs:
    """Makes and destroys the sealing keys of one agent."""

    ground: Ground
    rotation: Rotation
    membership: Membership
    metrics: AgentMetrics

    async def keep_for_ever(self) -> None:
        """Look after the epochs as long as the agent runs; never returns."""
        clock = self.ground.clock
        while True:
            await clock.sleep_until(clock.now() + LOOK_EVERY_MS)
            await self.settle()

    async def settle(self) -> None:
        """Make the next epoch if it is time, and destroy those that are over."""
        await self._make_ahead()
        await self._destroy()

    async def _make_ahead(self) -> None:
        if self.membership.admission is None:
            return  # nobody would publish it
        now = self.ground.clock.now()
        me = self.ground.me
        ends = [one.not_after for one in me.keys if one.key.purpose is KeyPurpose.SEAL and one.revoked_at is None]
        if max(ends, default=0) - now > MADE_AHEAD_MS:
            return
        identity = Identity.generate(KeyPurpose.SEAL)
        # A crash after this line leaves a key that nobody ever stated; it is destroyed with the next look.
        self.ground.keys.add(KeyPurpose.SEAL, identity.id, identity.seed())
        await self.rotation.restate(next_sealing_epoch(me.statement, identity.public, now=now))
        _log.info("sealing_epoch_made", epoch=max(one.epoch for one in self.ground.me.keys))

    async def _destroy(self) -> None:
        now, keys = self.ground.clock.now(), self.ground.keys
        stated = {one.key.id: one for one in self.ground.me.keys if one.key.purpose is KeyPurpose.SEAL}
        over = [
            name
            for name in keys.names(KeyPurpose.SEAL)
            if name not in stated or stated[name].not_after + SEAL_GRACE_MS <= now
        ]
        if not over:
            return
        stands, needed = await self.ground.store.read(lambda tx: (mirror.standing(tx), _needed(tx)))
        done = [
            name
            for name in over
            if name not in needed
            and (name not in stated or (stands.is_whole and stands.seen_at >= stated[name].not_after + SEAL_GRACE_MS))
        ]
        for name in done:
            keys.destroy(KeyPurpose.SEAL, name)
            self.metrics.keys_destroyed.inc()
            _log.info("sealing_key_destroyed", key_id=name)
        if done:
            self.ground.ring.reload()


def _needed(tx: Transaction) -> set[str]:
    """The sealing keys of requests that wait to be answered."""
    found = (jobs.job_of(tx, exchange) for exchange in jobs.waiting(tx))
    return {read(RequestHeader, unpack(job.request).header).seal_key for job in found if job is not None}
