"""Comparing this agency's log with what the hub shows of it: fabricated, omitted, and numbers that never came.

Reads, and raises no alarm itself. Each finding names an entry by digest or number, so that two information-governance
leads can put their logs side by side. Compares digests, never reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broker.node.store import Transaction
from schemas.ledger.merkle import leaf_hash

PATIENCE_MS: Final = 10 * 60_000
"""How long the hub has to show a deed after the agency has seen a newer checkpoint."""
_DEEDS: Final = ("acknowledged", "in-review", "release", "could-not-look")


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that the two logs do not say alike; `code` is `fabricated`, `omitted` or `gap`."""

    code: str
    entry: str
    """The leaf hash in hexadecimal; for a gap the first number that is missing."""
    exchange: str | None


def compare(tx: Transaction, now: int) -> list[Discrepancy]:
    """Everything that does not agree just now."""
    return [*_fabricated(tx), *_omitted(tx, now), *_gaps(tx)]


def _fabricated(tx: Transaction) -> list[Discrepancy]:
    """Deeds in my name in the hub's log that my own log does not have."""
    marks = ",".join("?" for _ in _DEEDS)
    rows = tx.execute(f"SELECT leaf, exchange FROM mirror_entry WHERE type IN ({marks})", _DEEDS)  # noqa: S608 - marks only
    hashed = [(leaf_hash(leaf), exchange) for leaf, exchange in rows.fetchall()]
    return [
        Discrepancy("fabricated", one.hex(), exchange)
        for one, exchange in hashed
        if tx.execute("SELECT 1 FROM own_deed WHERE hash = ?", (one,)).fetchone() is None
    ]


def _omitted(tx: Transaction, now: int) -> list[Discrepancy]:
    """Deeds of mine that a checkpoint well after them still does not cover; an ended exchange owes nothing."""
    head = tx.execute("SELECT seen_at FROM mirror_head").fetchone()
    before = min(now, head[0] if head else 0) - PATIENCE_MS
    rows = tx.execute(
        "SELECT hash, own_deed.exchange FROM own_deed JOIN job USING (exchange)"
        " WHERE hub_idx IS NULL AND made_at < ? AND NOT (job.state = 'ended' AND type <> 'acknowledged')"
        # One that was signed anew has two leaves here, of which the hub owes to show one.
        " AND NOT EXISTS (SELECT 1 FROM own_deed AS shown WHERE shown.exchange = own_deed.exchange"
        " AND shown.type = own_deed.type AND shown.hub_idx IS NOT NULL)",
        (before,),
    )
    return [Discrepancy("omitted", one.hex(), exchange) for one, exchange in rows]


def _gaps(tx: Transaction) -> list[Discrepancy]:
    """Numbers that the hub says it gave out and whose entries it has not sent."""
    held, told = tx.execute("SELECT held, told FROM mirror_seq").fetchone()
    return [Discrepancy("gap", str(held + 1), None)] if held < told else []
