"""A log in a store of its own, that can be closed, damaged and opened again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.node.log import LOG_MIGRATIONS, LockCopy, Log
from broker.node.store import AfterSeal, Store, Transaction
from schemas.ledger.note import Ed25519NoteSigner

ORIGIN = "hub.example/sharing-log"


@dataclass
class Ground:
    """The files of one log and the key that signs it."""

    directory: Path
    signer: Ed25519NoteSigner = field(
        default_factory=lambda: Ed25519NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    )
    opened: list[Store] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.directory / "store.db"

    @property
    def lock_path(self) -> Path:
        return self.directory / "checkpoint.lock"

    def open(self, *, is_read_only: bool = False, origin: str = ORIGIN) -> tuple[Store, Log]:
        signer = self.signer if origin == ORIGIN else Ed25519NoteSigner(origin, Ed25519PrivateKey.generate())
        log = Log(origin, lambda: [signer], LockCopy(self.lock_path), is_read_only=is_read_only)
        store = Store.open(self.path, migrations=LOG_MIGRATIONS, companion=log)
        self.opened.append(store)
        return store, log

    def damage(self, *statements: str) -> None:
        """Change the closed store's tables as somebody would who knows how to drop triggers."""
        connection = sqlite3.connect(self.path)
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()

    def back_up(self) -> Callable[[], None]:
        """Copy the closed store; the call that comes back restores the copy."""
        copy = self.path.with_suffix(".backup")
        shutil.copy(self.path, copy)

        def restore() -> None:
            shutil.copy(copy, self.path)

        return restore


def leaf(number: int) -> bytes:
    return b'{"n":"%d"}' % number


def appending(log: Log, number: int) -> Callable[[Transaction], AfterSeal[bytes]]:
    def work(tx: Transaction) -> AfterSeal[bytes]:
        index = log.append(tx, leaf(number))
        return AfterSeal(lambda tx, seal: seal.receipt(index))

    return work


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    made = Ground(tmp_path)
    yield made
    for store in made.opened:
        await store.close()
