"""The desk's own entries: what it did, signed with its deed key and sent to be put in the log.

Each is a leaf, an addendum where the leaf alone may not say it, and the message that carries both. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broker.desk.asked import Asked
from broker.desk.excess import Cut
from broker.desk.told import ClosedTold, ConflictTold, ConsultedTold, QuarantineTold, ReviewTold
from broker.desk.trust import Trust
from broker.node.own_deeds import carried_deed
from broker.node.post.writing import Outgoing, Writer
from broker.node.ring import Hand
from schemas.crypto.keys import PublicKey
from schemas.ledger.merkle import leaf_hash
from schemas.messages.addendum import make_addendum
from schemas.messages.entry import (
    ClosedEntry,
    ConflictEntry,
    ConsultedEntry,
    DeedEntry,
    OpenedEntry,
    QuarantinedEntry,
    ReviewClosedEntry,
    WithdrawEntry,
    nonce,
)
from schemas.messages.model import Message


@dataclass(frozen=True, slots=True)
class Done:
    """A deed of the desk, ready to be kept and sent."""

    type: str
    enquiry: str
    exchange: str | None
    at: int
    leaf: bytes = field(repr=False)
    outgoing: Outgoing = field(repr=False)

    @property
    def leaf_hash(self) -> str:
        """What a later entry names it by."""
        return leaf_hash(self.leaf).hex()


@dataclass(frozen=True, slots=True)
class Deeds:
    """The desk's hand for deeds."""

    trust: Trust
    hand: Hand = field(repr=False)
    writer: Writer = field(repr=False)

    def opened(self, asked: Asked, answer_digest: str, now: int) -> Done:
        """The desk opened an answer."""
        fields = {"agency": asked.agency, "exchange": asked.exchange, "answer_digest": answer_digest}
        return self._done(OpenedEntry, asked.enquiry, asked.exchange, now, fields)

    def quarantined(self, asked: Asked, answer_digest: str, cuts: Sequence[Cut], now: int) -> Done:
        """The desk kept back what exceeded a grant; the leads of both sides are told which fields."""
        told = QuarantineTold(exchange=asked.exchange, cuts=list(cuts))
        readers = [self.trust.ig_lead(self.trust.desk.id, now), self.trust.ig_lead(asked.agency, now)]
        addendum = self._addendum(asked.exchange, told, readers)
        fields = {"agency": asked.agency, "exchange": asked.exchange, "answer_digest": answer_digest}
        return self._done(QuarantinedEntry, asked.enquiry, asked.exchange, now, fields, addendum)

    def review_closed(self, asked: Asked, told: ReviewTold, opened_by: str, word: tuple[str, str], now: int) -> Done:
        """A lead's word that the review of a broken glass is over: key id and signature, and the entry it is about."""
        readers = [self.trust.ig_lead(self.trust.desk.id, now), self.trust.ig_lead(asked.agency, now)]
        fields = {
            "agency": asked.agency,
            "exchange": asked.exchange,
            "break_glass": opened_by,
            "finding": told.finding,
            "lead_key": word[0],
            "lead_sig": word[1],
        }
        addendum = self._addendum(asked.exchange, told, readers)
        return self._done(ReviewClosedEntry, asked.enquiry, asked.exchange, now, fields, addendum)

    def withdraw(self, asked: Asked, now: int) -> Done:
        """The desk asks for a request to be taken back."""
        fields = {"agency": asked.agency, "exchange": asked.exchange, "request_digest": asked.request_digest}
        return self._done(WithdrawEntry, asked.enquiry, asked.exchange, now, fields)

    def consulted(self, told: ConsultedTold, now: int) -> Done:
        """An officer looked at an enquiry's answers."""
        random = nonce()
        return self._done(ConsultedEntry, told.enquiry, None, now, {"n": random}, self._for_own_lead(random, told, now))

    def conflict(self, told: ConflictTold, now: int) -> Done:
        """An enquiry's conflict list changed, or somebody on it tried to reach the enquiry."""
        random = nonce()
        return self._done(ConflictEntry, told.enquiry, None, now, {"n": random}, self._for_own_lead(random, told, now))

    def closed(self, told: ClosedTold, references: Sequence[str], now: int) -> Done:
        """The desk closed an enquiry, named by its references towards agencies (at most 32)."""
        random = nonce()
        fields = {"n": random, "enquiries": list(references)}
        return self._done(ClosedEntry, told.enquiry, None, now, fields, self._for_own_lead(random, told, now))

    def _for_own_lead(self, about: str, told: Message, now: int) -> bytes:
        # Such an entry has no exchange; its addendum is about the entry itself, named by the entry's random bytes.
        return self._addendum(about, told, [self.trust.ig_lead(self.trust.desk.id, now)])

    def _addendum(self, about: str, told: Message, readers: Sequence[PublicKey]) -> bytes:
        addendum, _ = make_addendum(self.trust.hub, about, told.encode(), readers)
        return addendum

    def _done(
        self,
        model: type[DeedEntry],
        enquiry: str,
        exchange: str | None,
        now: int,
        fields: Mapping[str, object],
        addendum: bytes | None = None,
    ) -> Done:
        entry, leaf, outgoing = carried_deed(
            model,
            fields,
            hand=self.hand,
            writer=self.writer,
            coordinator=self.trust.coordinator,
            now=now,
            exchange=exchange,
            addendum=addendum,
        )
        return Done(entry.type, enquiry, exchange, now, leaf, outgoing)
