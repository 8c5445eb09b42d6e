"""An agency whose store was restored gets its own deeds back from the hub's log, under its own signature.

Its own log then says again what it did, and it acknowledges no request a second time. Only what it did before the
restore and signed itself is taken back: any other deed in its name stays a discrepancy, and an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog

from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.check_failures import EntryForeign
from agents.runtime.own_log import OwnLog
from broker.node.backup_standing import get_restored
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.store import Transaction
from schemas.canonical import without_member
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import verify
from schemas.ledger.merkle import leaf_hash
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.entry import (
    SIGNATURE,
    AcknowledgedEntry,
    CouldNotLookEntry,
    InReviewEntry,
    ReleaseEntry,
    read_entry_as,
)
from schemas.messages.party import Directory

_log = structlog.get_logger()

OwnDeed: TypeAlias = "AcknowledgedEntry | InReviewEntry | ReleaseEntry | CouldNotLookEntry"
OWN_DEEDS: Final = (AcknowledgedEntry, InReviewEntry, ReleaseEntry, CouldNotLookEntry)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A deed of this agency's, proved to be in the hub's log, with this agency's own signature."""

    receipt: VerifiedReceipt
    entry: OwnDeed

    @property
    def ends(self) -> bool:
        """Whether the exchange was answered by it."""
        return isinstance(self.entry, ReleaseEntry | CouldNotLookEntry)

    def take(self, tx: Transaction, own_log: OwnLog, now: int) -> None:
        """Hold the entry, and enter the deed in the own log again if the restore lost it."""
        leaf, entry = self.receipt.leaf, self.entry
        mirror.take_entry(tx, self.receipt.index, leaf, type_=entry.type, exchange=entry.exchange, seq=None)
        if tx.execute("SELECT 1 FROM own_deed WHERE hash = ?", (leaf_hash(leaf),)).fetchone() is not None:
            return
        restored = get_restored(tx)
        if restored is None or entry.t > restored.at + PERMITTED_SKEW_MS:
            return  # nothing lost could be this: somebody else used the key, and `crosscheck` calls it fabricated
        if isinstance(entry, AcknowledgedEntry | InReviewEntry):
            # Delivered again before this came: the second word for it is no deed that the hub owes to show.
            tx.execute(
                "DELETE FROM own_deed WHERE exchange = ? AND type = ? AND hub_idx IS NULL", (entry.exchange, entry.type)
            )
        own_log.deed(tx, leaf, entry.type, entry.exchange, now)
        tx.execute("UPDATE own_deed SET hub_idx = ? WHERE hash = ?", (self.receipt.index, leaf_hash(leaf)))


def read_given_back(
    receipt: VerifiedReceipt, entry: OwnDeed, exchange: str | None, *, directory: Directory, agency: str
) -> GivenBack:
    """Check that an entry is a deed of this agency's own.

    Raises:
        EntryForeign: another party's or exchange's.
        SignatureInvalid and others: it is not signed by this agency's key.
    """
    named = (entry.hub, entry.log, entry.agency, entry.by, entry.exchange)
    if named != (directory.hub, receipt.head.origin, agency, agency, exchange):
        raise EntryForeign("a deed of another party, or about another exchange")
    key = directory.key(agency, KeyPurpose.DEED, entry.deed_key, entry.t)
    verify(key, KeyPurpose.DEED, without_member(receipt.leaf, SIGNATURE), bytes.fromhex(entry.sig), entry)
    return GivenBack(receipt, entry)


def acknowledged_before(tx: Transaction, exchange: str, request_digest: str) -> bytes | None:
    """The leaf with which a request was acknowledged before the store was restored, if it was given back."""
    row = tx.execute(
        "SELECT leaf FROM mirror_entry WHERE exchange = ? AND type = 'acknowledged'", (exchange,)
    ).fetchone()
    if row is None:
        return None
    leaf = bytes(row[0])
    is_same = read_entry_as(AcknowledgedEntry, leaf).request_digest == request_digest
    return leaf if is_same else None
