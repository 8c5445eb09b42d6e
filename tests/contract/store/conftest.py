"""The implementations of the store port that the suite runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from broker.node.store import Migration, Store

PEOPLE_FREE_TABLES = (
    Migration(
        "test",
        1,
        "first",
        """
        CREATE TABLE mark (id INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
        CREATE TABLE child (
            id INTEGER PRIMARY KEY,
            mark_id INTEGER NOT NULL REFERENCES mark (id) DEFERRABLE INITIALLY DEFERRED
        ) STRICT;
        """,
    ),
)

OpenStore = Callable[..., Store]


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Open the store of this test, again after it was closed if need be; all are closed at the end."""
    opened: list[Store] = []

    def open_(**options: object) -> Store:
        options.setdefault("migrations", PEOPLE_FREE_TABLES)
        store = Store.open(tmp_path / "store.db", **options)  # type: ignore[arg-type]
        opened.append(store)
        return store

    yield open_
    closing: list[Awaitable[None]] = [store.close() for store in opened]
    for each in closing:
        await each
