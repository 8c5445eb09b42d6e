"""A node that does nothing but keep what it is sent: for tests of the post itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.log import LOG_MIGRATIONS, LockCopy, Log
from broker.node.post.office import Post
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.post.writing import Writer
from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import AfterSeal, Transaction
from broker.node.store.sqlite import Store
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure, Rejected
from schemas.ledger.note import Ed25519NoteSigner
from schemas.messages.party import Directory
from schemas.messages.transport import Acknowledgement
from tests.support.clock import HandClock
from tests.support.parties import Member

KEPT = Migration("echo", 1, "kept", "CREATE TABLE kept (message_id TEXT NOT NULL, what TEXT NOT NULL) STRICT;")


class Silent:
    """A post observer that counts."""

    def __init__(self) -> None:
        self.rejections: list[tuple[str, str]] = []
        self.sendings: list[tuple[str, bool]] = []

    def received(self, kind: str) -> None:
        """Nothing to do."""

    def rejected(self, kind: str, code: str) -> None:
        self.rejections.append((kind, code))

    def sent(self, kind: str, *, again: bool) -> None:
        self.sendings.append((kind, again))

    def waiting(self, messages: int) -> None:
        """Nothing to do."""


class EchoNode:
    """A correspondent that keeps every lasting message once and acknowledges with its first part."""

    def __init__(self, member: Member, hub: MemoryHub, path: Path, directory: Directory, clock: HandClock) -> None:
        self.observer = Silent()
        self.bus = MemoryBus(hub, member.party.id)
        origin, key = member.party.statement.log, member.keys.get(KeyPurpose.LOG)
        log = None
        if origin is not None and key is not None:
            log = Log(origin, lambda: [Ed25519NoteSigner(origin, key.private)], LockCopy(path.with_suffix(".lock")))
        sets = [*load_migrations("broker.node.migrations", "node"), *(LOG_MIGRATIONS if log else ()), KEPT]
        self.store = Store.open(path, migrations=sets, companion=log)
        writer = Writer(member, "0" * 32)
        self.post = Post(self.store, self.bus, clock, writer, directory, self.observer)
        self.post.correspondent = self
        self.refusing: Failure | None = None
        self.prepared = 0
        """How often it was asked to take something in."""
        self.replies_at_the_seal = False
        self.acknowledged: list[tuple[str, str]] = []
        self.passed: list[str] = []

    async def prepare(self, received: Received) -> Work:
        self.prepared += 1
        if self.refusing is not None:
            raise self.refusing

        def work(tx: Transaction) -> Reply | AfterSeal[Reply]:
            tx.execute("INSERT INTO kept VALUES (?, 'taken')", (received.outer.message_id,))
            reply = Reply(parts=received.parts[:1])
            return AfterSeal(lambda tx, seal: reply) if self.replies_at_the_seal else reply

        return work

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        def work(tx: Transaction) -> None:
            tx.execute("INSERT INTO kept VALUES (?, 'acknowledged')", (sent.message_id,))

        self.acknowledged.append((sent.message_id, acknowledgement.code))
        return work

    async def passing(self, received: Received) -> None:
        self.passed.append(received.kind)

    def record_rejection(self, received: Received, failure: Rejected) -> Callable[[Transaction], None]:
        def record(tx: Transaction) -> None:
            tx.execute("INSERT INTO kept VALUES (?, ?)", (received.outer.message_id, f"rejected {failure.code}"))

        return record

    async def kept(self) -> list[tuple[str, str]]:
        """What is in its table, in the order it came."""
        return await self.store.read(lambda tx: list(tx.execute("SELECT * FROM kept ORDER BY rowid")))

    async def stop(self) -> None:
        """Leave, keeping the store's file."""
        await self.post.stop()
        await self.store.close()


async def settle(hub: MemoryHub, *nodes: EchoNode) -> None:
    """Let everything happen that needs no turning of the clock."""
    for _ in range(5):
        await hub.settle()
        for node in nodes:
            await node.store.read(lambda tx: None)
        for _ in range(5):
            await asyncio.sleep(0)
