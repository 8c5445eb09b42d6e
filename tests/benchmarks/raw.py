"""The raw baseline's processes: `python -m tests.benchmarks.raw coordinator|desk|agent STORE BUS_URL each|grouped`.

The same ten messages of the same sizes between the same three parties, over the same server, with nats-py alone; each
receiver commits one SQLite row (WAL, FULL) for each message before it answers. No keys, no checks, no log.

`each` commits every message by itself, on the event loop. `grouped` commits whatever has queued as one transaction,
as the product's stores do: a baseline nobody asked for, and the harder one.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.benchmarks.child import serve

SIZES: Final[Mapping[str, int]] = {
    "submission": 15_500,
    "acknowledgement of submission": 3_400,
    "delivery": 18_000,
    "acknowledgement of delivery": 1_110,
    "deed of agent": 8_150,
    "acknowledgement of deed (agent)": 1_900,
    "released": 43_170,  # the answer is padded to 32 KiB, whatever it says
    "acknowledgement of released": 542,
    "deed of desk": 965,
    "acknowledgement of deed (desk)": 1_550,
}
"""Bytes of the messages of one exchange of `staging`; `exchange` compares them with what it measures."""
KINDS: Final = tuple(SIZES)
SENT_ON: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "submission": (("desk", "acknowledgement of submission"), ("agent", "delivery")),
    "delivery": (("coordinator", "acknowledgement of delivery"), ("coordinator", "deed of agent")),
    "deed of agent": (("agent", "acknowledgement of deed (agent)"),),
    "acknowledgement of deed (agent)": (("desk", "released"),),
    "released": (("agent", "acknowledgement of released"), ("coordinator", "deed of desk")),
    "deed of desk": (("desk", "acknowledgement of deed (desk)"),),
}
"""What a party sends, and to whom, once a message is committed."""
_ID_BYTES: Final = 8


@dataclass
class RawParty:
    """A store, a connection, and one queue between them."""

    name: str
    store: sqlite3.Connection
    bus: Client
    prefix: str
    is_grouped: bool
    on_committed: Callable[[int, str], None] = lambda exchange, kind: None

    def __post_init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._worker = asyncio.get_running_loop().create_task(self._work())

    async def receive(self, message: Msg) -> None:
        """Take a message in."""
        self._queue.put_nowait(message.data)

    async def send(self, receiver: str, kind: str, exchange: int) -> None:
        """Send one message of that kind and its size."""
        head = bytes([KINDS.index(kind)]) + exchange.to_bytes(_ID_BYTES, "big")
        await self.bus.publish(f"{self.prefix}.{receiver}", head.ljust(SIZES[kind], b"\x00"))

    async def _work(self) -> None:
        while True:
            group = [await self._queue.get()]
            while self.is_grouped and not self._queue.empty():
                group.append(self._queue.get_nowait())
            rows = [(int.from_bytes(raw[1 : 1 + _ID_BYTES], "big"), raw[0], raw) for raw in group]
            self.store.execute("BEGIN IMMEDIATE")
            self.store.executemany("INSERT INTO message (exchange, kind, raw) VALUES (?, ?, ?)", rows)
            self.store.execute("COMMIT")
            for exchange, number, _ in rows:
                kind = KINDS[number]
                self.on_committed(exchange, kind)
                for receiver, answer in SENT_ON.get(kind, ()):
                    await self.send(receiver, answer, exchange)


class RawDriver:
    """The desk's side: begins exchanges and waits for them."""

    def __init__(self, party: RawParty) -> None:
        self._party = party
        self._ids = itertools.count(1)
        self._opened: dict[int, asyncio.Future[None]] = {}
        self._ended: dict[int, asyncio.Future[None]] = {}
        party.on_committed = self._committed

    async def answer(self, what: str, details: dict[str, Any]) -> Any:
        """Run so many exchanges, `concurrency` under way at a time."""
        if what != "exchange":
            raise ValueError(f"unknown question {what}")
        remaining = iter(range(int(details["count"])))
        seconds: list[float] = []

        async def one_after_the_other() -> None:
            for _ in remaining:
                started = time.perf_counter()
                await self._exchange()
                seconds.append(time.perf_counter() - started)

        started = time.perf_counter()
        async with asyncio.TaskGroup() as officers:
            for _ in range(int(details["concurrency"])):
                officers.create_task(one_after_the_other())
        await asyncio.gather(*self._ended.values())
        self._ended.clear()
        return {"seconds": seconds, "elapsed": time.perf_counter() - started}

    async def _exchange(self) -> None:
        loop, exchange = asyncio.get_running_loop(), next(self._ids)
        opened = self._opened[exchange] = loop.create_future()
        self._ended[exchange] = loop.create_future()
        await self._party.send("coordinator", "submission", exchange)
        await opened

    def _committed(self, exchange: int, kind: str) -> None:
        if kind == "released":
            self._opened.pop(exchange).set_result(None)
        elif kind == "acknowledgement of deed (desk)":
            self._ended[exchange].set_result(None)


async def run(name: str, store_path: str, bus_url: str, mode: str) -> None:
    """Run one party until its input ends."""
    store = sqlite3.connect(store_path, isolation_level=None)
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
        store.execute(f"PRAGMA {pragma}").fetchall()
    store.execute("CREATE TABLE message (id INTEGER PRIMARY KEY, exchange INTEGER, kind INTEGER, raw BLOB) STRICT")
    bus = Client()
    await bus.connect(bus_url)
    prefix = f"raw-{mode}"  # both modes may be up on one server
    party = RawParty(name, store, bus, prefix, mode == "grouped")
    await bus.subscribe(f"{prefix}.{name}", cb=party.receive)
    await bus.flush()
    await serve(RawDriver(party).answer if name == "desk" else _nothing)
    await bus.close()
    store.close()


async def _nothing(what: str, details: dict[str, Any]) -> Any:
    raise ValueError(f"only the desk is asked: {what}")


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:5]))
