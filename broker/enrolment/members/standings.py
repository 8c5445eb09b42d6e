"""How an agency stands after it was admitted: suspended, resumed, expelled. A step each, with its entry.

What a suspension or an expulsion does to connections follows from the accounts' claims
(`broker.enrolment.books.to_hold`); what it does to requests is the coordinator's business, once a person has unpinned
the agency there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from broker.enrolment.books import records
from broker.enrolment.books.deeds import Step
from broker.enrolment.books.records import MemberState
from broker.enrolment.books.register import Register
from broker.enrolment.books.room import Room
from broker.enrolment.servers.guard import SuspensionReason, resumable_at
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from schemas.failures import Rejected

BY_HAND = "by-hand"
"""The reason of a step that a person took without giving another."""
LEAF_ALLOWED, LEAF_ENDED = "leaf-allowed", "leaf-ended"
"""The reasons of steps about an agency's own server."""


class TooSoon(Rejected):
    """An agency that was suspended for what it did on the bus, and has not had time to stop it."""

    code = "too_soon"


async def suspend(room: Room, agency: str, reason: str = BY_HAND) -> frozenset[str]:
    """Cut an agency off until a person resumes it; gives back the servers on which it is in effect.

    Raises:
        NotAMember: there is no admitted agency of that name.
    """
    return await _move(room, agency, (MemberState.ADMITTED,), MemberState.SUSPENDED, "suspended", reason)


async def resume(room: Room, agency: str) -> frozenset[str]:
    """Let a suspended agency in again; gives back the servers on which it is in effect.

    Raises:
        NotAMember: there is no suspended agency of that name.
        TooSoon: it was suspended for what it did on the bus a moment ago.
    """
    return await _move(room, agency, (MemberState.SUSPENDED,), MemberState.ADMITTED, "resumed", None)


async def expel(room: Room, agency: str, reason: str = BY_HAND) -> frozenset[str]:
    """Cut an agency off for good; gives back the servers on which it is in effect.

    Raises:
        NotAMember: there is no agency of that name to be expelled.
    """
    return await _move(
        room, agency, (MemberState.ADMITTED, MemberState.SUSPENDED), MemberState.EXPELLED, "expelled", reason
    )


async def let_run_leaf(room: Room, agency: str, *, may_run_leaf: bool) -> frozenset[str]:
    """Let an agency connect a server of its own, or no more; gives back the servers on which it is in effect.

    Its statement stays as it is: only what its account may do is made anew, and entered as that.

    Raises:
        NotAMember: there is no agency of that name on record.
    """

    def let(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
        member = register.member(agency, (MemberState.ADMITTED, MemberState.SUSPENDED))
        if member.may_run_leaf is may_run_leaf:
            return ()
        records.put_member(tx, replace(member, may_run_leaf=may_run_leaf))
        reason = LEAF_ALLOWED if may_run_leaf else LEAF_ENDED
        return (room.deeds.step("renewed", register.agencies[agency], now, reason=reason),)

    return await room.commit(let, touched=(agency,))


async def _move(
    room: Room, agency: str, come_from: tuple[MemberState, ...], state: MemberState, step: Step, reason: str | None
) -> frozenset[str]:
    def move(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
        member = register.member(agency, come_from)
        is_by_guard = state is MemberState.ADMITTED and member.reason in set(SuspensionReason)
        if is_by_guard and now < resumable_at(member.since):
            raise TooSoon(f"suspended for {member.reason}; it may be resumed ten minutes after that")
        records.put_member(tx, replace(member, state=state, since=now, reason=reason))
        records.drop_offer(tx, agency)
        return (room.deeds.step(step, register.agencies[agency], now, reason=reason),)

    return await room.commit(move, touched=(agency,))
