"""How the coordinator believes a receipt of the log that it keeps itself: signed by its key, and the entry is there."""

from __future__ import annotations

from dataclasses import dataclass

from broker.coordinator.room import Room
from broker.node.log import get_leaf
from broker.node.log_keys import LogKeys
from schemas.failures import Rejected


class ReceiptForeign(Rejected):
    """A receipt of an entry that the coordinator's own log does not have at that place."""

    code = "receipt_foreign"


@dataclass(frozen=True, slots=True)
class Proving:
    """Believes the receipts of one coordinator's own log."""

    room: Room

    async def prove(self, receipt: bytes, now: int) -> bytes:
        """The leaf of a receipt.

        Raises:
            ReceiptForeign: the log holds another entry there, or none.
            Rejected: as `LogKeys.receipt`.
        """
        proven = LogKeys.of(self.room.ground.me, now).receipt(receipt).proven
        if proven.index >= self.room.log.head.size:
            raise ReceiptForeign("the log is not that long")
        leaf = await self.room.post.store.read(lambda tx: get_leaf(tx, proven.index))
        if leaf != proven.leaf:
            raise ReceiptForeign("another entry stands there")
        return leaf
