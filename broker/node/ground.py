"""What desk, coordinator and agent stand on: home, keys, directory, store, own log, post office; opened in that order.

Composition only. Each program adds its correspondent and its workers on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.node.backup_catchup import CatchUp
from broker.node.backup_standing import BACKUP_MIGRATIONS
from broker.node.bus.port import Bus
from broker.node.clock import Clock
from broker.node.directory_records import DIRECTORY_MIGRATIONS
from broker.node.home import Home
from broker.node.keystore import KeyStore
from broker.node.log import LOG_MIGRATIONS, LockCopy, Log, Signers
from broker.node.metrics import Metrics
from broker.node.post.office import Post
from broker.node.post.writing import Writer
from broker.node.ring import Ring
from broker.node.store.connection import CommitStep, commit_durably
from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import Transaction
from broker.node.store.sqlite import Store
from schemas.crypto.purposes import KeyPurpose
from schemas.ledger.note import Ed25519NoteSigner
from schemas.messages.entry import nonce
from schemas.messages.party import Directory, Party

NODE_MIGRATIONS: Final = load_migrations("broker.node.migrations", "node")


@dataclass(frozen=True, slots=True)
class Ground:
    """An opened node without a purpose yet."""

    home: Home
    keys: KeyStore
    ring: Ring
    store: Store
    post: Post
    log: Log | None
    """The party's own log; the desk has none: its deeds are in the coordinator's."""
    metrics: Metrics
    catch_up: CatchUp
    """Whether it may act: one that was restored may not before it has caught up."""

    @property
    def me(self) -> Party:
        """The party itself."""
        return self.post.me

    @property
    def directory(self) -> Directory:
        """The parties it pinned, as last read."""
        return self.post.directory

    @property
    def clock(self) -> Clock:
        """The program's clock."""
        return self.post.clock

    def read_directory_again(self) -> Directory:
        """Take up the party files that were added or removed since; checked as a whole before any is believed."""
        self.post.directory = self.home.directory()
        return self.post.directory

    async def close(self) -> None:
        """Leave the bus, then let go of the store; what was taken in is committed first."""
        await self.post.stop()
        await self.store.close()
        self.keys.close()


async def open_ground(
    home: Home,
    *,
    migrations: Sequence[Migration],
    bus: Bus,
    clock: Clock,
    metrics: Metrics,
    commit: CommitStep = commit_durably,
) -> Ground:
    """Open a party's home. `commit` is the store's last step, for tests that have it fail.

    Raises:
        HomeInvalid, KeyStoreInUse, StoreInUse and the other GroundLost failures of key store, store and log; each
            text says what to do.
    """
    directory = home.directory()
    with ExitStack() as unless_opened:
        keys = home.keystore()
        unless_opened.callback(keys.close)
        ring = Ring(home, keys, clock)
        log = _own_log(home, ring)
        node = (*NODE_MIGRATIONS, *DIRECTORY_MIGRATIONS, *BACKUP_MIGRATIONS)
        sets = [*node, *(LOG_MIGRATIONS if log is not None else ()), *migrations]
        store = Store.open(
            home.store_path, migrations=sets, companion=log, commit=commit, observe=metrics.node.group_settled
        )
        epoch = await store.write(_epoch)
        post = Post(store, bus, clock, Writer(ring, epoch), directory, metrics.node)
        store.on_broken = post.halt
        catch_up = await CatchUp.of(store)
        unless_opened.pop_all()
    return Ground(home, keys, ring, store, post, log, metrics, catch_up)


def lock_path(home: Home) -> Path:
    """Where the lock copy of the party's log lies."""
    return home.path / "checkpoint.lock"


def _own_log(home: Home, ring: Ring) -> Log | None:
    origin = ring.me.statement.log
    return None if origin is None else Log(origin, _signers(origin, ring), LockCopy(lock_path(home)))


def _signers(origin: str, ring: Ring) -> Signers:
    known: dict[str, Ed25519NoteSigner] = {}

    def signers() -> list[Ed25519NoteSigner]:
        live = ring.live(KeyPurpose.LOG)
        return [known.get(key.id) or known.setdefault(key.id, Ed25519NoteSigner(origin, key.private)) for key in live]

    return signers


def _epoch(tx: Transaction) -> str:
    row = tx.execute("SELECT value FROM epoch").fetchone()
    if row is None:
        row = (nonce(),)
        tx.execute("INSERT INTO epoch (only_row, value) VALUES (1, ?)", row)
    return str(row[0])
