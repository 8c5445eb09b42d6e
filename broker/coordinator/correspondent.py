"""The coordinator as the post's correspondent: what comes in is checked, decided, stepped, and committed as one.

The order of writes is the argument. Everything that follows from a message (exchange, entries, timers, what is to be
sent) is in the one transaction that also remembers the message; nothing leaves before that is durable and sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from broker.coordinator import policy_records, records, removal_records
from broker.coordinator.acting import NOTICE_LIFE_MS, Carried, Cause, carry_out, tell
from broker.coordinator.decide import Permit, decide
from broker.coordinator.deeds import DEEDS_OF, CheckedDeed, DeedRepeated, bind, check_deed
from broker.coordinator.effects import EntryKind, SetTimer
from broker.coordinator.exchange import step
from broker.coordinator.greeting import greet, page
from broker.coordinator.reissues import answer_given, note_submission, rename_carriers
from broker.coordinator.review_closing import close_review
from broker.coordinator.room import Room, extend_agency
from broker.coordinator.ruling import Ruled, rule
from broker.coordinator.submission import CheckedSubmission, check_submission
from broker.node.post.port import PartyRemoved, Received, Reply, Sent, Settlement, Work
from broker.node.post.writing import Outgoing
from broker.node.store.port import AfterSeal, Seal, Transaction
from broker.policy.question import asked_in
from schemas.envelope import unpack
from schemas.failure_codes import COMMITTED
from schemas.failures import Failure, Rejected
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import (
    AcknowledgedEntry,
    ClosedEntry,
    DeedEntry,
    RejectedEntry,
    ReviewClosedEntry,
    nonce,
    read_entry_as,
)
from schemas.messages.model import KindUnexpected
from schemas.messages.party import KeyRevoked, Party, PartyKind
from schemas.messages.transport import (
    Acknowledgement,
    Deed,
    Hello,
    LogQuery,
    NotTaken,
    PolicyIssue,
    Submission,
    kind_of,
    read_outer,
)
from schemas.subjects import subject_for

_log = structlog.get_logger()


class EnquiryClosed(Rejected):
    """The desk closed the enquiry: its authority to ask is gone."""

    code = "enquiry_closed"


class Timekeeping(Protocol):
    """What is told of timers to come, so that none is overslept."""

    def expect(self, due_at: int) -> None:
        """There may soon be a timer due at that time."""


class CoordinatorCorrespondent:
    """Implements `broker.node.post.port.Correspondent`."""

    def __init__(self, room: Room, timekeeping: Timekeeping) -> None:
        self._room = room
        self._timekeeping = timekeeping

    async def prepare(self, received: Received) -> Work:
        """Check and decide a submission or a deed; the work commits all that follows from it."""
        match received.outer:
            case Submission():
                return await self._submission(received, received.outer)
            case Deed():
                return await self._deed(received, received.outer)
            case _:
                raise KindUnexpected("nothing a coordinator is sent")

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """A delivery's acknowledgement brings the agency's deed; everything else needs no more than letting it go."""
        if sent.kind == kind_of(PolicyIssue):
            return self._policy_answered(sent, acknowledgement.code)
        if sent.kind != "delivery" or sent.exchange is None:
            return lambda tx: None
        exchange_id = sent.exchange
        if acknowledgement.code != COMMITTED:
            # The agency found the delivery wanting. Nothing is repeated; the exchange waits for its deadline, and the
            # code is shown to the hub's people.
            code = acknowledgement.code
            _log.error("delivery_rejected", exchange=exchange_id, agency=sent.receiver, code=code)
            return lambda tx: self._not_taken(tx, exchange_id, code)
        agency = self._room.directory.party(sent.receiver)
        now = self._room.post.clock.now()
        try:
            deed = check_deed(self._room, agency, (AcknowledgedEntry,), parts, exchange=exchange_id, now=now)
        except KeyRevoked:
            again = await self._asked_again(sent, agency, parts[0], now)
            if again is None:
                raise
            return lambda tx: self._put_again(tx, sent.message_id, again)
        return self._acknowledged(deed, agency, now)

    def _not_taken(self, tx: Transaction, exchange_id: str, code: str) -> None:
        records.note_delivery_code(tx, exchange_id, code)
        post, desk = self._room.post, self._room.desk()
        if desk is None:
            return
        now = post.clock.now()
        told = post.writer.write(
            NotTaken, desk, (), sent_at=now, expires_at=now + NOTICE_LIFE_MS, exchange=exchange_id, code=code
        )
        post.outbox.put(tx, told)

    def _policy_answered(self, sent: Sent, code: str) -> Settlement:
        """The agency has a version of the policy, or refused it: then people at both sides must see to it."""
        now = self._room.post.clock.now()
        if code != COMMITTED:
            _log.error("policy_version_refused", agency=sent.receiver, code=code)
        return lambda tx: policy_records.note_answer(tx, sent.message_id, code, now)

    async def passing(self, received: Received) -> None:
        """Answer a hello with the head, a log query with a page."""
        match received.outer:
            case Hello():
                await greet(self._room, received, received.outer)
            case LogQuery():
                await page(self._room, received, received.outer)
            case _:
                raise KindUnexpected("nothing a coordinator is sent")

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        """The work that enters a rejected message in the sharing log, by its code alone."""
        leaf = RejectedEntry(
            log=self._room.log.origin,
            hub=self._room.hub,
            t=received.at,
            n=nonce(),
            sender=received.sender.id,
            exchange=getattr(received.outer, "exchange", None),
            check=failure.code,
            message_digest=received.digest,
        ).encode()

        exchange = getattr(received.outer, "exchange", None)

        def record(tx: Transaction) -> None:
            # Of a removed agency once an exchange: whoever was expelled must not fill the log.
            if isinstance(failure, PartyRemoved) and (
                exchange is None or not removal_records.note_late(tx, exchange, received.sender.id, failure.code)
            ):
                return
            self._room.log.append(tx, leaf)

        return record

    async def _asked_again(self, sent: Sent, agency: Party, leaf: bytes, now: int) -> Outgoing | None:
        """The delivery under another id, so that it is acknowledged under a key that lives; once for each that died."""
        post = self._room.post
        kept = await post.store.read(lambda tx: post.outbox.raw_of(tx, [sent.message_id]))
        named = read_entry_as(AcknowledgedEntry, leaf).deed_key
        died = [one.revoked_at for one in agency.keys if one.key.id == named and one.revoked_at is not None]
        raw = kept.get(sent.message_id)
        if raw is None or not died or read_outer(unpack(raw).header).sent_at >= died[0]:
            return None
        return post.writer.again(raw, subject_for(post.me, agency), sent_at=now)

    def _put_again(self, tx: Transaction, message_id: str, again: Outgoing) -> None:
        rename_carriers(tx, {message_id: again.message_id})
        self._room.post.outbox.put(tx, again)

    # Submissions.

    async def _submission(self, received: Received, outer: Submission) -> Work:
        given = await self._answer_given(received, outer)
        if given is not None:
            return lambda tx: Reply(parts=given)
        self._room.check_directory(received.at)
        checked = check_submission(received, self._room)
        now, metrics = received.at, self._room.metrics
        # The instant of SPEC 11.4: never older than what a desk whose clock is ahead has stated.
        policy = self._room.policies.at(max(now, checked.header.value.asked_at))
        with metrics.decision_seconds.time():
            decision = decide(checked.header, agency_kind=checked.agency_kind, policy=policy, now=now)
        metrics.decisions.labels("permit" if isinstance(decision, Permit) else "refuse").inc()
        ruled = rule(self._room, checked, decision, policy, now=now, nonce=nonce())
        kind = EntryKind.REQUEST if isinstance(decision, Permit) else EntryKind.REFUSAL
        return self._ruling(checked, ruled, kind, received, policy.digest)

    async def _answer_given(self, received: Received, outer: Submission) -> tuple[bytes, ...] | None:
        """The answer to a request that came before under another id: its desk's message key died meanwhile."""
        if len(received.parts) != 1:
            return None
        named, desk = unpack(received.parts[0]).digest, received.sender.id
        return await self._room.post.store.read(lambda tx: answer_given(tx, desk, outer.exchange, named))

    def _ruling(
        self, checked: CheckedSubmission, ruled: Ruled, kind: EntryKind, received: Received, policy_digest: str
    ) -> Work:
        room, now = self._room, received.at
        asked = asked_in(checked.header.value, checked.agency_kind).encode()
        done = step(ruled.exchange, ruled.event, now)
        for effect in done.effects:
            if isinstance(effect, SetTimer):
                self._timekeeping.expect(effect.due_at)

        def work(tx: Transaction) -> AfterSeal[Reply]:
            if records.is_enquiry_closed(tx, ruled.exchange.enquiry):
                raise EnquiryClosed
            records.add_exchange(tx, done.exchange)  # 13  under an id that no other request has
            records.put_question(tx, done.exchange.id, asked, policy_digest)
            note_submission(tx, done.exchange.id, received.outer.message_id)
            records.put_addendum(tx, checked.header.value.addendum_digest, ruled.exchange.id, checked.addendum)
            if ruled.grant_envelope:
                records.put_request(tx, ruled.exchange.id, checked.raw, ruled.grant_envelope)
            carried = carry_out(room, tx, done, Cause(now, "", decision=ruled.leaf, broken=ruled.broken))
            if done.exchange.is_concluded:
                carried.conclusions.append(done.exchange.progress)

            def build(tx: Transaction, seal: Seal) -> Reply:
                tell(room, tx, seal, carried, now)
                receipt = seal.receipt(carried.index[kind])
                return Reply(parts=tuple(part for part in (ruled.ruling, receipt, ruled.grant_envelope) if part))

            return AfterSeal(build)

        return work

    # Deeds.

    async def _deed(self, received: Received, outer: Deed) -> Work:
        sender, now = received.sender, received.at
        kinds = DEEDS_OF.get(sender.statement.party_kind, ())
        try:
            deed = check_deed(self._room, sender, kinds, received.parts, exchange=outer.exchange, now=now)
        except KeyRevoked:
            # Entered while its key lived, and the word for that was lost: it has its place, whoever holds the key now.
            entered = await self._entered_before(sender, received.parts[0])
            if entered is None:
                raise
            return lambda tx: AfterSeal(lambda tx, seal: self._receipt(tx, seal, sender, entered))
        own_nonce = nonce()

        def work(tx: Transaction) -> AfterSeal[Reply]:
            known = records.find_deed(tx, leaf_hash(deed.leaf))
            if known is not None:
                # The sender lost our answer to it, together with its store: the same deed is in the log once.
                return AfterSeal(lambda tx, seal: self._receipt(tx, seal, sender, known))
            carried = self._carry_out_deed(tx, deed, sender, now, own_nonce)
            index = carried.index[EntryKind.DEED]

            def build(tx: Transaction, seal: Seal) -> Reply:
                tell(self._room, tx, seal, carried, now)
                return self._receipt(tx, seal, sender, index)

            return AfterSeal(build)

        return work

    async def _entered_before(self, sender: Party, leaf: bytes) -> int | None:
        if read_entry_as(DeedEntry, leaf).by != sender.id:
            return None
        return await self._room.post.store.read(lambda tx: records.find_deed(tx, leaf_hash(leaf)))

    def _carry_out_deed(self, tx: Transaction, deed: CheckedDeed, sender: Party, now: int, own_nonce: str) -> Carried:
        entry = deed.entry.value
        if deed.addendum_digest:
            records.put_addendum(tx, deed.addendum_digest, deed.exchange, deed.addendum)
        if deed.exchange is None:
            return self._append_alone(tx, deed)
        before = records.get_exchange(tx, deed.exchange)
        event = bind(entry, before, sender)
        if isinstance(entry, ReviewClosedEntry):
            close_review(self._room, tx, entry, now)
        if records.has_deed(tx, deed.exchange, entry.type):
            raise DeedRepeated
        done = step(before, event, now)
        carried = carry_out(self._room, tx, done, Cause(now, own_nonce, deed=deed.leaf, deed_type=entry.type))
        records.put_exchange(tx, done.exchange)
        return carried

    def _append_alone(self, tx: Transaction, deed: CheckedDeed) -> Carried:
        """A deed about no single exchange: answers were looked at, or must not be; an enquiry was closed."""
        entry = deed.entry.value
        index = self._room.log.append(tx, deed.leaf)
        records.add_deed(tx, leaf_hash(deed.leaf), None, entry.type, index)
        if isinstance(entry, ClosedEntry):
            for enquiry in entry.enquiries:
                records.close_enquiry(tx, enquiry)
        return Carried(index={EntryKind.DEED: index})

    def _receipt(self, tx: Transaction, seal: Seal, sender: Party, index: int) -> Reply:
        receipt = seal.receipt(index)
        if sender.statement.party_kind is PartyKind.AGENT:
            return Reply(parts=(receipt, extend_agency(tx, sender.id, seal)))
        return Reply(parts=(receipt,))

    def _acknowledged(self, deed: CheckedDeed, agency: Party, now: int) -> Settlement:
        room, exchange_id = self._room, deed.exchange
        assert exchange_id is not None

        def settlement(tx: Transaction) -> AfterSeal[None] | None:
            before = records.get_exchange(tx, exchange_id)
            event = bind(deed.entry.value, before, agency)
            if records.has_deed(tx, exchange_id, deed.entry.value.type):
                return None  # a delivery made again for an agency that had lost the first: it is in the log already
            done = step(before, event, now)
            cause = Cause(now, "", deed=deed.leaf, deed_type=deed.entry.value.type)
            carried = carry_out(room, tx, done, cause)
            records.put_exchange(tx, done.exchange)
            return AfterSeal(lambda tx, seal: tell(room, tx, seal, carried, now))

        return settlement
