"""What the tests of the bus wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from broker.node.bus.nats import NatsBus
from tests.contract.bus.rig import PATIENCE_S, Ear, Owner


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that nobody tells."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the port tells no owner about an attempt that failed
            await asyncio.sleep(0.005)


async def until_trouble(bus: NatsBus, words: str) -> None:
    """Wait until a bus says this, and no sooner or later than a person would wait."""
    try:
        await until(lambda: bus.trouble == words)
    except TimeoutError:
        raise AssertionError(f"it says {bus.trouble!r}") from None


async def connected(bus: NatsBus, subject: str = "to.a") -> tuple[Owner, Ear]:
    """Somebody who listens on a bus that is connected."""
    owner, ear = Owner(), Ear()
    await bus.subscribe(subject, ear.receive)
    await bus.start(owner)
    await owner.until("connected")
    return owner, ear


async def hears(bus: NatsBus, ear: Ear) -> None:
    """A message to oneself arrives."""
    await bus.publish("to.a", b"still there?")
    assert await ear.next() == ("to.a", b"still there?")
