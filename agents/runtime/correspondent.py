"""What an agent does with each message: the one door in, and the proofs it goes by.

Deliveries are checked, entered and acknowledged in one commit; notices extend the mirror; the proof of a release lets
the answer go. Owns which message has which effect; the checks themselves are `checks` and `mirror`, the answering is
`worker`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from agents.runtime.alerts.alarm import Alarm
from agents.runtime.answering import jobs
from agents.runtime.answering.jobs import Job, JobEvent, JobState, MadeAnswer
from agents.runtime.answering.writing import Signatory
from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.check_failures import EntryForeign
from agents.runtime.hub_log.checks import Checker, Delivered
from agents.runtime.hub_log.currency import Currency
from agents.runtime.hub_log.given_back import OWN_DEEDS, GivenBack, acknowledged_before, read_given_back
from agents.runtime.hub_log.held_entry import hold_entry
from agents.runtime.hub_log.mirror import Standing
from agents.runtime.hub_log.mirroring import PROOF_PARTS, Mirroring
from agents.runtime.hub_policy.versions import HubPolicies
from agents.runtime.own_log import OwnLog
from agents.runtime.review.deeds import ReviewDeeds
from agents.runtime.worker import Worker
from broker.node.backup_standing import has_new_epoch, keep, kept_for
from broker.node.log_keys import Proof, ProofUnborne
from broker.node.membership import Membership
from broker.node.metrics import AgentMetrics
from broker.node.post.office import Post
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.post.signed_anew import SignedAnew, deed_again, sign_anew
from broker.node.post.writing import Outgoing
from broker.node.store import Transaction
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import PartMismatch
from schemas.failure_codes import COMMITTED
from schemas.failures import Failure, Rejected
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.entry import (
    ALERTING,
    AcknowledgedEntry,
    EscalatedEntry,
    ExpiredEntry,
    HubEntry,
    OverdueEntry,
    RefusalEntry,
    RequestEntry,
    WithdrawnEntry,
    read_entry,
    read_entry_as,
    sign_deed,
)
from schemas.messages.model import KindUnexpected
from schemas.messages.party import Party
from schemas.messages.transport import Acknowledgement, Delivery, Head, Hello, LogPage, Notice, PolicyIssue, Released

_log = structlog.get_logger()

DELIVERED_FOR_MS: Final = 7 * 24 * 3600_000
"""How long an answer that the hub has entered is offered to the desk, whatever the request's expiry: it is recorded."""
_NOTICED: Final = (RequestEntry, RefusalEntry, OverdueEntry, EscalatedEntry, ExpiredEntry, WithdrawnEntry)
_ENDING: Final = (ExpiredEntry, WithdrawnEntry)
ALERT_PARTS: Final = 3
"""Receipt and extension; with the entry's addendum, where the agency's lead is told of it."""


class ReceiptOfAnother(Rejected):
    """The hub proved another entry than the deed that was sent."""

    code = "receipt_of_another"


