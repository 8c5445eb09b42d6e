"""A coordinator that was restored: it enters and signs nothing until its agencies' mirrors say that nothing is missing.

It announces its new epoch with its newest head; each agency says hello with the newest checkpoint it holds, which this
log signed. One that is larger than the log here proves that entries were lost: then nothing is entered any more, and it
is said who is ahead and by how much. A claim without a proof stops nobody. One that does not fit is a fork, and halts.
Under a key of the log that is dead neither is believed: whoever stole it can sign any tree. It is refused, with an
alarm, and its agency is not heard; one that holds what this log signed while the key lived is.

From a backup of some moment every admitted agency has to be heard, or named by a person as one to go on without. From a
second copy, which has every commit, a majority is enough once there was time to answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import structlog

from broker.coordinator import records
from broker.coordinator.room import Room
from broker.node.backup_catchup import CatchUp
from broker.node.clock import woken_or_at
from broker.node.command_arguments import Arguments, read_arguments
from broker.node.commands import Command
from broker.node.log import LogForked, get_checkpoint, node_reader
from broker.node.log_keys import LogKeys, Proof, ProofUnborne
from broker.node.post.port import Received
from broker.node.store.port import Transaction
from schemas.failures import Rejected
from schemas.ledger.checkpoint import SignedTreeHead
from schemas.ledger.merkle import root_of
from schemas.messages.fields import Slug
from schemas.messages.party import PartyKind
from schemas.messages.transport import Head, Hello

_log = structlog.get_logger()

ANNOUNCE_EVERY: Final = timedelta(seconds=20)
"""How often agencies that were not heard yet are told that this store was restored."""
MAJORITY_AFTER: Final = timedelta(minutes=2)
"""How long a store from a second copy waits for every agency before a majority is enough."""


class NotAWitness(Rejected):
    """There is nobody of that name to go on without."""

    code = "not_a_witness"


@dataclass(slots=True)
class Witnesses:
    """Hears the agencies' mirrors until the coordinator may go on."""

    room: Room
    _heard: set[str] = field(default_factory=set)
    _without: set[str] = field(default_factory=set)
    _ahead: dict[str, int] = field(default_factory=dict)
    _under_dead: set[str] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def catch_up(self) -> CatchUp:
        """Whether this coordinator may act."""
        return self.room.ground.catch_up

    async def run(self, go_on: Callable[[], Awaitable[None]]) -> None:
        """Announce, listen, and `go_on` once nobody can be ahead any more."""
        clock, started_at = self.room.post.clock, self.room.post.clock.now()
        while True:
            self._wake.clear()
            needed = await self._needed()
            waited_ms = clock.now() - started_at
            if self._may_go_on(needed, waited_ms):
                break
            self._say(needed)
            for agency in sorted(needed - self._heard):
                await self._announce(agency)
            await woken_or_at(self._wake, clock, clock.now() + ANNOUNCE_EVERY // timedelta(milliseconds=1))
        await self.catch_up.finish(clock.now())
        await go_on()

    async def hear(self, received: Received, hello: Hello) -> None:
        """Take an agency's newest checkpoint, if this coordinator still waits for it.

        Raises:
            LogForked: this log signed another history than the one that is here.
            ProofUnborne: a dead key of this log did, or a larger one; whoever has it now may have signed that.
        """
        party = received.sender
        if not self.catch_up.is_on or party.statement.party_kind is not PartyKind.AGENT:
            return
        try:
            proof = self._open(received.parts[0], received.at) if received.parts else None
        except Rejected as failure:
            _log.warning("claim_without_proof", party=party.id, code=failure.code)
            return
        if proof is None and hello.mirror_size:
            return  # a size that nothing proves
        if proof is not None and not await self._fits(party.id, proof):
            return
        self._heard.add(party.id)
        self._wake.set()

    async def without(self, agency: str) -> None:
        """Go on without having heard an agency, on a person's word.

        Raises:
            NotAWitness: it is not one that is waited for.
        """
        if agency not in await self._needed():
            raise NotAWitness("no admitted agency of that name is waited for")
        _log.warning("goes_on_without_witness", party=agency)
        self._without.add(agency)
        self._wake.set()

    def _open(self, note: bytes, at: int) -> Proof[SignedTreeHead]:
        return LogKeys.of(self.room.ground.me, at).checkpoint(note)

    async def _fits(self, agency: str, proof: Proof[SignedTreeHead]) -> bool:
        head, size = proof.proven.head, self.room.log.head.size
        if head.size > size:
            if not proof.is_live:
                raise self._unborne(agency, "a larger log than this one")
            if self._ahead.get(agency, 0) < head.size:
                self._ahead[agency] = head.size
                _log.critical("log_is_behind", party=agency, behind=head.size - size)
                self._wake.set()
            return False
        root = await self.room.post.store.read(lambda tx: root_of(head.size, node_reader(tx)))
        if root != head.root:
            if not proof.is_live:
                raise self._unborne(agency, "another history than this log's")
            raise LogForked(f"{agency} holds a checkpoint of this log that the restored one does not continue")
        return True

    def _unborne(self, agency: str, what: str) -> ProofUnborne:
        # It may be true all the same, where the key died after the backup was made: a person is told, and decides.
        _log.critical("log_key_used_when_dead", party=agency)
        self._under_dead.add(agency)
        self._wake.set()
        return ProofUnborne(f"{agency} shows {what}, under a key that is dead")

    def _may_go_on(self, needed: set[str], waited_ms: int) -> bool:
        if self._ahead:
            return False
        if needed <= self._heard | self._without:
            return True
        restored = self.catch_up.restored
        is_followed = restored is not None and restored.is_followed
        return (
            is_followed
            and waited_ms >= MAJORITY_AFTER // timedelta(milliseconds=1)
            and 2 * len(needed & self._heard) > len(needed)
        )

    def _say(self, needed: set[str]) -> None:
        catch_up, size = self.catch_up, self.room.log.head.size
        if self._ahead:
            catch_up.is_behind = True
            ahead = ", ".join(f"{one} by {self._ahead[one] - size}" for one in sorted(self._ahead))
            catch_up.waits_for = (
                f"this log has {size} entries and lacks some that it signed: ahead are {ahead}. Nothing is entered;"
                " stop it and restore its second copy, or a newer backup"
            )
            return
        missing = needed - self._heard - self._without
        dead = ", ".join(sorted(missing & self._under_dead))
        shown = f" A log that is not this one was shown under a dead key of it by {dead}." if dead else ""
        catch_up.waits_for = (
            f"not heard yet: {', '.join(sorted(missing))}.{shown} Nothing is entered until each has said what it holds;"
            " broker restore --without AGENCY goes on without one that is gone for good"
        )

    async def _needed(self) -> set[str]:
        members = await self.room.post.store.read(records.members)
        return {member.party for member in members.values() if member.kind == "agency"} & set(
            self.room.directory.parties
        )

    async def _announce(self, agency: str) -> None:
        room = self.room
        size = room.log.head.size

        def read(tx: Transaction) -> tuple[bytes, int]:
            return get_checkpoint(tx, size) or b"", records.last_seq(tx, agency)

        checkpoint, last_seq = await room.post.store.read(read)
        party = room.directory.party(agency)
        await room.post.send(room.post.passing(Head, party, (checkpoint, b""), size=size, last_seq=last_seq))


class _Agency(Arguments):
    agency: Slug


def witness_commands(witnesses: Witnesses) -> Mapping[str, Command]:
    """What the command socket takes about a restore."""

    async def go_on_without(arguments: dict[str, Any]) -> Any:
        """Go on without having heard an agency."""
        agency = read_arguments(_Agency, arguments).agency
        await witnesses.without(agency)
        return {"agency": agency}

    return {"go-on-without": go_on_without}
