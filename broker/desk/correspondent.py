"""The desk's one door for messages: answers of agencies, notices of the coordinator, acknowledgements of its own.

Everything is verified before the transaction; one work then holds the effect, the deeds that record it and the memory
of the message. What a check is, is in `opening`, `notices` and `ruling`; what may follow what, in `progress`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from broker.desk import register
from broker.desk.asked import Asked
from broker.desk.deeds import Deeds, Done
from broker.desk.enquiry import EnquiryState
from broker.desk.following import Following
from broker.desk.kept import Kept, KeptAnswer, KeptExcess
from broker.desk.notices import read_notice
from broker.desk.opening import ExchangeUnknown, OpenedAnswer, open_released
from broker.desk.progress import Event, advance
from broker.desk.reissues import replace_deed
from broker.desk.ruling import EntryForeign, PartsUnexpected, Permitted, read_ruling
from broker.desk.trust import Trust
from broker.desk.vault import Vault
from broker.node.clock import Clock
from broker.node.metrics import DeskMetrics
from broker.node.post.outbox import Outbox
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.post.signed_anew import SignedAnew, sign_anew
from broker.node.store.port import Transaction
from broker.node.store.sqlite import Store
from schemas.envelope import pack
from schemas.failure_codes import COMMITTED
from schemas.failures import Away, Failure, Rejected
from schemas.messages.model import KindUnexpected
from schemas.messages.transport import Acknowledgement, LogPage, Notice, NotTaken, Released, Submission, kind_of


class AnsweredAlready(Rejected):
    """Another answer to the same request was opened before."""

    code = "answered_already"


class WrongSender(Rejected):
    """A message that this party has no business to send."""

    code = "wrong_sender"


class AgencyStillPinned(Away):
    """A withdrawal because an agency was removed, before a person removed it here; it is repeated until then."""

    code = "agency_still_pinned"


@dataclass(slots=True)
class DeskCorrespondent:
    """What the post is for, at the desk (`broker.node.post.port.Correspondent`)."""

    trust: Trust
    store: Store
    outbox: Outbox
    clock: Clock
    vault: Vault = field(repr=False)
    deeds: Deeds = field(repr=False)
    peer_returned: Callable[[str], None]
    following: Following = field(repr=False)
    metrics: DeskMetrics = field(repr=False)
    on_coordinator: Callable[[Received], Awaitable[None]]
    """Hears what the coordinator says in passing."""

    async def prepare(self, received: Received) -> Work:
        """Check a lasting message and say what committing it will do."""
        match received.outer:
            case Released():
                return await self._released(received, received.outer)
            case Notice():
                return await self._notice(received, received.outer)
            case NotTaken():
                return await self._not_taken(received, received.outer)
            case _:
                raise KindUnexpected("not a message for a desk")

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """Check the acknowledgement of a submission or a deed."""
        if sent.kind == kind_of(Submission):
            assert sent.exchange is not None  # every submission names its exchange
            return await self._ruled(sent.exchange, acknowledgement.code, parts)
        anew = await sign_anew(
            sent,
            acknowledgement.code,
            store=self.store,
            outbox=self.outbox,
            writer=self.deeds.writer,
            receiver=self.trust.coordinator,
            now=self.clock.now(),
        )
        if anew is not None:
            return lambda tx: self._signed_anew(tx, sent.message_id, anew)
        return await self._deed_settled(sent.message_id, acknowledgement.code, parts)

    async def passing(self, received: Received) -> None:
        """The coordinator said something: it is there, so whatever waits for it goes out at once."""
        if received.sender.id == self.trust.coordinator.id:
            self.peer_returned(received.sender.id)
            if isinstance(received.outer, LogPage):
                await self.following.take_page(received, received.outer)
            await self.on_coordinator(received)

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        """The work that notes a message that did not hold."""

        def work(tx: Transaction) -> None:
            register.add_rejection(tx, received.digest, received.kind, received.sender.id, failure.code, received.at)

        return work

    async def _released(self, received: Received, outer: Released) -> Work:
        asked, answered = await self.store.read(
            lambda tx: (register.find_asked(tx, outer.exchange), register.answer_digest_of(tx, outer.exchange))
        )
        if asked is None:
            raise ExchangeUnknown("this desk asked nothing there")
        if answered is None:
            advance(asked.progress, Event.OPENED)  # before any work: too early, or too late, is known now
        opened = open_released(
            received.parts,
            asked,
            sender=received.sender.id,
            identity=self.vault.identity(asked.reply_key),
            trust=self.trust,
            now=received.at,
        )
        self._count(opened)
        return self._keep(asked, opened, received.at)

    def _count(self, opened: OpenedAnswer) -> None:
        self.metrics.answers_opened.inc()
        if opened.judged.cuts:
            self.metrics.answers_quarantined.inc()
        for row in opened.judged.kept:
            self.metrics.outcomes.labels(row.outcome.value).inc()

    def _keep(self, asked: Asked, opened: OpenedAnswer, now: int) -> Work:
        answer, judged = opened.released.answer, opened.judged
        kept = KeptAnswer(outcomes=judged.kept, cuts=judged.cuts, handling=opened.handling)
        outcomes = self.vault.seal(asked.enquiry, Kept.OUTCOMES, asked.exchange, kept.encode())
        done = [self.deeds.opened(asked, answer.digest, now)]
        excess: bytes | None = None
        if judged.cuts:
            excess = self._set_apart(asked, opened)
            done.append(self.deeds.quarantined(asked, answer.digest, judged.cuts, now))
        evidence = pack(answer.header, answer.signatures)

        def work(tx: Transaction) -> Reply:
            known = register.answer_digest_of(tx, asked.exchange)
            if known is not None:
                if known != answer.digest:
                    raise AnsweredAlready("another answer to that request was opened before")
                return Reply()
            register.happened(tx, asked.exchange, Event.RELEASED, opened.released.entry.t, opened.released.receipt)
            register.happened(tx, asked.exchange, Event.OPENED, now)
            register.add_answer(tx, asked.exchange, answer.digest, evidence, now, outcomes)
            if excess is not None:
                register.add_quarantine(tx, asked.exchange, excess)
            for deed in done:
                self._put(tx, deed)
            return Reply()

        return work

    def _set_apart(self, asked: Asked, opened: OpenedAnswer) -> bytes:
        if opened.is_unread:
            return self.vault.seal(asked.enquiry, Kept.UNREAD, asked.exchange, opened.released.answer.parts[0])
        content = KeptExcess(outcomes=opened.judged.quarantined).encode()
        return self.vault.seal(asked.enquiry, Kept.EXCESS, asked.exchange, content)

    async def _not_taken(self, received: Received, outer: NotTaken) -> Work:
        """Keep why the agency refused the request; it may have come before the ruling, and is shown from then on."""
        if received.sender.id != self.trust.coordinator.id:
            raise WrongSender("only the coordinator tells of a delivery")
        if await self.store.read(lambda tx: register.find_asked(tx, outer.exchange)) is None:
            raise ExchangeUnknown("this desk asked nothing there")

        def work(tx: Transaction) -> Reply:
            register.set_code(tx, outer.exchange, outer.code)
            return Reply()

        return work

    async def _notice(self, received: Received, outer: Notice) -> Work:
        if received.sender.id != self.trust.coordinator.id:
            raise WrongSender("only the coordinator gives notice")
        exchange = outer.exchange
        asked = None
        if exchange is not None:
            asked = await self.store.read(lambda tx: register.find_asked(tx, exchange))
        if asked is None:
            raise ExchangeUnknown("this desk asked nothing there")
        noticed = read_notice(received.parts, asked, trust=self.trust, now=received.at)

        if noticed.is_removal and asked.agency in self.trust.directory.parties:
            raise AgencyStillPinned("the coordinator says that an agency was removed which is pinned here")

        def work(tx: Transaction) -> Reply:
            if noticed.desk_deed is not None and not register.has_withdraw(tx, asked.exchange, noticed.desk_deed):
                raise EntryForeign("withdrawn by a deed that this desk did not do")
            register.happened(tx, asked.exchange, noticed.event, noticed.at, received.parts[0])
            register.mark(tx, asked.exchange, is_undecided=noticed.is_undecided, reviewer=noticed.reviewer)
            return Reply()

        return work

    async def _ruled(self, exchange: str, code: str, parts: tuple[bytes, ...]) -> Settlement:
        asked = await self.store.read(lambda tx: register.find_asked(tx, exchange))
        assert asked is not None  # a submission is put in the outbox in the transaction that moves its exchange on
        now = self.clock.now()
        if code != COMMITTED:
            return lambda tx: self._not_accepted(tx, exchange, code, now)
        ruled = read_ruling(parts, asked, trust=self.trust, now=now)

        def work(tx: Transaction) -> None:
            if isinstance(ruled, Permitted):
                register.set_ruling(tx, exchange, ruled.ruling, ruled.grant, ruled.grant_digest)
                register.happened(tx, exchange, Event.PERMITTED, ruled.at, ruled.receipt)
                self._withdraw_if_closed(tx, asked, now)
            else:
                register.set_ruling(tx, exchange, ruled.ruling, None, None)
                register.happened(tx, exchange, Event.REFUSED, ruled.at, ruled.receipt)

        return work

    def _not_accepted(self, tx: Transaction, exchange: str, code: str, now: int) -> None:
        register.happened(tx, exchange, Event.NOT_ACCEPTED, now)
        register.set_code(tx, exchange, code)

    def _withdraw_if_closed(self, tx: Transaction, asked: Asked, now: int) -> None:
        # The enquiry was closed while this was being decided: what nobody needs any more is taken back at once.
        if register.get_enquiry(tx, asked.enquiry).state is EnquiryState.CLOSED:
            register.happened(tx, asked.exchange, Event.WITHDRAW_ASKED, now)
            self._put(tx, self.deeds.withdraw(asked, now))

    async def _deed_settled(self, message_id: str, code: str, parts: tuple[bytes, ...]) -> Settlement:
        if code != COMMITTED:
            return lambda tx: register.set_deed_code(tx, message_id, code)
        if not parts:
            raise PartsUnexpected("a deed acknowledged without its receipt")
        leaf = await self.store.read(lambda tx: register.find_deed(tx, message_id))
        if self.trust.prove(parts[0], self.clock.now()) != leaf:
            raise EntryForeign("the receipt of another entry than the desk's own")
        return lambda tx: register.set_deed_receipt(tx, message_id, parts[0])

    def _signed_anew(self, tx: Transaction, message_id: str, anew: SignedAnew) -> None:
        replace_deed(tx, message_id, anew.outgoing.message_id, anew.leaf)
        self.outbox.put(tx, anew.outgoing)

    def _put(self, tx: Transaction, done: Done) -> None:
        register.add_deed(tx, done)
        self.outbox.put(tx, done.outgoing)
