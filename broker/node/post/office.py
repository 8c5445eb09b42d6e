"""The one door: every message comes in and goes out here, in the order of writes that the safety argument is made of.

In: checks, then the correspondent prepares, then ONE transaction holds effect, memory of the id and acknowledgement,
and only then is the acknowledgement sent. Out: a message is sent only after the transaction that put it in the outbox.
Long because both ways share that order, and it is to be read in one place.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog

from broker.node.bus.port import Bus, BusAway
from broker.node.clock import PERMITTED_SKEW_MS, Clock
from broker.node.post import intake, ways
from broker.node.post.dates import Dates
from broker.node.post.inbox import Inbox
from broker.node.post.outbox import Outbox
from broker.node.post.pacing import pace_of
from broker.node.post.port import (
    AcknowledgementForeign,
    Correspondent,
    Directories,
    Equivocation,
    PartyRemoved,
    PostObserver,
    Received,
    Reply,
    Sent,
    StatementAwaited,
    Work,
)
from broker.node.post.sending import Sending
from broker.node.post.silence import Silence, patience_of
from broker.node.post.writing import Outgoing, Writer
from broker.node.store.port import AfterSeal, Transaction
from broker.node.store.sqlite import Store
from schemas.failures import Disposition, Failure, GroundLost, Rejected
from schemas.messages.party import Directory, KeyUnknown, Party, PartyKind, PartyUnknown
from schemas.messages.transport import Acknowledgement, DirectoryIssue, Flooding, Outer, Renewal, kind_of

T = TypeVar("T")
_log = structlog.get_logger()


MAX_LEFT: Final = 512
"""Messages kept at hand that came too early; older ones are repeated by their senders, as all of them would be."""
PASSING_MS: Final = 60_000 + PERMITTED_SKEW_MS
"""How long a passing message is worth reading: a minute, also where the receiver's clock is ahead of ours."""


