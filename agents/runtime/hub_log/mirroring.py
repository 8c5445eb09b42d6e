"""The mirror as messages extend it: within their work, and with the event loop told of it.

What a mirror is, and when it is whole, is `mirror`; who asks for what is missing is `currency`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.checks import Checker
from agents.runtime.hub_log.currency import Currency, HeadMalformed
from agents.runtime.hub_log.mirror import HeadAwaited, MirrorGap
from broker.node.log_keys import Proof
from broker.node.store import Transaction
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.entry import read_entry

PROOF_PARTS: Final = 2


@dataclass(slots=True)
class Mirroring:
    """Extends the mirror of one agent."""

    checker: Checker
    currency: Currency
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def proved(self, parts: Sequence[bytes], now: int) -> tuple[Proof[VerifiedReceipt], mirror.Extension]:
        """The receipt and the extension that two parts are, verified.

        Raises:
            HeadMalformed: they are not two.
            ReceiptUntrusted: the receipt does not verify.
        """
        if len(parts) != PROOF_PARTS:
            raise HeadMalformed("not a receipt and an extension")
        return self.checker.verified(parts[0], now), mirror.read_extension(parts[1])

    def hold_deed(
        self, tx: Transaction, proof: Proof[VerifiedReceipt], extension: mirror.Extension, exchange: str, seen_at: int
    ) -> None:
        """Hold an entry of this agency's own doing that the hub has proved."""
        receipt = proof.proven
        self.watch_gap(lambda: mirror.take_head(tx, proof, extension, seen_at))
        type_ = read_entry(receipt.leaf).type
        mirror.take_entry(tx, receipt.index, receipt.leaf, type_=type_, exchange=exchange, seq=None)
        self.tell(partial(self.currency.moved, mirror.standing(tx)))

    def watch_gap(self, extend: Callable[[], None]) -> None:
        """Extend the mirror; where leaves are missing, ask for them. The message stays unanswered and is repeated."""
        try:
            extend()
        except MirrorGap:
            self.tell(self.currency.gap_met)
            raise
        except HeadAwaited:
            self.tell(self.currency.head_awaited)
            raise

    def tell(self, told: Callable[[], None]) -> None:
        """Have something called on the event loop, from the store's thread."""
        self._loop.call_soon_threadsafe(told)
