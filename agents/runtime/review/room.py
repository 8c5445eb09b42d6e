"""The review desk's room: requests wait here for a person, and here people say what leaves of them.

What is kept is the request as it came, sealed, and codes: what would leave is looked up anew whenever somebody reads it
and once more before it leaves, and the gatekeeper decides again each time. So nobody releases what he has not read:

1. what is shown has a digest; whoever lets it leave names that digest          `shown`
2. is it another by now, the word is not taken                                  `release`
3. it is looked up again to be sent; is it another then, the words are dropped and it waits on      `wait`
4. is there no time left, what nobody read is withheld, and the rest leaves                         `wait`

A crash anywhere leaves the request in review, with the ruling and the words that were durable. Waiting takes no place.
Refuses to know faces: command line and pages ask the same methods.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog

from agents.runtime.answering.slots import margin_of
from agents.runtime.answering.writing import Signatory
from agents.runtime.gatekeeping.gatekeeper import Gatekeeper
from agents.runtime.gatekeeping.outcomes import Decided, Looked
from agents.runtime.gatekeeping.ruling import Heard
from agents.runtime.hub_policy.bases import bases_of
from agents.runtime.looking.glancing import Glancing
from agents.runtime.looking.look import decide_all
from agents.runtime.own_log import OwnLog, ReviewedTold
from agents.runtime.review import records
from agents.runtime.review.acts import Acting, ReviewRefused, apply_act
from agents.runtime.review.case import Case, Names, Reviewed
from agents.runtime.review.records import Press, Standing
from agents.runtime.review.reviewers import Door, SignedIn
from agents.runtime.review.settings import ReviewSettings
from agents.runtime.review.view import listed, view
from broker.node.clock import woken_or_at
from broker.node.metrics import AgentMetrics
from broker.node.post.office import Post
from broker.node.store import Transaction
from schemas.failures import Rejected
from schemas.messages.addendum import make_addendum
from schemas.messages.grant import Grant
from schemas.messages.request import RequestHeader
from schemas.records.record import Contact
from schemas.vocabulary import ReviewAct

_log = structlog.get_logger()


class NotInReview(Rejected):
    """No such request waits for a person."""

    code = "not_in_review"


class ChangedSinceRead(Rejected):
    """What would leave is not what was shown."""

    code = "changed_since_read"


@dataclass(slots=True)
class ReviewRoom:
    """All requests of this agency that wait for a person."""

    post: Post
    glancing: Glancing
    gatekeeper: Gatekeeper
    own_log: OwnLog
    signatory: Callable[[], Signatory]
    contact: Contact | None
    settings: ReviewSettings
    door: Door
    metrics: AgentMetrics
    slot_ms: int = 0
    _cases: dict[str, Case] = field(default_factory=dict)

    def until_for(self, header: RequestHeader, grant: Grant, arrived_at: int) -> int:
        """Until when a request that arrives now waits for a person; 0: for nobody."""
        offered = self.glancing.looking.offered
        scope = [one for one in grant.scope if one.category in offered]
        if self.settings.role is None or not self.gatekeeper.must_be_read(header, scope):
            return 0
        to_leave = 2 * self.slot_ms  # an interval to look once more, and at most another until its instant
        until = header.deadline_at - margin_of(header.asked_at, header.deadline_at) - to_leave
        if until <= arrived_at:  # too late already: late and read is better than a little less late and withheld
            until = header.expires_at - margin_of(arrived_at, header.expires_at) - to_leave
        return until if until > arrived_at else 0

    async def wait(
        self, case: Case, ended: asyncio.Event, look: Callable[[], Awaitable[tuple[Looked, ...] | None]]
    ) -> Reviewed | None:
        """Wait until people have said what leaves, or time is over; None if the hub ended the exchange.

        Args:
            look: looks until everything was read or time is short.
        """
        self._cases[case.exchange] = case
        self._measure()
        try:
            while not ended.is_set():
                case.stir.clear()
                stands = await self._standing(case)
                pressed = self._counting(stands)
                is_missing = len(pressed) < case.people_needed(stands.ruling, self.settings.two_person_categories)
                if is_missing and self.post.clock.now() < case.job.review_until:
                    await woken_or_at(case.stir, self.post.clock, case.job.review_until)
                    continue
                case.is_over = is_missing
                said_at = self.post.clock.now()
                looked = await look()
                if looked is None:
                    return None
                heard = (await self._names(case)).heard(stands.ruling, is_read=not case.is_over, is_over=case.is_over)
                if case.is_over or await self._is_as_read(case, heard, looked, pressed):
                    return Reviewed(heard, looked, said_at)
                await self._forget_presses(case)
            return None
        finally:
            del self._cases[case.exchange]
            self._measure()

    def stir(self, exchange: str) -> None:
        """Something happened to an exchange. Called on the event loop."""
        if exchange in self._cases:
            self._cases[exchange].stir.set()

    def listed(self) -> list[dict[str, Any]]:
        """Every request that waits, the one whose time is over first in front: codes and times."""
        now = self.post.clock.now()
        waiting = sorted(self._cases.values(), key=lambda one: (one.job.review_until, one.exchange))
        return [listed(one, now) for one in waiting]

    async def shown(self, exchange: str) -> dict[str, Any]:
        """A request as a person reviews it: who asks what about whom and why, and what would leave. Looks it up anew.

        Raises:
            NotInReview: it does not wait (any more).
        """
        case = self._case(exchange)
        stands, names = await self._standing(case), await self._names(case)
        looked = await self._glance(case)
        heard = names.heard(stands.ruling, is_read=True)
        decided = self._decided(case, looked, heard)
        needed = case.people_needed(stands.ruling, self.settings.two_person_categories)
        granted_by, codes = case.grant.policy_digest, case.header.lawful_bases
        return view(
            case,
            looked,
            decided,
            heard,
            bases=await self.post.store.read(lambda tx: bases_of(tx, granted_by, codes)),
            gatekeeper=self.gatekeeper,
            shown=names.shown(decided, stands.ruling),
            pressed=[press.reviewer for press in self._counting(stands)],
            needed=needed,
            now=self.post.clock.now(),
        )

    async def act(self, who: SignedIn, acting: Acting) -> None:
        """Take something away, decline, narrow, or ask to confirm; durable and in the own log when this returns.

        Raises:
            NotInReview: the request does not wait (any more).
            ReviewRefused: it cannot be so; the text says why and what to do.
        """
        case = self._case(acting.exchange)
        addendum = self._told(case, who, acting.act_entered, acting)
        now = self.post.clock.now()

        def work(tx: Transaction) -> None:
            stands = records.standing(tx, case.exchange)
            self._check_open(case, stands)
            records.put_ruling(tx, case.exchange, apply_act(stands.ruling, acting, case))
            self.own_log.reviewed(tx, case.exchange, acting.act_entered, now, role=who.role, addendum=addendum)

        await self.post.commit(work)
        _log.info("review_act", exchange=case.exchange, kind=acting.act)

    async def release(self, who: SignedIn, exchange: str, shown: str) -> int:
        """Let what was shown leave; gives back how many other people must do so too.

        Args:
            shown: the digest of what was read.

        Raises:
            NotInReview: the request does not wait (any more).
            ChangedSinceRead: something else would leave by now.
            ReviewRefused: it was let go already.
        """
        case = self._case(exchange)
        stands, names = await self._standing(case), await self._names(case)
        self._check_open(case, stands)
        looked = await self._glance(case)
        decided = self._decided(case, looked, names.heard(stands.ruling, is_read=True))
        said = names.shown(decided, stands.ruling)
        if not hmac.compare_digest(said.encode(), shown.encode()):
            raise ChangedSinceRead("what would leave is not what you read: look at it again, then release that")
        addendum, now = self._told(case, who, ReviewAct.RELEASED, None), self.post.clock.now()

        def work(tx: Transaction) -> Standing:
            stands_now = records.standing(tx, exchange)
            self._check_open(case, stands_now)
            if stands_now.ruling != stands.ruling:
                raise ChangedSinceRead("somebody else changed it meanwhile: look at it again, then release that")
            records.put_press(tx, exchange, Press(who.id, said, now))
            self.own_log.reviewed(tx, exchange, ReviewAct.RELEASED, now, role=who.role, addendum=addendum)
            return records.standing(tx, exchange)

        missing = self._missing(case, await self.post.commit(work))
        case.stir.set()
        _log.info("review_act", exchange=exchange, kind="release")
        return missing

    def _case(self, exchange: str) -> Case:
        case = self._cases.get(exchange)
        if case is None:
            raise NotInReview("no such request waits for a person here; agent review list names those that do")
        return case

    def _check_open(self, case: Case, stands: Standing) -> None:
        if case.is_over or self.post.clock.now() >= case.job.review_until:
            raise ReviewRefused("its time is over: what nobody had released is withheld, and the rest leaves")
        if self._missing(case, stands) == 0:
            raise ReviewRefused("it was released already, and is on its way")

    def _counting(self, stands: Standing) -> list[Press]:
        """Words that count: of people who still review here, for one and the same thing shown."""
        newest = stands.presses[-1].shown if stands.presses else ""
        return [one for one in stands.presses if one.shown == newest and self.door.still(one.reviewer) is not None]

    def _missing(self, case: Case, stands: Standing) -> int:
        needed = case.people_needed(stands.ruling, self.settings.two_person_categories)
        return max(0, needed - len(self._counting(stands)))

    async def _is_as_read(self, case: Case, heard: Heard, looked: Iterable[Looked], pressed: Iterable[Press]) -> bool:
        said = (await self._names(case)).shown(self._decided(case, looked, heard), heard.ruling)
        return all(hmac.compare_digest(said, press.shown) for press in pressed)

    async def _forget_presses(self, case: Case) -> None:
        now = self.post.clock.now()

        def work(tx: Transaction) -> None:
            records.drop_presses(tx, case.exchange)
            self.own_log.reviewed(tx, case.exchange, ReviewAct.CHANGED, now)

        await self.post.commit(work)
        _log.warning("review_changed", exchange=case.exchange)

    def _decided(self, case: Case, looked: Iterable[Looked], heard: Heard) -> list[Decided]:
        offered = self.glancing.looking.offered
        return decide_all(
            self.gatekeeper, case.header, case.grant, looked, offered=offered, contact=self.contact, heard=heard
        )

    async def _glance(self, case: Case) -> tuple[Looked, ...]:
        return await self.glancing.capped(case.header, case.told, await self.glancing.look(case.grant, case.told))

    async def _standing(self, case: Case) -> Standing:
        return await self.post.store.read(lambda tx: records.standing(tx, case.exchange))

    async def _names(self, case: Case) -> Names:
        return Names(await self.post.commit(records.key_of), case.exchange)

    def _told(self, case: Case, who: SignedIn, act: ReviewAct, acting: Acting | None) -> bytes:
        signatory = self.signatory()
        told = ReviewedTold(
            exchange=case.exchange,
            act=act,
            reviewer=who.id,
            name=who.name,
            role=who.role,
            categories=[acting.category] if acting is not None and acting.category is not None else [],
            fields=list(acting.words) if acting is not None else [],
            reason=acting.reason if acting is not None else None,
            written=acting.written if acting is not None else None,
        )
        addendum, _ = make_addendum(case.header.hub, case.exchange, told.encode(), [signatory.own_lead])
        return addendum

    def _measure(self) -> None:
        self.metrics.reviews_waiting.set(len(self._cases))
        oldest = min((one.header.asked_at for one in self._cases.values()), default=None)
        self.metrics.review_oldest.set(0 if oldest is None else oldest / 1000)