@dataclass(slots=True)
class AgentCorrespondent:
    """The agent, as its post office knows it."""

    post: Post
    hub: Party
    desk: Party
    checker: Checker
    currency: Currency
    worker: Worker
    own_log: OwnLog
    alarm: Alarm
    signatory: Callable[[], Signatory]
    metrics: AgentMetrics
    membership: Membership
    review_deeds: ReviewDeeds
    mirroring: Mirroring
    policies: HubPolicies

    async def prepare(self, received: Received) -> Work:
        """Check a delivery or a notice and say what committing it does."""
        outer = received.outer
        if received.sender.id != self.hub.id:
            raise KindUnexpected("only the coordinator sends these")
        if isinstance(outer, Delivery):
            # What was revoked or suspended since cannot be seen without a directory: then nothing new is begun.
            self.membership.check_in_force(received.at)
            delivered = self.checker.check(received.parts, outer.exchange, received.at)
            await self.policies.check(delivered, self._logged_all_the_same(received), self.currency.head_awaited)
            self.worker.expect(delivered)
            return self._delivery(delivered, outer, min(outer.sent_at, received.at), received.at)
        if isinstance(outer, Notice):
            return self._notice(received, outer)
        if isinstance(outer, PolicyIssue):
            issued = self.policies.open(received)
            take = self._taken(issued.proof, issued.extension, outer, received.at)
            return self.policies.work(issued, take, received.at)
        raise KindUnexpected("not a message for an agent")

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """Take the hub's proof of a release, or the desk's word that it has an answer."""
        exchange, now = sent.exchange or "", self.post.clock.now()
        if sent.kind == "released":
            if acknowledgement.code != COMMITTED:
                _log.error("answer_not_taken", exchange=exchange, code=acknowledgement.code)
            shown = acknowledgement.epoch, acknowledgement.sent_at
            return lambda tx: self._desk_has_it(tx, exchange, *shown)
        is_of_review, made = await self.post.store.read(
            lambda tx: (self.review_deeds.is_theirs(tx, sent), jobs.answer_of(tx, exchange))
        )
        if is_of_review:
            return await self.review_deeds.settled(sent, acknowledgement, parts, now)
        if acknowledgement.code != COMMITTED:
            anew = await self._anew(sent, acknowledgement.code, now)
            if anew is not None:
                return lambda tx: self._signed_anew(tx, exchange, anew, now)
            _log.error("deed_not_entered", exchange=exchange, code=acknowledgement.code)
            return lambda tx: self._conclude(tx, exchange)
        if made is None or made.state is not JobState.ANSWERED:
            return lambda tx: None
        proof, extension = self.mirroring.proved(parts, now)
        receipt = proof.proven
        if not hmac.compare_digest(receipt.leaf, made.leaf):
            raise ReceiptOfAnother("not the leaf of the deed")
        released = self._released(made, parts[0], exchange, now)
        seen_at = min(acknowledgement.sent_at, now)

        def work(tx: Transaction) -> None:
            self.mirroring.hold_deed(tx, proof, extension, exchange, seen_at)
            if jobs.state_of(tx, exchange) is JobState.ANSWERED:
                jobs.move(tx, exchange, JobEvent.RELEASE_PROVED)
                self.post.outbox.put(tx, released)
                keep(tx, released, now)
                self.mirroring.tell(self.metrics.releases.inc)

        return work

    async def prove(self, receipt: bytes, now: int) -> bytes:
        """The leaf of a receipt, believed once the mirror reaches it.

        Raises:
            ReceiptUntrusted: it does not verify.
            MirrorGap, HeadAwaited: the hub's log has to be followed further; what it takes is asked for.
        """
        proof = self.checker.verified(receipt, now)

        def work(tx: Transaction) -> None:
            self.mirroring.watch_gap(lambda: mirror.take_head(tx, proof, mirror.NO_EXTENSION, now))

        await self.post.commit(work)
        return proof.proven.leaf

    async def passing(self, received: Received) -> None:
        """Take a head or a page of the hub's log."""
        outer = received.outer
        if received.sender.id == self.desk.id and isinstance(outer, Hello):
            await self._desk_was_restored(outer)
            return
        if received.sender.id != self.hub.id:
            raise KindUnexpected("only the coordinator keeps the hub's log")
        try:
            if isinstance(outer, Head):
                await self.currency.take_head(received, outer)
            elif isinstance(outer, LogPage):
                await self.currency.take_page(received, outer)
        except ProofUnborne as failure:
            # Nobody acknowledges a head, so nobody else would enter it: a stolen key of the hub's log is in use.
            await self.post.commit(self.record_rejection(received, failure))
            raise
        await self.currency.hub_spoke(received)

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        """Enter in the own log that a message did not hold, and why. What the hub's log says of it is held."""
        hold = self._logged_all_the_same(received)

        def record(tx: Transaction) -> None:
            self.own_log.rejected(tx, received, failure)
            hold(tx)

        return record

    def _logged_all_the_same(self, received: Received) -> Callable[[Transaction], None]:
        """The entry of a request that is refused: while it is missing nothing else could be answered (check 22)."""
        hold = hold_entry(self.checker, self.own_log, received, self.mirroring.watch_gap)

        def work(tx: Transaction) -> None:
            stands = hold(tx)
            if stands is not None:
                self.mirroring.tell(partial(self.currency.moved, stands))

        return work

    def _delivery(self, delivered: Delivered, outer: Delivery, seen_at: int, now: int) -> Work:
        header, receipt, exchange = delivered.header, delivered.receipt, delivered.header.exchange
        signatory = self.signatory()
        deed = signatory.deed(AcknowledgedEntry, header, delivered.request_digest, now)
        acknowledged = sign_deed(deed, signatory.deed_key)
        job = Job(
            exchange,
            header.deadline_at,
            header.expires_at,
            delivered.request,
            delivered.grant_envelope,
            leaves_at=self.worker.slot_for(header, delivered.grant, now),
            review_until=self.worker.review.until_for(header, delivered.grant, now),
        )
        reviewed = self.review_deeds.write(delivered, signatory, now) if job.review_until else None

        def work(tx: Transaction) -> Reply:
            before = jobs.acknowledgement_of(tx, exchange, delivered.request_digest)
            self.mirroring.watch_gap(lambda: mirror.take_head(tx, delivered.proof, delivered.extension, seen_at))
            mirror.note_told(tx, outer.last_seq)
            if before is not None:
                return Reply((self._acknowledged_again(tx, exchange, before, signatory.deed_key, now),))
            given_back = acknowledged_before(tx, exchange, delivered.request_digest)
            if mirror.take_hub_entry(tx, receipt.index, receipt.leaf, delivered.entry):
                self.own_log.received(tx, receipt.leaf, delivered.entry.type, exchange, now)
            if given_back is None:
                self.own_log.deed(tx, acknowledged, "acknowledged", exchange, now)
            jobs.open_job(tx, job, delivered.request_digest, given_back or acknowledged)
            if reviewed is not None:
                reviewed.take(tx)
            self.mirroring.tell(partial(self._entered, exchange, mirror.standing(tx)))
            return Reply((given_back or acknowledged,))

        return work

    def _acknowledged_again(self, tx: Transaction, exchange: str, before: bytes, key: SigningKey, now: int) -> bytes:
        """The acknowledgement that was given; if the hub asks for it after its key died, under the key in use."""
        entry = read_entry_as(AcknowledgedEntry, before)
        if self.checker.ring.held(KeyPurpose.DEED, entry.deed_key) is not None:
            return before
        leaf = deed_again(entry, key, now)
        jobs.replace_acknowledgement(tx, exchange, leaf)
        self.own_log.deed(tx, leaf, entry.type, exchange, now)
        return leaf

    def _notice(self, received: Received, outer: Notice) -> Work:
        now = received.at
        is_alert = len(received.parts) == ALERT_PARTS
        proof, extension = self.mirroring.proved(received.parts[:PROOF_PARTS] if is_alert else received.parts, now)
        receipt = proof.proven
        entry = read_entry(receipt.leaf)
        if is_alert != isinstance(entry, ALERTING):
            raise PartMismatch("not the parts of a notice of that entry")
        if isinstance(entry, ALERTING):
            take = self._taken(proof, extension, outer, now)
            return self.alarm.work(entry, received, outer, receipt, take, self.checker.directory)
        if isinstance(entry, OWN_DEEDS):
            agency, directory = self.checker.me.id, self.checker.directory
            deed = read_given_back(receipt, entry, outer.exchange, directory=directory, agency=agency)
            return self._given_back(deed, proof, extension, outer, now)
        if not isinstance(entry, _NOTICED) or not self._is_about_me(entry, receipt, outer.exchange):
            raise EntryForeign("not an entry about this agency that the hub gives notice of")
        take = self._taken(proof, extension, outer, now)

        def work(tx: Transaction) -> Reply:
            take(tx)
            if mirror.take_hub_entry(tx, receipt.index, receipt.leaf, entry):
                self.own_log.received(tx, receipt.leaf, entry.type, entry.exchange, now)
                self.mirroring.tell(partial(self.currency.moved, mirror.standing(tx)))
            if isinstance(entry, _ENDING):
                self._conclude(tx, entry.exchange)
            return Reply()

        return work

    def _taken(
        self, proof: Proof[VerifiedReceipt], extension: mirror.Extension, outer: Notice | PolicyIssue, now: int
    ) -> Callable[[Transaction], None]:
        """Extends the mirror by what a notice, or a version of the hub's policy, brings."""

        def take(tx: Transaction) -> None:
            self.mirroring.watch_gap(lambda: mirror.take_head(tx, proof, extension, min(outer.sent_at, now)))
            mirror.note_told(tx, outer.last_seq)
            self.mirroring.tell(partial(self.currency.moved, mirror.standing(tx)))

        return take

    def _given_back(
        self, deed: GivenBack, proof: Proof[VerifiedReceipt], extension: mirror.Extension, outer: Notice, now: int
    ) -> Work:
        take = self._taken(proof, extension, outer, now)

        def work(tx: Transaction) -> Reply:
            take(tx)
            deed.take(tx, self.own_log, now)
            if deed.ends and jobs.state_of(tx, deed.entry.exchange) in jobs.UNANSWERED:
                # It was answered before the restore, and that answer is not here any more: none is made a second time.
                _log.error("answer_lost_in_restore", exchange=deed.entry.exchange)
                self._conclude(tx, deed.entry.exchange)
            return Reply()

        return work

    def _entered(self, exchange: str, stands: Standing) -> None:
        self.currency.moved(stands)
        self.worker.begin(exchange)

    def _is_about_me(self, entry: HubEntry, receipt: VerifiedReceipt, exchange: str | None) -> bool:
        named = (entry.hub, entry.log, entry.agency, entry.exchange)
        return named == (self.checker.directory.hub, receipt.head.origin, self.post.me.id, exchange)

    def _released(self, made: MadeAnswer, receipt: bytes, exchange: str, now: int) -> Outgoing:
        return self.post.writer.write(
            Released,
            self.desk,
            [made.envelope, receipt, made.addendum],
            sent_at=now,
            expires_at=max(made.expires_at, now + DELIVERED_FOR_MS),
            exchange=exchange,
        )

    def _conclude(self, tx: Transaction, exchange: str) -> None:
        """The exchange is over at the hub: an answer that was not let go of never will be."""
        if jobs.state_of(tx, exchange) in (*jobs.UNANSWERED, JobState.ANSWERED):
            jobs.move(tx, exchange, JobEvent.CONCLUDED)
            jobs.let_go(tx, exchange)
            self.post.outbox.discard(tx, exchange, "deed")
        self.mirroring.tell(lambda: self.worker.concluded(exchange))

    async def _anew(self, sent: Sent, code: str, now: int) -> SignedAnew | None:
        post = self.post
        return await sign_anew(
            sent, code, store=post.store, outbox=post.outbox, writer=post.writer, receiver=self.hub, now=now
        )

    def _signed_anew(self, tx: Transaction, exchange: str, anew: SignedAnew, now: int) -> None:
        """The release is the one that was made, under a key that lives."""
        if jobs.replace_leaf(tx, exchange, anew.before, anew.leaf):
            self.own_log.deed(tx, anew.leaf, anew.entry_type, exchange, now)
            self.post.outbox.put(tx, anew.outgoing)

    async def _desk_was_restored(self, hello: Hello) -> None:
        """A desk says hello only after a restore: answers that it may have lost are offered again, byte for byte."""
        now = self.post.clock.now()

        def work(tx: Transaction) -> int:
            has_new_epoch(tx, self.desk.id, hello.epoch, hello.sent_at)
            again = kept_for(tx, self.desk.id, now)
            for outgoing in again:
                self.post.outbox.put(tx, outgoing)
            return len(again)

        _log.warning("peer_was_restored", party=self.desk.id, count=await self.post.commit(work))

    def _desk_has_it(self, tx: Transaction, exchange: str, epoch: str, sent_at: int) -> None:
        has_new_epoch(tx, self.desk.id, epoch, sent_at)
        if jobs.state_of(tx, exchange) is JobState.RELEASED:
            jobs.move(tx, exchange, JobEvent.DESK_HAS_IT)
        jobs.let_go(tx, exchange)
