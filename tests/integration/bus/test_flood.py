"""An agency that sends without end is told of at once, and takes nothing from another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from broker.node.bus.flood import FloodLimits
from schemas.messages.party import PartyKind
from tests.contract.bus.rig import PATIENCE_S
from tests.integration.bus.secured import SecuredHub, token
from tests.integration.bus.waiting import connected, until


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[SecuredHub]:
    made = SecuredHub(tmp_path)
    yield made
    await made.stop()


async def test_a_flooder_is_told_of_with_its_token_and_what_others_send_is_still_heard(hub: SecuredHub) -> None:
    north, south = hub.agency("north"), hub.agency("south")
    await hub.start()
    limits = FloodLimits(a_second=2, at_once=200)
    desk = hub.bus(PartyKind.DESK, flood=limits)
    owner, ear = await connected(desk, "from.*.desk")
    flooder, other = hub.bus(north), hub.bus(south)
    await connected(flooder, f"to.{token(north)}.>")
    await connected(other, f"to.{token(south)}.>")

    for _ in range(1000):
        await flooder.publish(f"from.{token(north)}.desk", b"\x00" * 128)
    for number in range(20):
        await other.publish(f"from.{token(south)}.desk", b"%d" % number)
    heard = 0
    while heard < 20:
        subject, _ = await ear.next()
        heard += subject == f"from.{token(south)}.desk"
    await owner.until(f"flooding {token(north)}")
    await until(lambda: desk.counts.flooded + desk.counts.received >= 1020)
    assert desk.counts.flooded >= 600
    assert f"flooding {token(south)}" not in owner.told


async def test_the_hubs_own_subjects_are_not_counted(hub: SecuredHub) -> None:
    await hub.start()
    desk = hub.bus(PartyKind.DESK, flood=FloodLimits(a_second=1, at_once=1))
    owner, ear = await connected(desk, "hub.desk")
    coordinator = hub.bus(PartyKind.COORDINATOR)
    await connected(coordinator, "hub.coordinator")
    for _ in range(500):
        await coordinator.publish("hub.desk", b"")
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(500):
            await ear.next()
    assert owner.told == ["connected"]
