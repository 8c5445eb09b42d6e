"""The faults a test can order of the bus in memory, and that its order follows from the calls alone."""

from __future__ import annotations

import asyncio

import pytest

from broker.node.bus.listener import QueueLimits
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.bus.port import BusAway
from tests.contract.bus.rig import Ear, Owner


async def _pair(hub: MemoryHub) -> tuple[MemoryBus, Owner, MemoryBus, Ear]:
    sender, listener, owner, ear = MemoryBus(hub, "sender"), MemoryBus(hub, "listener"), Owner(), Ear()
    await listener.subscribe("to.>", ear.receive)
    await sender.start(owner)
    await listener.start(Owner())
    return sender, owner, listener, ear


async def _publish(bus: MemoryBus, *payloads: bytes) -> None:
    for payload in payloads:
        await bus.publish("to.a", payload)


def _payloads(ear: Ear) -> list[bytes]:
    return [payload for _, payload in ear.heard]


async def test_a_dropped_message_is_lost_and_its_sender_learns_nothing() -> None:
    hub = MemoryHub()
    sender, owner, _, ear = await _pair(hub)
    hub.drop_next(2)
    await _publish(sender, b"1", b"2", b"3")
    await hub.settle()
    assert _payloads(ear) == [b"3"]
    assert owner.told == ["connected"]


async def test_a_duplicated_message_arrives_twice() -> None:
    hub = MemoryHub()
    sender, _, _, ear = await _pair(hub)
    hub.duplicate_next()
    await _publish(sender, b"1", b"2")
    await hub.settle()
    assert _payloads(ear) == [b"1", b"1", b"2"]


async def test_reordered_messages_arrive_last_first_once_they_are_all_there() -> None:
    hub = MemoryHub()
    sender, _, _, ear = await _pair(hub)
    hub.reorder_next(3)
    await _publish(sender, b"1", b"2")
    await hub.settle()
    assert ear.heard == []
    await _publish(sender, b"3", b"4")
    await hub.settle()
    assert _payloads(ear) == [b"3", b"2", b"1", b"4"]


async def test_releasing_ends_every_fault_and_delivers_what_was_held() -> None:
    hub = MemoryHub()
    sender, _, _, ear = await _pair(hub)
    hub.reorder_next(3)
    hub.drop_next(subject="to.b")
    await _publish(sender, b"1")
    hub.release()
    await sender.publish("to.b", b"2")
    await hub.settle()
    assert _payloads(ear) == [b"1", b"2"]


async def test_a_fault_waits_for_its_subject_and_leaves_others_alone() -> None:
    hub = MemoryHub()
    sender, _, _, ear = await _pair(hub)
    hub.drop_next(subject="to.*.answer")
    await sender.publish("to.a", b"1")
    await sender.publish("to.a.answer", b"2")
    await sender.publish("to.a.answer", b"3")
    await hub.settle()
    assert _payloads(ear) == [b"1", b"3"]


async def test_everything_handed_over_is_captured_lost_or_not() -> None:
    hub = MemoryHub()
    sender, _, _, _ = await _pair(hub)
    hub.drop_next()
    await sender.publish("to.a", b"1")
    await sender.publish("nobody", b"2")
    assert hub.captured == [("to.a", b"1"), ("nobody", b"2")]


async def test_a_party_that_is_cut_off_hears_nothing_is_unheard_and_keeps_its_subscriptions() -> None:
    hub = MemoryHub()
    sender, owner, listener, ear = await _pair(hub)
    hub.cut(listener)
    hub.cut(listener)
    await _publish(sender, b"1")
    with pytest.raises(BusAway):
        await listener.publish("to.a", b"")
    hub.restore(listener)
    await _publish(sender, b"2")
    await hub.settle()
    assert _payloads(ear) == [b"2"]
    assert owner.told == ["connected", "unheard to.a"]


async def test_a_bus_that_was_cut_before_it_started_connects_when_it_is_restored() -> None:
    hub, owner = MemoryHub(), Owner()
    bus = MemoryBus(hub, "late")
    hub.cut(bus)
    await bus.start(owner)
    await hub.settle()
    assert owner.told == []
    hub.restore(bus)
    await hub.settle()
    assert owner.told == ["connected"]


async def test_settling_waits_for_what_receivers_publish_in_turn() -> None:
    hub = MemoryHub()
    bus, ear = MemoryBus(hub, "echo"), Ear()

    async def pass_on(subject: str, payload: bytes) -> None:
        await bus.publish("second" if subject == "first" else "third", payload)

    await bus.subscribe("first", pass_on)
    await bus.subscribe("second", pass_on)
    await bus.subscribe("third", ear.receive)
    await bus.start(Owner())
    await bus.publish("first", b"1")
    assert ear.heard == []
    await hub.settle()
    assert ear.heard == [("third", b"1")]


async def test_a_receiver_may_close_its_own_bus() -> None:
    hub = MemoryHub()
    bus, done = MemoryBus(hub, "leaver"), asyncio.Event()

    async def leave(subject: str, payload: bytes) -> None:
        await bus.close()
        done.set()

    await bus.subscribe("go", leave)
    await bus.start(Owner())
    await bus.publish("go", b"")
    await hub.settle()
    assert done.is_set()


async def test_with_one_receive_at_a_time_no_message_is_left_waiting_for_a_worker() -> None:
    hub = MemoryHub()
    bus, ear = MemoryBus(hub, "hub", limits=QueueLimits(receiving=1)), Ear()
    await bus.subscribe("to.a", ear.receive)
    await bus.start(Owner())
    for number in range(50):
        await bus.publish("to.a", b"%d" % number)
        for _ in range(number % 4):
            await asyncio.sleep(0)  # offered at each possible moment of the worker's end
    await hub.settle()
    assert _payloads(ear) == [b"%d" % number for number in range(50)]
    assert ear.most_inside == 1
