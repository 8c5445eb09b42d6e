"""Reading an agent: how it stands, what its own log holds, whether that log and the hub's agree. Changes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from agents.runtime.answering import jobs
from agents.runtime.gatekeeping.gatekeeper import Gatekeeper
from agents.runtime.hub_log import crosscheck, mirror
from agents.runtime.hub_log.crosscheck import Discrepancy
from broker.node.ground import Ground
from broker.node.log import get_checkpoint, get_head, get_leaves, verify_whole
from broker.node.store import Transaction
from schemas import canonical
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import MAX_LEAF_BYTES

MAX_ENTRIES: Final = 500
"""Entries shown at once."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Answers questions about one running agent."""

    ground: Ground
    gatekeeper: Gatekeeper

    async def status(self) -> dict[str, object]:
        """How the agent stands, in counts and codes."""

        def read(tx: Transaction) -> tuple[dict[str, int], mirror.Standing]:
            return jobs.counts(tx), mirror.standing(tx)

        counts, stands = await self.ground.store.read(read)
        head = self.ground.log.head if self.ground.log is not None else None
        return {
            "agency": self.ground.me.id,
            "hub": self.ground.directory.hub,
            "restored": self.ground.catch_up.shown(),
            "connected": self.ground.post.connected_at is not None,
            "trouble": self.ground.post.bus.trouble,
            "dates": self.ground.post.dates.shown(),
            "jobs": counts,
            "outbox": len(self.ground.post.outbox),
            "mirror": {**asdict(stands), "whole": stands.is_whole},
            "own_log": {"origin": head.origin, "size": head.size} if head is not None else {},
            "policy": self.gatekeeper.digest,
            "discrepancies": [asdict(one) for one in await self.discrepancies()],
        }

    async def is_whole(self) -> bool:
        """Whether every entry the hub has told of is held (a readiness check)."""
        return (await self.ground.store.read(mirror.standing)).is_whole

    async def discrepancies(self) -> list[Discrepancy]:
        """What this agency's log and the hub's do not say alike."""
        now = self.ground.clock.now()
        return await self.ground.store.read(lambda tx: crosscheck.compare(tx, now))

    async def entries(self, last: int) -> list[dict[str, object]]:
        """The newest entries of the agency's own log, oldest first: index, leaf hash, members."""

        def read(tx: Transaction) -> tuple[int, list[bytes]]:
            head = get_head(tx)
            size = head.size if head is not None else 0
            start = max(0, size - min(last, MAX_ENTRIES))
            return start, get_leaves(tx, start, size)

        start, leaves = await self.ground.store.read(read)
        return [
            {
                "index": start + at,
                "hash": leaf_hash(leaf).hex(),
                "entry": canonical.parse(leaf, limit_bytes=MAX_LEAF_BYTES),
            }
            for at, leaf in enumerate(leaves)
        ]

    async def verify(self) -> dict[str, object]:
        """Hash the whole own log again and compare it with its signed head, and the mirror with the hub's.

        Raises:
            LogDamaged, ForkedLog: it does not hold.
        """
        own = await verify_whole(self.ground.store)
        held = await self.ground.store.read(mirror.verify_whole)
        checkpoint = await self.ground.store.read(_newest_checkpoint)
        return {
            "own_log": own,
            "mirror": held,
            "discrepancies": [asdict(one) for one in await self.discrepancies()],
            "checkpoint": checkpoint.decode(),
        }


def _newest_checkpoint(tx: Transaction) -> bytes:
    head = get_head(tx)
    return (get_checkpoint(tx, head.size) if head is not None else None) or b""