@dataclass(slots=True)
class Post:
    """A node's post office. Made once, by the program; `correspondent` is set before `start`."""

    store: Store
    bus: Bus
    clock: Clock
    writer: Writer
    directory: Directory
    observer: PostObserver
    outbox: Outbox = field(default_factory=Outbox)
    correspondent: Correspondent | None = None
    former: Directory | None = None
    """Parties that were removed: what they still send is refused like a stranger's, and told to the correspondent."""
    account: str | None = None
    """The account that the bus knows this agent by, if its newest statement names another one already."""
    directories: Directories | None = None
    """Whoever keeps the hub's directory; none where no admission is pinned."""
    on_connected: Callable[[], Coroutine[Any, Any, None]] | None = None
    halted: asyncio.Future[Failure] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    connected_at: int | None = None
    dates: Dates = field(default_factory=Dates)
    _inbox: Inbox = field(default_factory=Inbox.empty)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _left: OrderedDict[str, Received] = field(default_factory=OrderedDict)
    """By its digest: however often a message is repeated meanwhile, it is one."""
    _subjects: set[str] = field(default_factory=set)
    _sending: Sending = field(init=False)

    def __post_init__(self) -> None:
        way, silence, pace = self._subject_of, Silence(patience_of(self.me)), pace_of(self.me)
        self._sending = Sending(self.store, self.bus, self.clock, self.observer, self.outbox, way, silence, pace)

    @property
    def me(self) -> Party:
        """The party this post belongs to."""
        return self.writer.me

    async def start(self) -> None:
        """Take up what waits from before, then listen. Messages come in from here on."""
        await self._sending.take_up()
        await self.follow_own_subjects()
        await self.bus.start(self)
        self.spawn(self._sending.repeat_for_ever())
        self.spawn(self._sending.sweep_for_ever(self._inbox))

    async def follow_own_subjects(self) -> None:
        """Listen where others reach this party by its newest statement, or did by the one before it; for good."""
        for subject in ways.listens(self.me, self.account):
            if subject not in self._subjects:
                self._subjects.add(subject)
                await self.bus.subscribe(subject, self._receive)

    def follow_account(self) -> None:
        """A connection was made anew: what is said and heard from now on is in its account."""
        in_use = self.bus.account
        if in_use is not None and self.me.statement.party_kind is PartyKind.AGENT:
            self.account = None if in_use == self.me.token else in_use

    async def stop(self) -> None:
        """Leave the bus, then end what runs; what is in the store stays there."""
        await self.bus.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the rest until the post stops; a GroundLost in it halts the node."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def commit(self, work: Callable[[Transaction], T | AfterSeal[T]]) -> T:
        """Run a work that may put messages in the outbox; they are sent once it is durable.

        Raises: what the work raises; StoreBroken, StoreClosed.
        """
        value, outgoings = await self.store.write(self._watching(work))
        # A crash here loses nothing: the messages are in the outbox table and are scheduled at the next start.
        await self._sending.send_committed(outgoings)
        return value

    async def send(self, outgoing: Outgoing) -> None:
        """Send a passing message once; if the bus is away it is lost, as such messages may be."""
        try:
            await self.bus.publish(ways.from_account(self.me, outgoing.subject, self.account), outgoing.raw)
        except BusAway:
            return
        self.observer.sent(outgoing.kind, again=False)

    async def ask(self, outgoing: Outgoing) -> None:
        """Send a passing message that its receiver answers: whoever hears nothing of him leaves for another server."""
        await self.send(outgoing)
        self._sending.asked_in_passing(outgoing.receiver)

    def passing(self, model: type[Outer], receiver: Party, parts: tuple[bytes, ...] = (), **fields: object) -> Outgoing:
        """A passing message, soon worthless."""
        now = self.clock.now()
        return self.writer.write(model, receiver, parts, sent_at=now, expires_at=now + PASSING_MS, **fields)

    def peer_returned(self, party: str) -> None:
        """Somebody said hello: whatever waits for him goes out at once."""
        self._sending.hasten(party)

    def try_again(self) -> None:
        """Something has come that others may have waited for: take in now what came too early for it.

        Their senders would repeat them a second later in any case; this only spares that second.
        """
        left, now = list(self._left.values()), self.clock.now()
        self._left.clear()
        for received in left:
            if now < received.outer.expires_at:
                self.spawn(self._take_or_fail(received))

    def halt(self, failure: Failure) -> None:
        """Our own ground is gone: take in nothing more; the program stops and says why."""
        if not self.halted.done():
            _log.critical("node_halted", code=failure.code, exc_info=failure)
            self.halted.set_result(failure)

    # What the bus tells (broker.node.bus.port.BusEvents).

    def connected(self) -> None:
        """The bus is there (again): everything that waits goes out at once."""
        self.connected_at = self.clock.now()
        self.follow_account()
        self._sending.hasten(None)
        if self.on_connected is not None:
            self.spawn(self.on_connected())
        _log.info("bus_connected")

    def disconnected(self) -> None:
        """The bus is away; messages wait."""
        self.connected_at = None
        _log.warning("bus_lost")

    def unheard(self, subject: str) -> None:
        """Nobody listens there just now; the repeats and the peer's hello take care of it."""

    def dropped(self, subject: str) -> None:
        """A message for us was lost to a full queue; its sender repeats it."""
        self.observer.rejected("unknown", "dropped")

    def flooding(self, token: str, rate: int) -> None:
        """Somebody sends more than the bus lets in: admission is told, which alone can cut him off."""
        self.observer.rejected("unknown", "flooding")
        for admission in self.directory.of_kind(PartyKind.ADMISSION):
            self.spawn(self.send(self.passing(Flooding, admission, token=token, rate=rate)))

    # In.

    async def _receive(self, subject: str, raw: bytes) -> None:
        if self.halted.done() or self.correspondent is None:
            return
        if self.account is not None:
            subject = subject.replace(self.account, self.me.token)  # the account of before, until the new one is let in
        try:
            received = intake.check(subject, raw, me=self.me, directory=self.directory, now=self.clock.now())
        except PartyUnknown as failure:
            self._note_rejection("unknown", failure)
            await self._tell_of_former(subject, raw)
            return
        except Rejected as failure:
            # Not proven to be anybody's: nothing is said to anyone, and nothing is entered that a stranger could flood.
            if isinstance(failure, intake.FromTheFuture | intake.Expired):
                self._note_date(subject, raw)
            self._note_rejection("unknown", failure)
            if isinstance(failure, KeyUnknown) and self.directories is not None:
                self.directories.ask_soon()  # perhaps a newer statement names it: then its sender's repeat is taken in
            return
        self.dates.note(received)
        self._sending.silence.heard(received.sender.id, received.at)
        self.observer.received(received.kind)
        await self._take_or_fail(received)

    def _note_date(self, subject: str, raw: bytes) -> None:
        self.dates.refused += 1
        with suppress(Rejected):
            proven = intake.check_but_for_time(subject, raw, me=self.me, directory=self.directory)
            self.dates.note_refused(proven, self.clock.now())

    async def _tell_of_former(self, subject: str, raw: bytes) -> None:
        """Have a lasting message of a party that was removed entered as refused; nothing is said to the party."""
        if self.former is None or self.correspondent is None:
            return
        try:
            received = intake.check(subject, raw, me=self.me, directory=self.former, now=self.clock.now())
        except Rejected:
            return
        if received.outer.lasting and not isinstance(received.outer, Acknowledgement):
            await self.commit(self.correspondent.record_rejection(received, PartyRemoved("a party that was removed")))

    async def _take_or_fail(self, received: Received) -> None:
        assert self.correspondent is not None
        try:
            await self._take(received, self.correspondent)
        except Failure as failure:
            self._fail(received, failure)

    async def _take(self, received: Received, correspondent: Correspondent) -> None:
        if isinstance(received.outer, Acknowledgement):
            await self._settle(received, received.outer, correspondent)
        elif isinstance(received.outer, DirectoryIssue) and self.directories is not None:
            await self.directories.take(received)
        elif received.outer.lasting:
            await self._answer(received, correspondent)
        else:
            await correspondent.passing(received)

    async def _answer(self, received: Received, correspondent: Correspondent) -> None:
        acknowledgement = self._inbox.at_hand(received)
        if acknowledgement is None:
            try:
                work = await correspondent.prepare(received)
                acknowledgement = await self.commit(self._once(received, work))
            except Rejected as failure:
                if isinstance(failure, Equivocation):
                    raise
                self._leave_if_it_may_lack(received, failure)
                self._note_rejection(received.kind, failure)
                acknowledgement = await self.commit(self._once(received, self._rejection(received, failure)))
            # A crash before the commit: the sender repeats, and nothing had happened.
            # A crash after it: the sender repeats, and the inbox gives back the same acknowledgement.
            self._inbox.keep_at_hand(received, acknowledgement)
        acknowledgement = self.writer.under_live_key(acknowledgement, sent_at=self.clock.now())
        await self._publish_acknowledgement(received, acknowledgement)

    async def _publish_acknowledgement(self, received: Received, acknowledgement: bytes) -> None:
        with suppress(BusAway):  # the sender repeats once the bus is back
            await self.bus.publish(ways.back(self.me, received.sender, received.subject, self.account), acknowledgement)
            self.observer.sent("acknowledgement", again=False)

    def _once(self, received: Received, work: Work) -> Callable[[Transaction], bytes | AfterSeal[bytes]]:
        def run(tx: Transaction) -> bytes | AfterSeal[bytes]:
            known = self._inbox.find(tx, received)
            if known is not None:
                # Another copy of it, perhaps earlier in this very group: then its acknowledgement is made at the seal.
                return known or AfterSeal(lambda tx, seal: self._inbox.find(tx, received) or b"")
            self._inbox.claim(tx, received)
            result = work(tx)
            if isinstance(result, AfterSeal):
                later = result
                return AfterSeal(lambda tx, seal: self._remember(tx, received, later.build(tx, seal)))
            return self._remember(tx, received, result)

        return run

    def _remember(self, tx: Transaction, received: Received, reply: Reply) -> bytes:
        now = self.clock.now()
        acknowledgement = self.writer.write(
            Acknowledgement,
            received.sender,
            reply.parts,
            sent_at=now,
            # As long as the message itself may be repeated, so that a repeat can always be answered with these bytes;
            # and no longer than any message may be valid, should the sender's clock be ahead of ours.
            expires_at=min(max(received.outer.expires_at, now + PASSING_MS), now + intake.MAX_VALIDITY_MS),
            acknowledges=received.outer.message_id,
            acknowledged_digest=received.digest,
            code=reply.code,
        ).raw
        self._inbox.answer(tx, received, acknowledgement)
        return acknowledgement

    def _rejection(self, received: Received, failure: Rejected) -> Work:
        assert self.correspondent is not None
        record = self.correspondent.record_rejection(received, failure)

        def run(tx: Transaction) -> Reply:
            record(tx)
            return Reply(code=failure.code)

        return run

    async def _settle(self, received: Received, acknowledgement: Acknowledgement, correspondent: Correspondent) -> None:
        sent = self.outbox.find(acknowledgement.acknowledges)
        if sent is None:
            return  # acknowledged before, or never ours
        if sent.receiver != received.sender.id or sent.digest != acknowledgement.acknowledged_digest:
            raise AcknowledgementForeign("not by the receiver of that message, or of other bytes")
        try:
            if sent.kind == kind_of(Renewal) and self.directories is not None:
                settlement = await self.directories.renewed(acknowledgement, received.parts)
            else:
                settlement = await correspondent.settled(sent, acknowledgement, received.parts)
        except Rejected as failure:
            self._leave_if_it_may_lack(received, failure)
            raise

        def run(tx: Transaction) -> AfterSeal[None] | None:
            return settlement(tx) if self.outbox.taken(tx, sent.message_id) else None

        await self.commit(run)
        self.outbox.forget(sent.message_id)
        self.try_again()

    def _watching(
        self, work: Callable[[Transaction], T | AfterSeal[T]]
    ) -> Callable[[Transaction], tuple[T, list[Outgoing]] | AfterSeal[tuple[T, list[Outgoing]]]]:
        def run(tx: Transaction) -> tuple[T, list[Outgoing]] | AfterSeal[tuple[T, list[Outgoing]]]:
            self.outbox.start_work()
            result = work(tx)
            put = self.outbox.put_by_work()
            if not isinstance(result, AfterSeal):
                return result, put

            def build(tx: Transaction, seal: Any) -> tuple[T, list[Outgoing]]:
                self.outbox.start_work()
                value: T = result.build(tx, seal)
                return value, put + self.outbox.put_by_work()

            return AfterSeal(build)

        return run

    # When something is wrong.

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Failure as failure:
            if failure.disposition is Disposition.HALT:
                self.halt(failure)
            else:
                _log.error("task_failed", code=failure.code, exc_info=failure)
        except Exception as error:  # noqa: BLE001  # a fault of the program: going on without this part would be silent
            _log.critical("task_broke", exc_info=error)
            self.halt(GroundLost("a part of the program broke; its log says where"))

    def _leave_if_it_may_lack(self, received: Received, failure: Rejected) -> None:
        if self.directories is not None and self.directories.may_lack(received, failure):
            raise StatementAwaited("it names a key that no statement held here brings") from None

    def _fail(self, received: Received, failure: Failure) -> None:
        """The one place that reads a failure's disposition."""
        kind = received.kind
        match failure.disposition:
            case Disposition.RETRY:
                _log.info("message_left_for_later", kind=kind, code=failure.code)  # no acknowledgement: it is repeated
                self._left[received.digest] = received
                if len(self._left) > MAX_LEFT:
                    self._left.popitem(last=False)
            case Disposition.REJECT:
                self._note_rejection(kind, failure)
            case Disposition.HALT:
                self.halt(failure)

    def _subject_of(self, sent: Sent, written: str) -> str:
        return ways.outwards(self.me, self.directory.parties.get(sent.receiver), written, self.account)

    def _note_rejection(self, kind: str, failure: Failure) -> None:
        self.observer.rejected(kind, failure.code)
        _log.warning("message_rejected", kind=kind, code=failure.code)
