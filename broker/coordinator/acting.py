"""Carrying out a step's effects: all in the transaction of its cause, and what leaves only after the seal.

`carry_out` appends, sets timers and says what there is to tell; `tell` makes the messages once the group is sealed and
puts them in the outbox, in the same transaction. So there is an entry, a timer and a message, or none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, assert_never

import structlog

from broker.coordinator import records, reviews
from broker.coordinator.effects import (
    Alert,
    Append,
    CancelTimers,
    Deliver,
    EntryKind,
    ForgetRequest,
    NoticeAgent,
    NoticeDesk,
    SetTimer,
    TimerKind,
)
from broker.coordinator.exchange import Exchange, Progress, Step
from broker.coordinator.room import Room, extend_agency
from broker.node.log import get_leaf
from broker.node.store.port import Seal, Transaction
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import (
    ALERTING,
    EscalatedEntry,
    ExpiredEntry,
    HubEntry,
    OverdueEntry,
    WithdrawnEntry,
    read_entry,
)
from schemas.messages.party import Party
from schemas.messages.transport import Delivery, Notice

_log = structlog.get_logger()

NOTICE_LIFE_MS: Final = timedelta(days=30) // timedelta(milliseconds=1)
"""An agency that is away for longer is sent what it lacks when it says hello."""

LeafOf = Callable[[int], bytes]
"""Makes the leaf of a decision, once the number of the entry is known."""


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """What is entered beside a request for which a manager broke the glass, and who the two people are."""

    leaf: LeafOf
    by: reviews.TwoPeople
    review_within_ms: int
    """As the sharing agreement says."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What came with an event: the time, sixteen random bytes for an entry of our own, and the leaf of a deed.

    `removal` is the leaf hash of the member entry by which an agency's exchanges end.
    """

    now: int
    nonce: str
    decision: LeafOf | None = None
    deed: bytes = b""
    deed_type: str = ""
    removal: str | None = None
    broken: BrokenGlass | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to tell a party once there is a seal; `seq` is the entry's number where it names the agency."""

    exchange: Exchange
    index: int
    seq: int
    is_to_desk: bool
    is_delivery: bool = False


@dataclass(slots=True)
class Carried:
    """What carrying out effects left to do, and where each entry came to stand."""

    index: dict[EntryKind, int] = field(default_factory=dict)
    seq: dict[EntryKind, int] = field(default_factory=dict)
    tellings: list[Telling] = field(default_factory=list)
    conclusions: list[Progress] = field(default_factory=list)


def carry_out(room: Room, tx: Transaction, done: Step, cause: Cause) -> Carried:
    """Carry out a step's effects within a work. The exchange itself is written by the caller."""
    exchange, carried = done.exchange, Carried()
    for effect in done.effects:
        match effect:
            case Append(kind):
                _append(room, tx, exchange, kind, cause, carried)
            case Deliver():
                index, seq = carried.index[EntryKind.REQUEST], carried.seq[EntryKind.REQUEST]
                carried.tellings.append(Telling(exchange, index, seq, is_to_desk=False, is_delivery=True))
            case NoticeAgent(kind):
                # A party's own deed has no number among those the hub gave.
                seq = carried.seq.get(kind, 0)
                carried.tellings.append(Telling(exchange, carried.index[kind], seq, is_to_desk=False))
            case NoticeDesk(kind):
                carried.tellings.append(Telling(exchange, carried.index[kind], 0, is_to_desk=True))
            case SetTimer(kind, due_at):
                records.set_timer(tx, exchange, kind, due_at)
            case CancelTimers():
                records.cancel_timers(tx, exchange.id)
                carried.conclusions.append(exchange.progress)
            case ForgetRequest():
                records.forget_request(tx, exchange.id)
            case Alert(kind):
                _alert(kind, exchange)
            case _:
                assert_never(effect)
    return carried


def _append(room: Room, tx: Transaction, exchange: Exchange, kind: EntryKind, cause: Cause, carried: Carried) -> None:
    if kind is EntryKind.DEED:
        digest = leaf_hash(cause.deed)
        carried.index[kind] = room.log.append(tx, cause.deed)
        records.add_deed(tx, digest, exchange.id, cause.deed_type, carried.index[kind])
        return
    seq = records.next_seq(tx, exchange.agency)
    if kind in (EntryKind.REQUEST, EntryKind.REFUSAL):
        assert cause.decision is not None
        leaf = cause.decision(seq)
    elif kind is EntryKind.BREAK_GLASS:
        assert cause.broken is not None
        leaf = cause.broken.leaf(seq)
        broken = cause.broken
        reviews.open_review(
            tx, exchange, broken.by, leaf_hash(leaf).hex(), now=cause.now, due_at=cause.now + broken.review_within_ms
        )
        room.metrics.glass_broken.inc()
        _log.warning("glass_broken", exchange=exchange.id, agency=exchange.agency)
    else:
        leaf = _entry_of_time(room, exchange, kind, cause, seq).encode()
    index = room.log.append(tx, leaf)
    records.add_agency_entry(tx, exchange.agency, records.AgencyEntry(seq, exchange.id, index, ""))
    carried.index[kind], carried.seq[kind] = index, seq


