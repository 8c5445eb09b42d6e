"""What the coordinator's command socket takes: the status, the log, who is admitted. Thin: words in, JSON out.

Whoever may use the socket is this machine's user for the hub. Reading the log is itself an entry of the log, in the
same commit: without the entry nothing is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from broker.coordinator import records, reviews
from broker.coordinator.audit import verify_log
from broker.coordinator.members import admit_officer, remove_officer, settle_members
from broker.coordinator.room import Room
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.log import get_checkpoint, get_leaves
from broker.node.store.port import Transaction
from schemas import canonical
from schemas.failures import Rejected
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import MAX_LEAF_BYTES, LogReadEntry, nonce
from schemas.messages.fields import Count, Hex16, Hex32, Slug, encode_base64

MAX_ENTRIES_READ: Final = 1_000
MAX_ADDENDA_READ: Final = 250
ADDENDA_BYTES: Final = 4 * 1024 * 1024
"""Of addenda in one answer, but for the last of them: of a usual size all that may be asked for are in it."""
MAX_PRESSING: Final = 100


class AddendumErased(Rejected):
    """There is no such addendum here: never was, or it was erased."""

    code = "addendum_unknown"


class _Range(Arguments):
    start: Count = 0
    limit: Annotated[int, Field(ge=1, le=MAX_ENTRIES_READ)] = 100


class _Officer(Arguments):
    officer: Slug


class _Exchange(Arguments):
    exchange: Hex16


class _Which(Arguments):
    all: bool = False


class _Digest(Arguments):
    sha256: Hex32


class _Digests(Arguments):
    sha256: Annotated[list[Hex32], Field(min_length=1, max_length=MAX_ADDENDA_READ)]


class _Extract(Arguments):
    exchanges: Count


class CoordinatorCommands:
    """The commands, each a method."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def table(self) -> Mapping[str, Command]:
        """The commands by name."""
        return {
            "status": self.status,
            "checkpoint": self.checkpoint,
            "log": self.log,
            "log-verify": self.log_verify,
            "log-extracted": self.log_extracted,
            "repin": self.repin,
            "officers": self.officers,
            "admit-officer": self.admit_officer,
            "remove-officer": self.remove_officer,
            "addendum": self.addendum,
            "addenda": self.addenda,
            "question": self.question,
            "reviews": self.reviews,
            "review": self.review,
        }

    async def status(self, arguments: dict[str, Any]) -> Any:
        """How the coordinator stands, and the open exchanges that press most."""
        read_arguments(NoArguments, arguments)
        room = self._room

        def read(tx: Transaction) -> Any:
            return records.open_by_progress(tx), records.agencies(tx), records.most_pressing(tx, MAX_PRESSING)

        counts, agencies, pressing = await room.post.store.read(read)
        names = ("exchange", "agency", "rag", "progress", "deadline_at", "alerted", "delivery_code", "reviewer")
        return {
            "hub": room.hub,
            "now": room.post.clock.now(),
            "connected_at": room.post.connected_at,
            "dates": room.post.dates.shown(),
            **_policy(room),
            "log_size": room.log.head.size,
            "restored": room.ground.catch_up.shown(),
            "open": counts,
            "waiting": len(room.post.outbox),
            "agencies": [
                {"agency": party, "entries": seq, "heard_at": heard_at or None} for party, seq, heard_at in agencies
            ],
            "pressing": [dict(zip(names, row, strict=True)) for row in pressing],
        }

    async def checkpoint(self, arguments: dict[str, Any]) -> Any:
        """The newest signed checkpoint, to be kept elsewhere."""
        read_arguments(NoArguments, arguments)
        size = self._room.log.head.size
        note = await self._room.post.store.read(lambda tx: get_checkpoint(tx, size))
        return {"size": size, "checkpoint": (note or b"").decode()}

    async def log(self, arguments: dict[str, Any]) -> Any:
        """Entries from `start` on; that they were read becomes an entry."""
        asked, room = read_arguments(_Range, arguments), self._room
        stop = min(asked.start + asked.limit, room.log.head.size)
        count = max(stop - asked.start, 0)
        leaf = self._read_of(count).encode()

        def work(tx: Transaction) -> list[bytes]:
            leaves = get_leaves(tx, asked.start, stop) if count else []
            room.log.append(tx, leaf)
            return leaves

        leaves = await room.post.commit(work)
        return {"size": room.log.head.size, "entries": [_shown(asked.start + at, one) for at, one in enumerate(leaves)]}

    async def log_extracted(self, arguments: dict[str, Any]) -> Any:
        """The hub's IG lead makes an extract for a data subject: how many exchanges are in it, and nothing of whose."""
        leaf = self._read_of(read_arguments(_Extract, arguments).exchanges, extract_by="ig_lead").encode()
        index = await self._room.post.commit(lambda tx: self._room.log.append(tx, leaf))
        return {"index": index, "hub": self._room.hub, "now": self._room.post.clock.now()}

    def _read_of(self, entries: int, extract_by: Literal["ig_lead"] | None = None) -> LogReadEntry:
        room = self._room
        now = room.post.clock.now()
        return LogReadEntry(log=room.log.origin, hub=room.hub, t=now, n=nonce(), entries=entries, extract_by=extract_by)

    async def log_verify(self, arguments: dict[str, Any]) -> Any:
        """Check the whole log again from its first entry."""
        read_arguments(NoArguments, arguments)
        audit = await verify_log(self._room)
        return {
            "holds": not audit.findings,
            "entries": audit.entries,
            "unknown_signers": audit.unknown_signers,
            "findings": [{"index": finding.index, "what": finding.what} for finding in audit.findings],
        }

    async def repin(self, arguments: dict[str, Any]) -> Any:
        """Take up the party files that were put into or taken out of the folder since."""
        read_arguments(NoArguments, arguments)
        before = self._room.directory
        self._room.ground.read_directory_again()
        try:
            changes = await settle_members(self._room)
        except Rejected:
            self._room.post.directory = before  # all of the folder is believed, or none of it
            raise
        return {
            "parties": sorted(self._room.directory.parties),
            "admitted": [change.party for change in changes if change.is_admission],
            "removed": [change.party for change in changes if not change.is_admission],
        }

    async def officers(self, arguments: dict[str, Any]) -> Any:
        """Which officers may ask."""
        read_arguments(NoArguments, arguments)
        members = await self._room.post.store.read(records.members)
        return {
            "officers": [
                {"officer": member.party, "admitted_at": member.admitted_at}
                for member in members.values()
                if member.kind == "officer"
            ]
        }

    async def admit_officer(self, arguments: dict[str, Any]) -> Any:
        """Admit an officer whose file is pinned here."""
        officer = read_arguments(_Officer, arguments).officer
        return {"officer": officer, "changed": await admit_officer(self._room, officer)}

    async def remove_officer(self, arguments: dict[str, Any]) -> Any:
        """Remove an officer."""
        officer = read_arguments(_Officer, arguments).officer
        await remove_officer(self._room, officer)
        return {"officer": officer, "changed": True}

    async def addendum(self, arguments: dict[str, Any]) -> Any:
        """A sealed addendum by its digest, as it came; only its readers' keys open it."""
        sha256 = read_arguments(_Digest, arguments).sha256
        raw = await self._room.post.store.read(lambda tx: records.get_addendum(tx, sha256))
        if raw is None:
            raise AddendumErased("no addendum of that digest is kept here")
        return {"sha256": sha256, "raw": encode_base64(raw)}

    async def addenda(self, arguments: dict[str, Any]) -> Any:
        """As many of these sealed addenda as one answer holds, in their order; null for one that was erased."""
        asked = read_arguments(_Digests, arguments).sha256

        def work(tx: Transaction) -> dict[str, bytes | None]:
            found: dict[str, bytes | None] = {}
            room_bytes = ADDENDA_BYTES
            for sha256 in asked:
                if room_bytes <= 0:
                    break
                found[sha256] = raw = records.get_addendum(tx, sha256)
                room_bytes -= len(raw or b"")
            return found

        found = await self._room.post.store.read(work)
        return {"addenda": {sha256: None if raw is None else encode_base64(raw) for sha256, raw in found.items()}}

    async def reviews(self, arguments: dict[str, Any]) -> Any:
        """The reviews of broken glasses that are open; with `all` the closed ones too."""
        closed_too, now = read_arguments(_Which, arguments).all, self._room.post.clock.now()
        found = await self._room.post.store.read(lambda tx: reviews.reviews(tx, closed_too=closed_too))
        return {"reviews": [one.shown(now) for one in found]}

    async def review(self, arguments: dict[str, Any]) -> Any:
        """One of them."""
        exchange, now = read_arguments(_Exchange, arguments).exchange, self._room.post.clock.now()
        found = await self._room.post.store.read(lambda tx: reviews.get_review(tx, exchange))
        return found.shown(now)

    async def question(self, arguments: dict[str, Any]) -> Any:
        """What a request asked for, in the codes its decision rests on, and the policy that decided it."""
        exchange = read_arguments(_Exchange, arguments).exchange
        asked, policy_digest = await self._room.post.store.read(lambda tx: records.get_question(tx, exchange))
        return {"exchange": exchange, "asked": json.loads(asked), "policy_digest": policy_digest}


def _policy(room: Room) -> dict[str, Any]:
    """Number and digest of the version of the policy in force; 0 and nothing for none."""
    version = room.policies.version_at(room.post.clock.now())
    if version is None:
        return {"policy_number": 0, "policy_digest": ""}
    return {"policy_number": version.statement.number, "policy_digest": version.statement.policy_digest}


def _shown(index: int, leaf: bytes) -> dict[str, Any]:
    entry = canonical.parse(leaf, limit_bytes=MAX_LEAF_BYTES)
    return {"index": index, "hash": leaf_hash(leaf).hex(), "entry": entry}
