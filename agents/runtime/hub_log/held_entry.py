"""The entry of a request that is refused, or that waits: it stands in the hub's log all the same (SPEC 5.4).

While it is missing nothing else could be answered (check 22), so it is held as if a notice had brought it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.checks import Checker
from agents.runtime.hub_log.mirror import ForkedLog, Standing
from agents.runtime.own_log import OwnLog
from broker.node.post.port import Received
from broker.node.store import Transaction
from schemas.failures import Rejected
from schemas.messages.transport import Delivery

Watch: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs something that extends the mirror, and asks for what is missing where it cannot."""


def hold_entry(
    checker: Checker, own_log: OwnLog, received: Received, watch: Watch
) -> Callable[[Transaction], Standing | None]:
    """The work that holds the entry of a delivery, if it brings one; gives back how the mirror stands then."""
    outer, now = received.outer, received.at
    if not isinstance(outer, Delivery):
        return lambda tx: None
    try:
        proof, entry, extension = checker.logged(received.parts, outer.exchange, now)  # 1 to 3
    except Rejected:
        return lambda tx: None
    receipt, last_seq, seen_at = proof.proven, outer.last_seq, min(outer.sent_at, now)

    def hold(tx: Transaction) -> Standing | None:
        try:
            watch(lambda: mirror.take_head(tx, proof, extension, seen_at))
        except (Rejected, ForkedLog):
            # A message that does not hold changes nothing else: a fork shows again in the next head that does.
            return None
        mirror.note_told(tx, last_seq)
        if mirror.take_hub_entry(tx, receipt.index, receipt.leaf, entry):
            own_log.received(tx, receipt.leaf, entry.type, entry.exchange, now)
        return mirror.standing(tx)

    return hold
