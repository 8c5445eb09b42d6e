"""The agency's signed word to the hub that a request waits for a person: by a role, and never by a name.

Made and put in the outbox in the commit that takes the request in, whatever is held of anybody: that a request waits is
decided from request, grant and policy alone. Refuses to know who reviews.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from agents.runtime.answering import jobs
from agents.runtime.answering.writing import Signatory
from agents.runtime.hub_log.check_failures import EntryForeign
from agents.runtime.hub_log.checks import Delivered
from agents.runtime.hub_log.mirroring import Mirroring
from agents.runtime.own_log import OwnLog
from broker.node.post.office import Post
from broker.node.post.port import Sent, Settlement
from broker.node.post.signed_anew import SignedAnew, sign_anew
from broker.node.post.writing import Outgoing
from broker.node.store import Transaction
from schemas.envelope import unpack
from schemas.failure_codes import COMMITTED
from schemas.messages.entry import InReviewEntry, read_entry, sign_deed
from schemas.messages.party import Party
from schemas.messages.transport import Acknowledgement, Deed
from schemas.vocabulary import ReviewRole

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A deed to be committed with the request that it is about."""

    exchange: str
    at: int
    leaf: bytes = field(repr=False)
    outgoing: Outgoing = field(repr=False)
    own_log: OwnLog = field(repr=False)
    post: Post = field(repr=False)

    def take(self, tx: Transaction) -> None:
        """Enter it in the own log and send it; nothing if the hub gave it back after a restore."""
        before = tx.execute(
            "SELECT 1 FROM mirror_entry WHERE exchange = ? AND type = 'in-review'", (self.exchange,)
        ).fetchone()
        if before is None:
            self.own_log.deed(tx, self.leaf, "in-review", self.exchange, self.at)
            self.post.outbox.put(tx, self.outgoing)


@dataclass(frozen=True, slots=True)
class ReviewDeeds:
    """Makes those deeds, and knows their acknowledgements."""

    post: Post
    hub: Party
    mirroring: Mirroring
    own_log: OwnLog
    role: ReviewRole | None

    def write(self, delivered: Delivered, signatory: Signatory, now: int) -> Reviewed:
        """The deed for a request that waits."""
        header = delivered.header
        assert self.role is not None  # without a desk nothing waits
        deed = signatory.deed(InReviewEntry, header, delivered.request_digest, now, reviewer=self.role)
        leaf = sign_deed(deed, signatory.deed_key)
        outgoing = self.post.writer.write(
            Deed,
            self.hub,
            [leaf],
            sent_at=now,
            expires_at=header.expires_at + jobs.REPEATED_AFTER_EXPIRY_MS,
            exchange=header.exchange,
        )
        return Reviewed(header.exchange, now, leaf, outgoing, self.own_log, self.post)

    def is_theirs(self, tx: Transaction, sent: Sent) -> bool:
        """Whether a deed that was settled is one of these."""
        if sent.exchange is None or not jobs.was_reviewed(tx, sent.exchange):
            return False
        raw = self.post.outbox.raw_of(tx, [sent.message_id]).get(sent.message_id)
        return raw is not None and isinstance(read_entry(unpack(raw).parts[0]), InReviewEntry)

    async def settled(
        self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...], now: int
    ) -> Settlement:
        """Take the proof that a review was entered. An answer rests on its own release, and not on this."""
        exchange = sent.exchange or ""
        if acknowledgement.code != COMMITTED:
            post, code = self.post, acknowledgement.code
            anew = await sign_anew(
                sent, code, store=post.store, outbox=post.outbox, writer=post.writer, receiver=self.hub, now=now
            )
            if anew is not None:
                return lambda tx: self._signed_anew(tx, exchange, anew, now)
            _log.warning("deed_not_entered", exchange=exchange, code=code)
            return lambda tx: None
        proof, extension = self.mirroring.proved(parts, now)
        if not isinstance(read_entry(proof.proven.leaf), InReviewEntry):
            raise EntryForeign("the proof of another entry than the deed that was sent")
        return lambda tx: self.mirroring.hold_deed(tx, proof, extension, exchange, min(acknowledgement.sent_at, now))

    def _signed_anew(self, tx: Transaction, exchange: str, anew: SignedAnew, now: int) -> None:
        """The same deed, under a key that lives."""
        self.own_log.deed(tx, anew.leaf, anew.entry_type, exchange, now)
        self.post.outbox.put(tx, anew.outgoing)
