"""Each message of an exchange lost, doubled, or overtaken by the next: one answer, one conclusion, whole logs.

The run without a fault says how many messages there are; each of them is then hit in each way. A message number that a
run does not reach would make a test that proves nothing, so reaching it is asserted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.faults import FaultyHub, MessageFault
from tests.support.sampling import every
from tests.support.world import HOUR_MS, World

MESSAGES = 14
"""Submission, delivery, two deeds, the answer and two notices to the desk, each with its acknowledgement."""


async def run_one(folder: Path, fault: MessageFault | None, at: int) -> tuple[FaultyHub, dict[str, str], str]:
    hub = FaultyHub()
    world = World(folder, hub=hub)
    await world.start()
    try:
        hub.arm(fault, at)
        exchange = await world.ask(await world.open_enquiry())
        await world.settle()
        await world.turn(2 * 60_000, step_ms=20_000)
        await world.opened(exchange)
        await world.turn(2 * 60_000, step_ms=20_000)
        standing = await world.check()
        for name, party in world.running.items():
            assert len(party.ground.post.outbox) == 0, f"{name} still waits for an acknowledgement"
        assert not any(party.ground.post.halted.done() for party in world.running.values())
        return hub, standing, exchange
    finally:
        await world.stop()


async def test_a_run_without_a_fault_has_the_messages_that_are_hit_below(tmp_path: Path) -> None:
    hub, standing, exchange = await run_one(tmp_path, None, -1)
    assert standing == {exchange: "answered"}
    assert hub.count >= MESSAGES


@pytest.mark.parametrize("fault", list(MessageFault))
@pytest.mark.parametrize("at", every(4, range(MESSAGES)))
async def test_one_message_gone_wrong_costs_time_and_nothing_else(tmp_path: Path, fault: MessageFault, at: int) -> None:
    hub, standing, exchange = await run_one(tmp_path, fault, at)
    assert hub.was_hit
    assert standing == {exchange: "answered"}


async def test_a_bus_swapped_for_an_empty_one_in_mid_run_loses_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.start()
    try:
        exchanges = [await world.ask(await world.open_enquiry()) for _ in range(3)]
        for bus in world.buses.values():
            world.hub.cut(bus)
        exchanges.append(await world.ask(await world.open_enquiry()))
        for bus in world.buses.values():
            world.hub.restore(bus)
        await world.turn(2 * 60_000, step_ms=20_000)
        for exchange in exchanges:
            await world.opened(exchange)
        assert await world.check() == dict.fromkeys(exchanges, "answered")
    finally:
        await world.stop()


@pytest.mark.parametrize("jump_ms", [-90_000, 90_000, HOUR_MS])
async def test_a_clock_that_jumps_while_an_answer_is_under_way_does_no_harm(tmp_path: Path, jump_ms: int) -> None:
    world = World(tmp_path)
    await world.start()
    try:
        exchange = await world.ask(await world.open_enquiry())
        world.clock.set(world.clock.now() + jump_ms)
        await world.settle()
        await world.turn(5 * 60_000)
        await world.opened(exchange)
        assert await world.check() == {exchange: "answered"}
    finally:
        await world.stop()
