"""Which entries of the hub's log are put before this agency's information-governance lead, and how they are believed.

The receipt has been verified already. The addendum goes with the notice, so that the lead opens what the entry does not
say without asking the hub for it; this agent cannot open it, and checks only that it is the one the entry names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from agents.runtime.alerts import records
from agents.runtime.alerts.records import Alert
from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.check_failures import EntryForeign
from agents.runtime.own_log import OwnLog
from broker.node.backup_standing import get_restored
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.metrics import AgentMetrics
from broker.node.post.intake import FromTheFuture
from broker.node.post.port import Received, Reply, Work
from broker.node.store import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import PartMismatch, digest
from schemas.failures import Away
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.entry import (
    ALERTING,
    BreakGlassEntry,
    CouldNotLookEntry,
    Entry,
    QuarantinedEntry,
    ReleaseEntry,
    ReviewClosedEntry,
    read_entry,
    read_entry_as,
    verify_deed,
)
from schemas.messages.party import Directory, PartyKind
from schemas.messages.transport import Notice

Alerting: TypeAlias = QuarantinedEntry | ReviewClosedEntry | BreakGlassEntry


class ReleaseAwaited(Away):
    """A deed about an answer that a restored agent has not been given back yet."""

    code = "release_awaited"


@dataclass(slots=True)
class Alarm:
    """Raises alerts, and counts those that nobody has seen."""

    agency: str
    own_log: OwnLog
    metrics: AgentMetrics
    raised: Callable[[], object]
    """Told, from the store's thread, once an alert may have been committed."""

    def work(
        self,
        entry: Alerting,
        received: Received,
        outer: Notice,
        receipt: VerifiedReceipt,
        take: Callable[[Transaction], None],
        directory: Directory,
    ) -> Work:
        """Check a notice that the lead is told of, and say what committing it does.

        Args:
            take: extends the mirror by what the notice brings.

        Raises:
            Rejected: entry or addendum do not hold.
        """
        now, addendum, me = received.at, received.parts[-1], self.agency
        check_addendum(entry, addendum)
        named = (entry.hub, entry.log, entry.agency, entry.exchange)
        if named != (directory.hub, receipt.head.origin, me, outer.exchange):
            raise EntryForeign("an entry of another hub, or about another agency or exchange")
        if not isinstance(entry, BreakGlassEntry):
            check_desks_deed(receipt, entry, directory=directory, now=now)

        def work(tx: Transaction) -> Reply:
            if isinstance(entry, QuarantinedEntry):
                check_answered(tx, entry)
            take(tx)
            number = entry.seq if isinstance(entry, BreakGlassEntry) else None
            mirror.take_entry(tx, receipt.index, receipt.leaf, type_=entry.type, exchange=entry.exchange, seq=number)
            alert = Alert(receipt.index, entry.type, entry.exchange, entry.t, now, receipt.leaf, addendum)
            if records.add(tx, alert):
                self.own_log.received(tx, receipt.leaf, entry.type, entry.exchange, now)
            self.raised()
            return Reply()

        return work

    def seen(self, tx: Transaction, index: int, now: int) -> Alert:
        """The lead has seen an alert: it is over here, and the own log says when.

        Raises:
            AlertUnknown, AlertSeen.
        """
        alert = records.mark_seen(tx, index, now)
        self.own_log.alert_seen(tx, alert.leaf, alert.exchange, now)
        return alert

    def count(self, open_by_kind: dict[str, int]) -> None:
        """Show how many alerts nobody has seen."""
        for model in ALERTING:
            kind = str(model.model_fields["type"].default)
            self.metrics.alerts_open.labels(kind).set(open_by_kind.get(kind, 0))


def check_addendum(entry: Alerting, addendum: bytes) -> None:
    """That an addendum is the one that an entry names; an empty one was erased at the hub.

    Raises:
        PartMismatch: it is another.
    """
    if addendum and digest(addendum) != entry.addendum_digest:
        raise PartMismatch("not the addendum that the entry names")


def check_desks_deed(
    receipt: VerifiedReceipt, entry: QuarantinedEntry | ReviewClosedEntry, *, directory: Directory, now: int
) -> None:
    """That the hub's desk itself says what an entry says.

    Raises:
        EntryForeign: of another party.
        FromTheFuture, SignatureInvalid and others: it is not the desk's word.
    """
    desk = directory.only(PartyKind.DESK)
    if entry.by != desk.id:
        raise EntryForeign("a deed of another party")
    if entry.t > now + PERMITTED_SKEW_MS:
        raise FromTheFuture("a deed dated later than the permitted clock skew")
    verify_deed(type(entry), receipt.leaf, directory.key(desk.id, KeyPurpose.DEED, entry.deed_key, entry.t))


def check_answered(tx: Transaction, entry: QuarantinedEntry) -> None:
    """That this agency gave the answer that an entry is about.

    Raises:
        EntryForeign: it gave another, or none.
        ReleaseAwaited: its store was restored, and the hub is still giving it back what it did.
    """
    rows = tx.execute(
        "SELECT leaf FROM mirror_entry WHERE exchange = ? AND type IN ('release', 'could-not-look')", (entry.exchange,)
    ).fetchall()
    if any(_answer_of(read_entry(row[0])) == entry.answer_digest for row in rows):
        return
    if get_restored(tx) is not None and not rows:
        raise ReleaseAwaited("an answer that was not given back yet")
    raise EntryForeign("an answer that this agency did not give")


def is_alerted(tx: Transaction, exchange: str, request_digest: str, grant_digest: str) -> bool:
    """Whether the entry is held that tells this agency's lead that the glass was broken for that request and grant."""
    rows = tx.execute("SELECT leaf FROM mirror_entry WHERE exchange = ? AND type = 'break-glass'", (exchange,))
    entries = [read_entry_as(BreakGlassEntry, row[0]) for row in rows.fetchall()]
    return any((one.request_digest, one.grant_digest) == (request_digest, grant_digest) for one in entries)


def _answer_of(entry: Entry) -> str | None:
    return entry.answer_digest if isinstance(entry, ReleaseEntry | CouldNotLookEntry) else None
