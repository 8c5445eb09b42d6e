"""A small admission for a world: pins everybody, takes renewals, signs directories, has each entered in the hub's log.

What the hub's own admission does besides (the ceremony, the bus's accounts, certificates) is not needed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from broker.node import directory_records as records
from broker.node.commands import Command
from broker.node.ground import Ground
from broker.node.log_keys import LogKeys
from broker.node.membership import as_kept
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.directory import HubDirectory, Standing, line_of, read_directory, state_directory
from schemas.messages.entry import KeyEntry, nonce, sign_deed
from schemas.messages.model import KindUnexpected
from schemas.messages.party import Party, PartyKind, read_party_frame
from schemas.messages.transport import (
    MAX_STATEMENTS,
    Acknowledgement,
    Deed,
    DirectoryIssue,
    DirectoryQuery,
    Renewal,
    kind_of,
)

DAY_MS = 24 * 3_600_000
LIFE_MS = 14 * DAY_MS


@dataclass
class SmallAdmission:
    """Implements `broker.node.post.port.Correspondent`, and starts and stops like a program."""

    ground: Ground
    standings: dict[str, Standing] = field(default_factory=dict)
    newest: HubDirectory | None = None
    receipt: bytes = b""
    life_ms: int = LIFE_MS
    commands: Mapping[str, Command] = field(default_factory=dict)
    _changed: list[bytes] = field(default_factory=list)

    async def start(self) -> None:
        self.ground.post.correspondent = self
        kept = await self.ground.store.read(records.newest)
        if kept is not None:
            self.newest = as_kept(*kept)
        await self.ground.post.start()
        self.ground.post.spawn(self._issue_for_ever())
        await self.issue()

    async def stop(self) -> None:
        await self.ground.close()

    async def issue(self) -> None:
        """Sign a directory of everybody by the newest statement held, and have it entered in the log."""
        ground, now = self.ground, self.ground.clock.now()
        parties = ground.directory.parties.values()
        lines = [line_of(party, self.standings.get(party.id, Standing.ADMITTED)) for party in parties]
        frame, listed = state_directory(
            ground.directory.hub,
            lines,
            version=1 if self.newest is None else self.newest.version + 1,
            previous=None if self.newest is None else self.newest.digest,
            issued_at=now,
            expires_at=now + self.life_ms,
            key=ground.ring.signing(KeyPurpose.DIRECTORY),
        )
        newest = self.newest = read_directory(frame, listed, pinned=ground.directory, held=None, now=now)
        self.receipt = b""
        await self.ground.store.write(lambda tx: records.keep(tx, newest.version, frame, listed))
        await self._enter(newest)

    async def _enter(self, directory: HubDirectory) -> None:
        ground, now = self.ground, self.ground.clock.now()
        hub = ground.directory.only(PartyKind.COORDINATOR)
        entry = KeyEntry(
            log=str(hub.statement.log),
            hub=ground.directory.hub,
            t=now,
            n=nonce(),
            by=ground.me.id,
            deed_key="0" * 32,
            sig="0" * 128,
            version=directory.version,
            directory_digest=directory.digest,
        )
        leaf = sign_deed(entry, ground.ring.signing(KeyPurpose.DEED))
        deed = ground.post.writer.write(Deed, hub, (leaf,), sent_at=now, expires_at=now + DAY_MS)
        await ground.post.commit(lambda tx: ground.post.outbox.put(tx, deed))

    async def _issue_for_ever(self) -> None:
        clock = self.ground.clock
        while True:
            await clock.sleep_until(clock.now() + DAY_MS)
            await self.issue()

    async def _tell(self, party: Party, statements: list[bytes]) -> None:
        if self.newest is None or not self.receipt:
            return
        parts = (self.newest.frame, self.newest.raw_lines, self.receipt, *statements[:MAX_STATEMENTS])
        post = self.ground.post
        await post.send(post.passing(DirectoryIssue, party, parts, version=self.newest.version))

    async def tell_all(self, statements: list[bytes]) -> None:
        for party in list(self.ground.directory.parties.values()):
            if party.statement.party_kind not in (PartyKind.OFFICER, PartyKind.ADMISSION):
                await self._tell(party, statements)

    # The correspondent.

    async def prepare(self, received: Received) -> Work:
        if not isinstance(received.outer, Renewal):
            raise KindUnexpected("nothing an admission is sent")
        self.take(received.parts[0])
        await self.issue()
        return lambda tx: Reply((b"", b""))

    def take(self, frame: bytes) -> None:
        """Take a newer statement of a party that is pinned."""
        party, held = read_party_frame(frame), self.ground.directory
        if party.statement.serial > held.party(party.id).statement.serial:
            self.ground.post.directory = held.with_renewed(party)
            self.ground.home.renew(party)
            self._changed.append(frame)

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        if sent.kind != kind_of(Deed) or not parts:
            return lambda tx: None
        hub = self.ground.directory.only(PartyKind.COORDINATOR)
        proof = LogKeys.of(hub, self.ground.clock.now()).receipt(parts[0])
        assert self.newest is not None
        if f'"{self.newest.digest}"'.encode() in proof.proven.leaf:
            self.receipt = parts[0]
            changed, self._changed = self._changed, []
            self.ground.post.spawn(self.tell_all(changed))
        return lambda tx: None

    async def passing(self, received: Received) -> None:
        if not isinstance(received.outer, DirectoryQuery):
            return
        held = self.ground.directory
        wanted = [held.parties[name].frame for name in received.outer.wanted if name in held.parties]
        if received.outer.version < (0 if self.newest is None else self.newest.version) and not wanted:
            wanted = [party.frame for party in held.parties.values() if party.statement.serial > 1]
        # The hub's own parties first: without their keys nothing else can be read.
        await self._tell(received.sender, sorted(wanted, key=lambda frame: read_party_frame(frame).id != "admission"))

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        return lambda tx: None
