"""Getting the hub's policy versions to its agencies: each is sent every version it may need, until it has answered.

A version travels with the proof of its entry, so that an agency takes no version that is not in the log. It is put into
the outbox in the transaction that enters it, and anew for an agency that says hello and lacks it.
"""

from __future__ import annotations

from collections.abc import Iterable

from broker.coordinator import policy_records as records
from broker.coordinator.acting import NOTICE_LIFE_MS
from broker.coordinator.records import last_seq
from broker.coordinator.room import Room, extend_agency
from broker.coordinator.submission import LONGEST_MS
from broker.node.store.port import AfterSeal, Seal, Transaction
from schemas.messages.party import Party, PartyKind
from schemas.messages.policy import in_force, read_policy
from schemas.messages.transport import PolicyIssue


def send_to_all(room: Room, tx: Transaction, seal: Seal, number: int, now: int) -> None:
    """Have every admitted agency sent a version that was just entered."""
    for agency in room.directory.of_kind(PartyKind.AGENT):
        if room.is_admitted(agency):
            _send(room, tx, seal, agency, [number], now)


def lacking(tx: Transaction, agency: str, now: int) -> list[int]:
    """The versions that an agency is to be sent now: what it lacks of those that an open request may rest on."""
    versions = [read_policy(kept.frame) for kept in records.versions(tx)]
    begun = in_force(versions, now - LONGEST_MS)
    needed = 1 if begun is None else begun.statement.number
    return records.lacking(tx, agency, needed_from=needed, now=now)


async def send_lacking(room: Room, agency: Party, now: int) -> None:
    """Send an agency that said hello the versions that it lacks."""

    def work(tx: Transaction) -> bool | AfterSeal[bool]:
        found = lacking(tx, agency.id, now) if room.is_admitted(agency) else []
        if not found:
            return False

        def build(tx: Transaction, seal: Seal) -> bool:
            _send(room, tx, seal, agency, found, now)
            return True

        return AfterSeal(build)

    await room.post.commit(work)


def _send(room: Room, tx: Transaction, seal: Seal, agency: Party, numbers: Iterable[int], now: int) -> None:
    kept = {one.number: one for one in records.versions(tx)}
    extension = extend_agency(tx, agency.id, seal)
    for number in numbers:
        files = records.files_of(tx, kept[number].policy_digest)
        if files is None:
            continue  # damaged: there is an alarm, and nobody is sent half a version
        outgoing = room.post.writer.write(
            PolicyIssue,
            agency,
            (kept[number].frame, files, seal.receipt(kept[number].index), extension),
            sent_at=now,
            expires_at=now + NOTICE_LIFE_MS,
            number=number,
            last_seq=last_seq(tx, agency.id),
        )
        room.post.outbox.put(tx, outgoing)
        records.note_sent(tx, agency.id, number, outgoing.message_id)
        extension = b""
