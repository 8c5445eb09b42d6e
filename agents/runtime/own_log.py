"""What this agency enters in its own log: what came in, what it did, what it kept back, what did not hold.

Every function appends within a work's transaction. Names, local references and reasons stand only in an addendum that
is sealed to the agency's own information-governance lead; leaves hold codes, times and digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from broker.node.log import Log, get_head, get_leaves
from broker.node.post.port import Received
from broker.node.store import Transaction
from schemas.envelope import digest
from schemas.failures import Failure
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import (
    AlertSeenEntry,
    KeptBackEntry,
    LogReadEntry,
    ReceivedEntry,
    RejectedEntry,
    ReviewedEntry,
    nonce,
    read_entry,
)
from schemas.messages.fields import Hex16, Line, Prose, Slug, Word
from schemas.messages.model import Message, Part
from schemas.vocabulary import AgencyReason, Category, DeclineReason, Mode, ReviewAct, ReviewRole

MAX_REFS: Final = 200
FieldName = Annotated[str, StringConstraints(pattern=r"^(marked:)?[A-Za-z][A-Za-z0-9_]{0,63}$")]
"""A field's name, or `marked:` and the kind of field."""


class KeptRow(Part):
    """What really became of one category about one subject, and which local records it concerned."""

    subject: Hex16
    category: Category
    mode: Mode
    truth: Literal["matched", "withheld", "denied-silently", "possible-match", "broken", "could-not-look", "too-large"]
    rule: Word | None = None
    reason: AgencyReason | None = None
    records: Annotated[int, Field(ge=0)] = 0
    refs: Annotated[list[Line], Field(max_length=MAX_REFS)]


class KeptTold(Message):
    """The content of a kept-back entry's addendum. Opened by this agency's IG lead and by nobody else."""

    exchange: Hex16
    policy: str
    rows: Annotated[list[KeptRow], Field(max_length=1024)]


class ReviewedTold(Message):
    """The content of a reviewed entry's addendum: who acted, on what, and why. Opened by this agency's IG lead."""

    exchange: Hex16
    act: ReviewAct
    reviewer: Slug
    name: Line
    role: ReviewRole
    categories: Annotated[list[Category], Field(max_length=128, default_factory=list)]
    fields: Annotated[list[FieldName], Field(max_length=128, default_factory=list)]
    reason: DeclineReason | None = None
    written: Prose | None = None


@dataclass(frozen=True, slots=True)
class OwnLog:
    """This agency's own log and who it is kept by."""

    log: Log
    hub: str

    def received(self, tx: Transaction, leaf: bytes, entry_type: str, exchange: str | None, now: int) -> None:
        """An entry of the hub's log that names this agency has come in."""
        entry = ReceivedEntry(
            log=self.log.origin,
            hub=self.hub,
            t=now,
            n=nonce(),
            exchange=exchange,
            entry_type=entry_type,
            entry_hash=leaf_hash(leaf).hex(),
        )
        self.log.append(tx, entry.encode())

    def deed(self, tx: Transaction, leaf: bytes, entry_type: str, exchange: str, now: int) -> None:
        """A deed of this agency's: the very leaf that the hub is to enter, and that it has to be seen there.

        One that is signed anew is entered here with both leaves; one of them is to be seen.
        """
        self.log.append(tx, leaf)
        tx.execute(
            "INSERT INTO own_deed (hash, exchange, type, made_at) VALUES (?, ?, ?, ?)",
            (leaf_hash(leaf), exchange, entry_type, now),
        )

    def kept_back(self, tx: Transaction, exchange: str, addendum: bytes, now: int) -> None:
        """What was matched, withheld or broken for an exchange; the words are in the sealed addendum."""
        named = digest(addendum)
        tx.execute("INSERT INTO own_addendum (digest, exchange, raw) VALUES (?, ?, ?)", (named, exchange, addendum))
        entry = KeptBackEntry(
            log=self.log.origin, hub=self.hub, t=now, n=nonce(), exchange=exchange, addendum_digest=named
        )
        self.log.append(tx, entry.encode())

    def read(self, tx: Transaction, now: int) -> None:
        """This agency's lead was given what an entry does not say."""
        entry = LogReadEntry(log=self.log.origin, hub=self.hub, t=now, n=nonce(), entries=1)
        self.log.append(tx, entry.encode())

    def alert_seen(self, tx: Transaction, leaf: bytes, exchange: str, now: int) -> None:
        """This agency's lead has seen an entry of the hub's log that it was told of."""
        entry = AlertSeenEntry(
            log=self.log.origin,
            hub=self.hub,
            t=now,
            n=nonce(),
            exchange=exchange,
            entry_hash=leaf_hash(leaf).hex(),
        )
        self.log.append(tx, entry.encode())

    def reviewed(
        self,
        tx: Transaction,
        exchange: str,
        act: ReviewAct,
        now: int,
        *,
        role: ReviewRole | None = None,
        addendum: bytes = b"",
    ) -> None:
        """A person acted at the review desk, or the time for it was over; who and why is in the sealed addendum."""
        named = digest(addendum) if addendum else None
        if named is not None:
            tx.execute("INSERT INTO own_addendum (digest, exchange, raw) VALUES (?, ?, ?)", (named, exchange, addendum))
        entry = ReviewedEntry(
            log=self.log.origin,
            hub=self.hub,
            t=now,
            n=nonce(),
            exchange=exchange,
            act=act,
            reviewer=role,
            addendum_digest=named,
        )
        self.log.append(tx, entry.encode())

    def rejected(self, tx: Transaction, received: Received, failure: Failure) -> None:
        """A message by a pinned party did not hold."""
        entry = RejectedEntry(
            log=self.log.origin,
            hub=self.hub,
            t=received.at,
            n=nonce(),
            sender=received.sender.id,
            exchange=getattr(received.outer, "exchange", None),
            check=failure.code,
            message_digest=received.digest,
        )
        self.log.append(tx, entry.encode())


def kept_back_at(tx: Transaction, index: int) -> tuple[str, bytes] | None:
    """The sealed addendum of an entry of the own log, and the digest that the entry names; None where there is none."""
    head = get_head(tx)
    if head is None or index >= head.size:
        return None
    entry = read_entry(get_leaves(tx, index, index + 1)[0])
    if not isinstance(entry, KeptBackEntry | ReviewedEntry) or entry.addendum_digest is None:
        return None
    row = tx.execute("SELECT raw FROM own_addendum WHERE digest = ?", (entry.addendum_digest,)).fetchone()
    return None if row is None else (entry.addendum_digest, row[0])
