"""What a party that returns is told: the newest head, what it has not been sent of the log, and the entries it lacks.

A hello makes everything that waits for the party go out at once. Entries below what it says it holds are not sent
again; those above that no waiting message carries any more are put in the outbox anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog

from broker.coordinator import policy_records, records
from broker.coordinator.acting import Carried, Telling, tell
from broker.coordinator.policy_sending import lacking, send_lacking
from broker.coordinator.room import Room, extension_from
from broker.coordinator.told_again import give_back_deeds, tell_desk_again
from broker.node.backup_standing import has_new_epoch
from broker.node.log import get_leaf_hashes
from broker.node.post.port import Received
from broker.node.store.port import AfterSeal, Seal, Transaction
from schemas.messages.party import PartyKind
from schemas.messages.transport import MAX_PAGE_LEAVES, Head, Hello, LogPage, LogQuery

_log = structlog.get_logger()


RESENT: Final = 64
"""Entries sent anew for one hello; the party says hello again while it lacks some."""


@dataclass(frozen=True, slots=True)
class _Head:
    size: int
    last_seq: int
    checkpoint: bytes
    extension: bytes
    is_restored: bool
    """The party shows a new epoch: it lost what it was told since its backup."""


async def greet(room: Room, received: Received, hello: Hello) -> None:
    """Answer a hello."""
    party, now = received.sender, received.at
    is_agent = party.statement.party_kind is PartyKind.AGENT
    if room.on_hello is not None:
        await room.on_hello(received, hello)

    def work(tx: Transaction) -> _Head | AfterSeal[_Head]:
        is_restored = has_new_epoch(tx, party.id, hello.epoch, hello.sent_at)
        if is_agent:
            records.note_heard(tx, party.id, now)
            if is_restored:
                policy_records.forget_sent(tx, party.id)

        def build(tx: Transaction, seal: Seal) -> _Head:
            if not is_agent:
                return _Head(seal.size, 0, seal.checkpoint, b"", is_restored)
            records.swap_extended_size(tx, party.id, seal.size)
            extension = extension_from(tx, hello.mirror_size, seal.size)
            return _Head(seal.size, records.last_seq(tx, party.id), seal.checkpoint, extension, is_restored)

        return AfterSeal(build)

    head = await room.post.commit(work)
    if hello.mirror_size > head.size:
        # Either it lies, or we were restored from a backup: our lock copy is what tells. It is not extended.
        _log.critical("peer_ahead_of_log", party=party.id)
    parts = (head.checkpoint, head.extension)
    await room.post.send(room.post.passing(Head, party, parts, size=head.size, last_seq=head.last_seq))
    # The head first: with its hashes the mirror takes everything that follows.
    if head.is_restored:
        # Its own deeds before what it is asked again, so that it acknowledges no request twice.
        again = await (give_back_deeds(room, party.id, hello.mirror_size) if is_agent else tell_desk_again(room))
        _log.warning("peer_was_restored", party=party.id, count=again)
    room.post.peer_returned(party.id)
    if is_agent and await room.post.store.read(lambda tx: bool(lacking(tx, party.id, now))):
        await send_lacking(room, party, now)
    if hello.last_seq < head.last_seq:
        await _send_what_it_lacks(room, party.id, hello.last_seq, now)


async def _send_what_it_lacks(room: Room, agency: str, last_seq: int, now: int) -> None:
    def work(tx: Transaction) -> bool | AfterSeal[bool]:
        lacking = Carried(tellings=_lacking(tx, agency, last_seq, now))
        if not lacking.tellings:
            return False

        def build(tx: Transaction, seal: Seal) -> bool:
            tell(room, tx, seal, lacking, now)
            return True

        return AfterSeal(build)

    await room.post.commit(work)


def _lacking(tx: Transaction, agency: str, last_seq: int, now: int) -> list[Telling]:
    tellings = []
    for entry in records.entries_not_under_way(tx, agency, last_seq, RESENT, now):
        exchange = records.get_exchange(tx, entry.exchange)
        is_request = not exchange.is_concluded and entry.seq == records.first_seq(tx, agency, exchange.id)
        tellings.append(Telling(exchange, entry.index, entry.seq, is_to_desk=False, is_delivery=is_request))
    return tellings


async def page(room: Room, received: Received, query: LogQuery) -> None:
    """Answer a log query with as many leaf hashes as a page holds, and a checkpoint that covers them."""

    def read(tx: Transaction) -> tuple[int, bytes, bytes]:
        standing = room.log.standing(tx)
        hashes = get_leaf_hashes(tx, query.start, min(query.start + MAX_PAGE_LEAVES, standing.size))
        return standing.size, b"".join(hashes), standing.checkpoint

    size, hashes, checkpoint = await room.post.store.read(read)
    outgoing = room.post.passing(LogPage, received.sender, (hashes, checkpoint), start=query.start, size=size)
    await room.post.send(outgoing)
