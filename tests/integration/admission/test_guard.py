"""A flood through a real server: counted by the hub's own connection, ended by the guard, and nobody else cut off."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from broker.enrolment.servers.guard import Guard, SuspensionReason
from broker.node.bus.nats import NatsBus
from schemas.messages.party import PartyKind
from tests.support.admitting import Admitting
from tests.support.hub_bus import PATIENCE_S, BareClient, HubBus, connect


class _Coordinator:
    """Reports as the coordinator's program does, to a guard that decides as admission's does."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.guard = Guard()
        self.suspended: asyncio.Future[tuple[str, SuspensionReason]] = asyncio.get_running_loop().create_future()

    def connected(self) -> None:
        self.ready.set()

    def disconnected(self) -> None:
        pass

    def unheard(self, subject: str) -> None:
        pass

    def dropped(self, subject: str) -> None:
        pass

    def flooding(self, token: str, rate: int) -> None:
        decided = self.guard.reported(token, rate, now=time.monotonic_ns() // 1_000_000)
        if decided is not None and not self.suspended.done():
            self.suspended.set_result((decided.account, decided.reason))


async def _flood(client: BareClient, subject: str) -> None:
    with suppress(Exception):  # it is cut off, which nats-py says in many ways
        while True:
            for _ in range(100):
                await client.client.publish(subject, bytes(128))
            await asyncio.sleep(0)


async def test_a_flooder_is_suspended_and_another_agency_goes_on(hub_bus: HubBus, admitting: Admitting) -> None:
    flooder, other = await admitting.admitted(), await admitting.admitted()
    user, coordinator = hub_bus.users[PartyKind.COORDINATOR], _Coordinator()
    bus = NatsBus(hub_bus.urls, name="coordinator", access=lambda: user)

    async def answer(subject: str, payload: bytes) -> None:
        if payload == b"still there?":
            await bus.publish(f"to.{subject.split('.')[1]}.in", payload)

    await bus.subscribe("from.*.coordinator", answer)
    await bus.start(coordinator)
    flooding = asyncio.create_task(asyncio.sleep(0))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await coordinator.ready.wait()
            client = await connect(flooder.user, hub_bus.urls[0])
            flooding = asyncio.create_task(_flood(client, f"from.{flooder.token}.coordinator"))
            assert await coordinator.suspended == (flooder.token, SuspensionReason.FLOODING)
            assert (await admitting.suspend(flooder)).is_everywhere
            await admitting.told.until("disconnected", flooder.token)
            async with hub_bus.connected(other.user) as bystander:
                await bystander.listen(f"to.{other.token}.>")
                while not bystander.heard:
                    await bystander.client.publish(f"from.{other.token}.coordinator", b"still there?")
                    await bystander.settle()
        assert bus.trouble is None  # the hub's own connection was not cut off for the flooder's sake
    finally:
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        await bus.close()