def _entry_of_time(room: Room, exchange: Exchange, kind: EntryKind, cause: Cause, seq: int) -> HubEntry:
    said: dict[str, Any] = {
        "log": room.log.origin,
        "hub": room.hub,
        "t": cause.now,
        "n": cause.nonce,
        "agency": exchange.agency,
        "exchange": exchange.id,
        "seq": seq,
    }
    match kind:
        case EntryKind.OVERDUE:
            return OverdueEntry(**said, deadline_at=exchange.deadline_at, undecided=exchange.is_undecided)
        case EntryKind.ESCALATED:
            return EscalatedEntry(**said)
        case EntryKind.EXPIRED:
            return ExpiredEntry(**said, expires_at=exchange.expires_at)
        case EntryKind.WITHDRAWN:
            if cause.removal is not None:
                return WithdrawnEntry(**said, removal=cause.removal)
            return WithdrawnEntry(**said, desk_deed=leaf_hash(cause.deed).hex())
        case EntryKind.REQUEST | EntryKind.REFUSAL | EntryKind.BREAK_GLASS | EntryKind.DEED:
            raise AssertionError("made elsewhere")
        case _:
            assert_never(kind)


def _alert(kind: TimerKind, exchange: Exchange) -> None:
    _log.warning("exchange_alert", kind=kind.value, exchange=exchange.id, agency=exchange.agency)


def tell(room: Room, tx: Transaction, seal: Seal, carried: Carried, now: int) -> None:
    """Make the messages that wait for the seal and put them in the outbox."""
    desk = room.desk()
    receipts: dict[int, bytes] = {}
    newest: dict[str, int] = {}  # the agencies told already: they have been sent every leaf hash up to this seal
    for telling in carried.tellings:
        receipt = receipts.get(telling.index)
        if receipt is None:
            receipt = receipts[telling.index] = seal.receipt(telling.index)
        if telling.is_to_desk:
            if desk is not None:
                _notice(room, tx, desk, telling, (receipt,), now, last_seq=0)
            continue
        agency = room.directory.parties.get(telling.exchange.agency)
        if agency is None:
            continue  # unpinned meanwhile: it is told when it is pinned again and says hello
        request = records.get_request(tx, telling.exchange.id) if telling.is_delivery else None
        extension = b"" if agency.id in newest else extend_agency(tx, agency.id, seal)
        last_seq = newest.setdefault(agency.id, 0) or records.last_seq(tx, agency.id)
        newest[agency.id] = last_seq
        if request is None:
            parts = (receipt, extension, *_for_the_lead(tx, telling.index))
            _notice(room, tx, agency, telling, parts, now, last_seq=last_seq)
            continue
        outgoing = room.post.writer.write(
            Delivery,
            agency,
            (*request, receipt, extension),
            sent_at=now,
            expires_at=telling.exchange.expires_at,
            exchange=telling.exchange.id,
            last_seq=last_seq,
        )
        room.post.outbox.put(tx, outgoing)
        records.note_carrier(tx, agency.id, telling.seq, outgoing.message_id)
    for progress in carried.conclusions:
        # A group that is rolled back and run again counts twice: metrics are for trends, the log is the truth.
        room.metrics.conclusions.labels(progress.value).inc()


def _for_the_lead(tx: Transaction, index: int) -> tuple[bytes, ...]:
    """Of an entry that the agency's lead is told of its addendum, sealed to that lead; empty if it was erased since."""
    entry = read_entry(get_leaf(tx, index))
    if not isinstance(entry, ALERTING):
        return ()
    return (records.get_addendum(tx, entry.addendum_digest) or b"",)


def _notice(
    room: Room,
    tx: Transaction,
    receiver: Party,
    telling: Telling,
    parts: tuple[bytes, ...],
    now: int,
    *,
    last_seq: int,
) -> None:
    outgoing = room.post.writer.write(
        Notice,
        receiver,
        parts,
        sent_at=now,
        expires_at=now + NOTICE_LIFE_MS,
        exchange=telling.exchange.id,
        last_seq=last_seq,
    )
    room.post.outbox.put(tx, outgoing)
    if telling.seq:
        records.note_carrier(tx, receiver.id, telling.seq, outgoing.message_id)
