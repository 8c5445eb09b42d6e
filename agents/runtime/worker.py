"""Answering what waits: look, wait until the view of the hub's log is current, commit the answer. One job, one task.

A source that is away costs its own job a pause and nobody else anything; shortly before the deadline the answer says
what could not be looked at. The order of writes:

1. the answer, the job's step, the own log's entries, the deed in the outbox     one commit
   A crash before: the job is still waiting and is looked at again. A crash after: the answer stands, byte for byte.
2. the deed goes to the hub, which proves its entry                                       `correspondent.settled`
3. only against that proof does the answer go to the desk                                 `correspondent.settled`
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from agents.runtime.alerts.alarm import is_alerted
from agents.runtime.answering import jobs
from agents.runtime.answering.jobs import UNANSWERED, Job, JobEvent
from agents.runtime.answering.slots import margin_of, next_slot, slot_of
from agents.runtime.answering.writing import Asked, Signatory, Written, write_answer
from agents.runtime.gatekeeping.gatekeeper import Gatekeeper
from agents.runtime.gatekeeping.outcomes import Decided, Looked
from agents.runtime.gatekeeping.ruling import NOBODY_SAID, Heard
from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.checks import Checker, Delivered
from agents.runtime.hub_log.currency import Currency, is_current
from agents.runtime.looking.glancing import Glancing
from agents.runtime.looking.look import Looking, decide_all, may_return, unreadable
from agents.runtime.own_log import OwnLog
from agents.runtime.review.case import Case, Reviewed
from agents.runtime.review.room import ReviewRoom
from broker.node.clock import woken_or_at
from broker.node.post.office import Post
from broker.node.store import Transaction
from schemas.envelope import unpack
from schemas.failures import Away, Disposition, Failure
from schemas.messages.grant import Grant
from schemas.messages.party import Party
from schemas.messages.request import RequestHeader, Told
from schemas.messages.transport import Deed
from schemas.records.record import Contact
from schemas.vocabulary import ReviewAct

_log = structlog.get_logger()

MOST_EXPECTED: Final = 1024
"""Requests kept open in memory between check and commit; more are opened again from the store."""
FIRST_PAUSE_MS: Final = 2_000
LONGEST_PAUSE_MS: Final = 5 * 60_000


class AlertAwaited(Away):
    """A request for which a manager of the hub broke the glass, before this agency's lead was told of it."""

    code = "alert_awaited"


