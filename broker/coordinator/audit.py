"""The whole sharing log, checked again from its first entry: hashes, form, numbering, signatures, conclusions.

For IG leads and after a restore. It reads nothing but the log and the pinned keys, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from broker.coordinator.room import Room
from broker.node.log import LogDamaged, get_leaves, verify_whole
from broker.node.store.port import Transaction
from schemas.canonical import without_member
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import verify
from schemas.failures import Failure
from schemas.messages.entry import (
    SIGNATURE,
    CouldNotLookEntry,
    DeedEntry,
    Entry,
    ExpiredEntry,
    HubEntry,
    PolicyEntry,
    RefusalEntry,
    ReleaseEntry,
    RequestEntry,
    ShardOpenEntry,
    WithdrawnEntry,
    read_entry,
)
from schemas.messages.party import Directory, PartyUnknown

CHUNK_ENTRIES: Final = 1_024
"""Entries a query: other work goes on between two."""
MOST_FINDINGS: Final = 1_000
_CONCLUSIONS: Final = (RefusalEntry, ReleaseEntry, CouldNotLookEntry, ExpiredEntry, WithdrawnEntry)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold; `what` is a word of a closed list."""

    index: int
    what: str


@dataclass(slots=True)
class Audit:
    """Reads entries in order and notes what does not hold."""

    directory: Directory
    origin: str
    entries: int = 0
    unknown_signers: int = 0
    """Deeds of parties that are not pinned any more: their signatures cannot be checked here."""
    findings: list[Finding] = field(default_factory=list)
    _seq: dict[str, int] = field(default_factory=dict)
    _policy: tuple[int, int] = 0, 0
    """Number and first instant of the newest version of the hub's policy."""
    _asked: set[str] = field(default_factory=set)
    _concluded: set[str] = field(default_factory=set)

    def read(self, leaves: Iterable[bytes]) -> None:
        """Check the next entries."""
        for leaf in leaves:
            self._read_one(leaf)
            self.entries += 1

    def _read_one(self, leaf: bytes) -> None:
        try:
            entry = read_entry(leaf)
        except Failure:
            return self._note("entry_malformed")
        if entry.log != self.origin or entry.hub != self.directory.hub:
            self._note("entry_of_another_log")
        if isinstance(entry, ShardOpenEntry) != (self.entries == 0):
            self._note("first_entry_wrong")
        if isinstance(entry, HubEntry):
            self._check_number(entry)
        if isinstance(entry, PolicyEntry):
            self._check_policy(entry)
        if isinstance(entry, DeedEntry):
            self._check_signature(entry, leaf)
        return self._check_conclusion(entry)

    def _check_policy(self, entry: PolicyEntry) -> None:
        """One statement a number: a hub that showed two agencies two of them has entered both."""
        if entry.number != self._policy[0] + 1 or entry.valid_from < self._policy[1]:
            self._note("policy_out_of_order")
        self._policy = entry.number, entry.valid_from

    def _check_number(self, entry: HubEntry) -> None:
        expected = self._seq.get(entry.agency, 0) + 1
        if entry.seq != expected:
            self._note("number_not_gapless")
        self._seq[entry.agency] = entry.seq

    def _check_signature(self, entry: DeedEntry, leaf: bytes) -> None:
        try:
            key = self.directory.key(entry.by, KeyPurpose.DEED, entry.deed_key, entry.t)
            verify(key, KeyPurpose.DEED, without_member(leaf, SIGNATURE), bytes.fromhex(entry.sig), entry)
        except PartyUnknown:
            self.unknown_signers += 1
        except Failure:
            self._note("deed_not_signed")

    def _check_conclusion(self, entry: Entry) -> None:
        if isinstance(entry, RequestEntry | RefusalEntry):
            if entry.exchange in self._asked:
                self._note("exchange_twice")
            self._asked.add(entry.exchange)
        exchange = getattr(entry, "exchange", None)
        if isinstance(entry, HubEntry | DeedEntry) and exchange is not None and exchange not in self._asked:
            self._note("exchange_never_asked")
        if isinstance(entry, _CONCLUSIONS):
            if exchange in self._concluded:
                self._note("concluded_twice")
            self._concluded.add(str(exchange))

    def _note(self, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(self.entries, what))


async def verify_log(room: Room) -> Audit:
    """Check the whole log up to its present head.

    What the hashes find wrong is a finding as well: the report is made in any case.
    """
    audit = Audit(room.directory, room.log.origin)
    size = room.log.head.size
    try:
        await verify_whole(room.post.store)
    except LogDamaged:
        audit.findings.append(Finding(0, "hashes_do_not_hold"))
    for start in range(0, size, CHUNK_ENTRIES):

        def read(tx: Transaction, start: int = start) -> list[bytes]:
            return get_leaves(tx, start, min(start + CHUNK_ENTRIES, size))

        audit.read(await room.post.store.read(read))
    return audit
