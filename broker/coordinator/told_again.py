"""What a peer whose store was restored is told again, made anew from the log: proofs have one meaning, whenever made.

An agency gets back the deeds in its name that its own log may have lost; what the hub itself entered about it follows
by number (`greeting`). The desk is noticed again of everything about its exchanges. All of it is lasting, and known
already where nothing was lost: the receiver acknowledges it without an effect.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from broker.coordinator import records
from broker.coordinator.acting import Carried, Telling, tell
from broker.coordinator.room import Room
from broker.node.log import get_leaf
from broker.node.store.port import AfterSeal, Seal, Transaction
from schemas.messages.entry import ALERTING, read_entry

TOLD_AGAIN_AFTER_EXPIRY_MS: Final = timedelta(days=7) // timedelta(milliseconds=1)
"""Exchanges that expired longer ago are not told of again: a backup older than that is no longer one to go on from."""
BATCH: Final = 256
"""Tellings in one work."""
_Entry: TypeAlias = "tuple[str, int]"
"""An exchange and the index of an entry about it."""


async def give_back_deeds(room: Room, agency: str, mirror_size: int) -> int:
    """Tell a restored agency of its own deeds from that size of the log on; gives back how many there were.

    What is below it had mirrored, and so had its deeds before.
    """
    return await _tell_all(room, lambda tx: _deeds_of_agency(tx, agency, mirror_size), is_to_desk=False)


async def tell_desk_again(room: Room) -> int:
    """Tell a restored desk of everything about exchanges that it could still wait for; gives back how many entries."""
    since = room.post.clock.now() - TOLD_AGAIN_AFTER_EXPIRY_MS
    return await _tell_all(room, lambda tx: _not_for_leads(tx, _entries_for_desk(tx, since)), is_to_desk=True)


def _deeds_of_agency(tx: Transaction, agency: str, start: int) -> list[_Entry]:
    """Its own deeds, and the desk's of which its lead is told."""
    return tx.execute(
        "SELECT exchange.id, deed.idx FROM deed JOIN exchange ON exchange.id = deed.exchange"
        " WHERE exchange.agency = ? AND deed.idx >= ?"
        " AND deed.type IN ('acknowledged', 'in-review', 'release', 'could-not-look', 'quarantined', 'review-closed')"
        " ORDER BY deed.idx",
        (agency, start),
    ).fetchall()


def _entries_for_desk(tx: Transaction, since: int) -> list[_Entry]:
    """What the desk is noticed of: deeds of agencies, and what the hub entered of an exchange after its decision."""
    return tx.execute(
        "SELECT exchange.id AS id, deed.idx AS idx FROM exchange JOIN deed ON deed.exchange = exchange.id"
        " WHERE exchange.expires_at > :since AND deed.type IN"
        " ('acknowledged', 'in-review', 'release', 'could-not-look') UNION ALL SELECT exchange.id, later.idx"
        " FROM exchange JOIN agency_entry AS later ON later.exchange = exchange.id WHERE exchange.expires_at > :since"
        " AND later.seq > (SELECT min(first.seq) FROM agency_entry AS first WHERE first.exchange = exchange.id)"
        " ORDER BY idx",
        {"since": since},
    ).fetchall()


def _not_for_leads(tx: Transaction, found: list[_Entry]) -> list[_Entry]:
    """Without what only the agency's lead is told of."""
    return [(exchange, index) for exchange, index in found if not isinstance(read_entry(get_leaf(tx, index)), ALERTING)]


async def _tell_all(room: Room, find: Callable[[Transaction], list[_Entry]], *, is_to_desk: bool) -> int:
    found = await room.post.store.read(find)
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]

        def work(tx: Transaction, some: list[_Entry] = some) -> int | AfterSeal[int]:
            now = room.post.clock.now()
            carried = Carried(
                tellings=[
                    Telling(records.get_exchange(tx, exchange), index, 0, is_to_desk=is_to_desk)
                    for exchange, index in some
                ]
            )

            def build(tx: Transaction, seal: Seal) -> int:
                tell(room, tx, seal, carried, now)
                return len(some)

            return AfterSeal(build)

        await room.post.commit(work)
    return len(found)