@dataclass(slots=True)
class Worker:
    """Runs the jobs. How many are looked at at once is `glancing`'s; pauses, reviews and answering take no place."""

    post: Post
    hub: Party
    checker: Checker
    currency: Currency
    glancing: Glancing
    gatekeeper: Gatekeeper
    review: ReviewRoom
    own_log: OwnLog
    signatory: Callable[[], Signatory]
    """Asked for each answer: keys are rotated while the program runs."""
    contact: Contact | None
    slot_ms: int = 0
    """How far apart the instants are at which an answer leaves that could be a silent refusal (`slots`)."""
    _fresh: OrderedDict[str, Delivered] = field(default_factory=OrderedDict)
    _running: dict[str, asyncio.Event] = field(default_factory=dict)

    @property
    def looking(self) -> Looking:
        """How the source is looked at."""
        return self.glancing.looking

    def expect(self, delivered: Delivered) -> None:
        """A request was checked and is being committed: what was opened need not be opened again."""
        self._fresh[delivered.header.exchange] = delivered
        while len(self._fresh) > MOST_EXPECTED:
            self._fresh.popitem(last=False)

    def slot_for(self, header: RequestHeader, grant: Grant, arrived_at: int) -> int:
        """From when the answer to a request that arrives now may leave; 0: at once, no rule could be silent."""
        if not self.gatekeeper.may_be_silent(header, grant.scope):
            return 0
        return slot_of(header.exchange, arrived_at, header.deadline_at, self.slot_ms)

    def begin(self, exchange: str) -> None:
        """A job was written, durably or not yet: the task reads the store, which shows only what is durable."""
        if exchange not in self._running:
            self._running[exchange] = asyncio.Event()
            self.post.spawn(self._run_job(exchange))

    async def resume(self) -> None:
        """Go on with every job that waits from before, the one due first in front."""
        for exchange in await self.post.store.read(jobs.waiting):
            self.begin(exchange)

    def concluded(self, exchange: str) -> None:
        """The hub ended an exchange: its job need not wait any longer. Called on the event loop."""
        if exchange in self._running:
            self._running[exchange].set()
            self.review.stir(exchange)

    async def _run_job(self, exchange: str) -> None:
        try:
            while not await self._tried(exchange):
                await woken_or_at(self._running[exchange], self.post.clock, self.post.clock.now() + FIRST_PAUSE_MS)
        except Failure as failure:
            if failure.disposition is Disposition.HALT:
                raise
            _log.error("job_failed", exchange=exchange, code=failure.code)
        except Exception as error:  # noqa: BLE001 - its text may hold personal data; the job is taken up at the next start
            _log.error("job_failed", exchange=exchange, code=type(error).__name__)
        finally:
            del self._running[exchange]

    async def _tried(self, exchange: str) -> bool:
        """Answer; False if something is away just now, such as a key that is being replaced."""
        try:
            await self._answer(exchange)
        except Away as failure:
            _log.warning("job_waits", exchange=exchange, code=failure.code)
            return False
        return True

    async def _answer(self, exchange: str) -> None:
        delivered = self._fresh.pop(exchange, None)
        job, stands = await self.post.store.read(lambda tx: (jobs.job_of(tx, exchange), mirror.standing(tx)))
        if job is None:
            return
        header, grant, told = self._opened(job, delivered)
        if header.break_glass is not None and not await self._is_lead_told(job):
            if self.post.clock.now() < job.expires_at:
                raise AlertAwaited("the hub has not told this agency's lead yet that the glass was broken")
            await self._give_up(exchange)
            return
        # A restored store may be whole and old: then nothing is looked at before the hub was heard.
        if (stands.is_whole and not self.currency.catch_up.is_on) or await self._current(job):  # check 22
            asked = Asked(header, job_digest(job.request), job_digest(job.grant_envelope))
            found = await self._find(job, header, grant, told)
            await self._slot(job, 0 if found is None else found.said_at)
            while found is not None and not self._running[exchange].is_set():
                if await self._decide(job, asked, grant, found.heard, found.looked):
                    return
                if not await self._current(job):
                    break
        await self._give_up(exchange)

    async def _find(self, job: Job, header: RequestHeader, grant: Grant, told: Told | None) -> Reviewed | None:
        """What is found, and what people say of it where it takes people; None if the exchange ended meanwhile."""
        if told is None:
            return Reviewed(NOBODY_SAID, unreadable(header))
        if job.review_until:
            case = Case(job, header, grant, told)
            return await self.review.wait(
                case, self._running[job.exchange], lambda: self._look(job, header, grant, told)
            )
        looked = await self._look(job, header, grant, told)
        return None if looked is None else Reviewed(NOBODY_SAID, looked)

    async def _is_lead_told(self, job: Job) -> bool:
        named = job_digest(job.request), job_digest(job.grant_envelope)
        return await self.post.store.read(lambda tx: is_alerted(tx, job.exchange, *named))

    async def _decide(self, job: Job, asked: Asked, grant: Grant, heard: Heard, looked: tuple[Looked, ...]) -> bool:
        """Make and commit the answer; False if the view of the hub's log is too old for it, or the exchange ended."""
        # Takes no place: what was looked at leaves before anything else is looked at, however much waits.
        decided = self._decided(asked.header, grant, looked, heard)
        now = self.post.clock.now()
        written = write_answer(
            self.signatory(), asked, decided, policy=self.gatekeeper.digest, now=now, is_padded=job.leaves_at > 0
        )
        return await self._commit(job, written, now, has_lapsed=heard.is_over)

    def _decided(
        self, header: RequestHeader, grant: Grant, looked: tuple[Looked, ...], heard: Heard = NOBODY_SAID
    ) -> list[Decided]:
        offered = self.looking.offered
        return decide_all(self.gatekeeper, header, grant, looked, offered=offered, contact=self.contact, heard=heard)

    async def _slot(self, job: Job, said_at: int) -> None:
        """Wait for the instant that was fixed when the request arrived; if that is missed, for the next.

        Args:
            said_at: when people had said what leaves, milliseconds UTC. The look that follows has one interval, as the
                first look has: were it the rest of one, how much there is to read would choose the instant.
        """
        now = self.post.clock.now()
        fixed = max(now, said_at + self.slot_ms if said_at else 0)
        if job.leaves_at > 0 and (at := next_slot(job.leaves_at, self.slot_ms, fixed)) > now:
            await woken_or_at(self._running[job.exchange], self.post.clock, at)

    def _opened(self, job: Job, delivered: Delivered | None) -> tuple[RequestHeader, Grant, Told | None]:
        if delivered is not None and delivered.request == job.request:
            return delivered.header, delivered.grant, delivered.told
        return self.checker.reopen(job.request, job.grant_envelope)

    async def _look(self, job: Job, header: RequestHeader, grant: Grant, told: Told) -> tuple[Looked, ...] | None:
        """Look until everything was read or time is short; None if the exchange ended meanwhile."""
        last_look_at = header.deadline_at - margin_of(header.asked_at, header.deadline_at)
        pause = FIRST_PAUSE_MS
        while not self._running[job.exchange].is_set():
            looked = await self.glancing.look(grant, told)
            now = self.post.clock.now()
            decided = partial(self._decided, header, grant, looked)
            if now >= last_look_at or not may_return(looked, decided):
                return await self.glancing.capped(header, told, looked)
            _log.warning("source_away", exchange=job.exchange)
            await woken_or_at(self._running[job.exchange], self.post.clock, min(now + pause, last_look_at))
            pause = min(2 * pause, LONGEST_PAUSE_MS)
        return None

    async def _current(self, job: Job) -> bool:
        """Wait for a current view while the exchange is open; an answer after its expiry reaches nobody."""
        if self._running[job.exchange].is_set():
            return False
        return await self.currency.wait_current(job.expires_at) and self.post.clock.now() < job.expires_at

    async def _commit(self, job: Job, written: Written, now: int, *, has_lapsed: bool) -> bool:
        made, exchange = written.made, job.exchange
        deed = self.post.writer.write(
            Deed,
            self.hub,
            [made.leaf, made.addendum],
            sent_at=now,
            expires_at=job.expires_at + jobs.REPEATED_AFTER_EXPIRY_MS,
            exchange=exchange,
        )

        def work(tx: Transaction) -> bool:
            # Asked inside the transaction: an ending that came in a moment ago must win.
            if jobs.state_of(tx, exchange) not in UNANSWERED or mirror.is_concluded(tx, exchange):
                return False
            if now >= job.expires_at or not is_current(mirror.standing(tx), now):
                return False
            jobs.keep_answer(tx, exchange, made, written.answer_digest)
            if has_lapsed:
                self.own_log.reviewed(tx, exchange, ReviewAct.LAPSED, now)
            if written.kept is not None:
                self.own_log.kept_back(tx, exchange, written.kept, now)
            self.own_log.deed(tx, made.leaf, written.entry_type, exchange, now)
            self.post.outbox.put(tx, deed)
            return True

        # A crash before this line leaves the job waiting; after it the answer stands and its deed is on its way.
        return await self.post.commit(work)

    async def _give_up(self, exchange: str) -> None:
        """The exchange ended, or its time ran out: nothing leaves, and what it held sealed goes."""

        def work(tx: Transaction) -> None:
            if jobs.state_of(tx, exchange) in UNANSWERED:
                jobs.move(tx, exchange, JobEvent.CONCLUDED)
                jobs.let_go(tx, exchange)

        await self.post.commit(work)
        _log.info("job_ended", exchange=exchange)


def job_digest(envelope: bytes) -> str:
    """What log entry and answer name a request or grant by: the digest of its header."""
    return unpack(envelope).digest
