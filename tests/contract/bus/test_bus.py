"""What `broker.node.bus.port` promises, of every implementation."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from broker.node.bus.listener import QueueLimits
from broker.node.bus.port import MAX_PAYLOAD_BYTES, BadSubject, Bus, BusAway, PayloadTooLarge
from tests.contract.bus.rig import PATIENCE_S, Ear, Owner, Rig

SECRET = b"the payload \r\n must never be \x00 logged \xff"


async def _connected(rig: Rig, name: str, *subjects: str, limits: QueueLimits | None = None) -> tuple[Bus, Owner, Ear]:
    bus, owner, ear = rig.bus(name, limits=limits or QueueLimits()), Owner(), Ear()
    for subject in subjects:
        await bus.subscribe(subject, ear.receive)
    await bus.start(owner)
    await owner.until("connected")
    return bus, owner, ear


async def test_a_message_reaches_every_listener_on_its_subject_with_its_exact_bytes(rig: Rig) -> None:
    hub, _, own_ear = await _connected(rig, "hub", "to.a")
    _, _, first = await _connected(rig, "first", "to.a")
    _, _, second = await _connected(rig, "second", "to.a")
    for payload in (SECRET, b""):
        await hub.publish("to.a", payload)
        for ear in (own_ear, first, second):
            assert await ear.next() == ("to.a", payload)
    assert hub.counts.published == 2
    assert hub.counts.received == 2


async def test_a_message_does_not_reach_a_listener_on_another_subject(rig: Rig) -> None:
    hub, _, _ = await _connected(rig, "hub")
    _, _, other = await _connected(rig, "other", "to.b", "end")
    await _connected(rig, "one", "to.a")
    await hub.publish("to.a", b"for a")
    await hub.publish("end", b"")
    assert await other.next() == ("end", b"")


async def test_a_star_stands_for_exactly_one_token_and_an_arrow_for_one_or_more(rig: Rig) -> None:
    hub, _, _ = await _connected(rig, "hub")
    _, _, star = await _connected(rig, "star", "from.*.submit", "end")
    _, _, arrow = await _connected(rig, "arrow", "from.>", "end")
    for subject in ("from.a.submit", "from.submit", "from.a.b.submit", "from", "from.a.hello", "end"):
        await hub.publish(subject, b"")
    await asyncio.gather(*(_until_end(ear) for ear in (star, arrow)))
    assert [subject for subject, _ in star.heard] == ["from.a.submit", "end"]
    assert [subject for subject, _ in arrow.heard] == [
        "from.a.submit",
        "from.submit",
        "from.a.b.submit",
        "from.a.hello",
        "end",
    ]


async def _until_end(ear: Ear) -> None:
    while (await ear.next())[0] != "end":
        pass


async def test_a_subject_nobody_listens_on_is_told_to_its_sender_and_a_heard_one_is_not(rig: Rig) -> None:
    hub, owner, _ = await _connected(rig, "hub")
    _, _, ear = await _connected(rig, "agency", "to.a")
    await hub.publish("to.a", b"heard")
    await hub.publish("to.b", b"not heard")
    await owner.until("unheard to.b")
    await ear.next()
    assert owner.told == ["connected", "unheard to.b"]
    assert hub.counts.unheard == 1


async def test_publishing_before_the_bus_is_connected_raises_at_once(rig: Rig) -> None:
    with pytest.raises(BusAway):
        await rig.bus("hub").publish("to.a", b"")


async def test_publishing_while_the_bus_is_away_raises_and_is_never_sent_later(rig: Rig) -> None:
    hub, owner, _ = await _connected(rig, "hub")
    _, other, ear = await _connected(rig, "agency", "to.a")
    await rig.take_away()
    await owner.until("disconnected")
    await other.until("disconnected")
    with pytest.raises(BusAway):
        await hub.publish("to.a", b"while away")
    await rig.bring_back()
    await owner.until("connected")
    await other.until("connected")
    await hub.publish("to.a", b"after")
    assert await ear.next() == ("to.a", b"after")
    assert hub.counts.published == 1


async def test_subscriptions_hear_again_after_each_return_of_the_bus(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "from.*")
    for turn in range(2):
        await rig.take_away()
        await owner.until("disconnected")
        await rig.bring_back()
        await owner.until("connected")
        await hub.publish("from.a", b"turn %d" % turn)
        assert await ear.next() == ("from.a", b"turn %d" % turn)
    assert owner.told == ["connected", *["disconnected", "connected"] * 2]
    assert hub.counts.reconnects == 2


async def test_a_subscription_made_while_connected_hears_from_the_moment_it_returns(rig: Rig) -> None:
    hub, owner, _ = await _connected(rig, "hub")
    agency, _, ear = await _connected(rig, "agency")
    for number in range(20):
        await agency.subscribe(f"late.{number}", ear.receive)
        await hub.publish(f"late.{number}", b"")
        assert await ear.next() == (f"late.{number}", b"")
    assert owner.told == ["connected"]


async def test_a_subscription_made_while_the_bus_is_away_hears_once_it_is_back(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub")
    await rig.take_away()
    await owner.until("disconnected")
    await hub.subscribe("late", ear.receive)
    await rig.bring_back()
    await owner.until("connected")
    await hub.publish("late", b"")
    assert await ear.next() == ("late", b"")


async def test_a_message_of_the_full_size_passes_and_one_byte_more_is_refused(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "to.a")
    full = bytes(MAX_PAYLOAD_BYTES)
    with pytest.raises(PayloadTooLarge):
        await hub.publish("to.a", full + b"x")
    await hub.publish("to.a", full)
    assert await ear.next() == ("to.a", full)
    assert owner.told == ["connected"]


async def test_a_receiver_that_raises_harms_no_later_message_and_the_log_does_not_quote_it(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "to.a")

    async def fall_over(subject: str, payload: bytes) -> None:
        raise ValueError(payload)

    await hub.subscribe("to.*", fall_over)
    with capture_logs() as lines:
        await hub.publish("to.a", SECRET)
        await hub.publish("to.a", b"second")
        assert [await ear.next(), await ear.next()] == [("to.a", SECRET), ("to.a", b"second")]
        async with asyncio.timeout(PATIENCE_S):
            while len(lines) < 2:  # noqa: ASYNC110 - turns of the loop; nothing signals a log line
                await asyncio.sleep(0)
    assert (
        lines
        == [{"event": "bus_receiver_failed", "log_level": "error", "subject": "to.a", "failure": "ValueError"}] * 2
    )
    assert owner.told == ["connected"]


async def test_a_slow_receiver_loses_what_is_over_its_bound_is_told_and_slows_no_other(rig: Rig) -> None:
    hub, _, _ = await _connected(rig, "hub")
    slow, owner, held = await _connected(
        rig, "slow", "to.a", limits=QueueLimits(receiving=1, waiting_messages=2, waiting_bytes=1000)
    )
    _, _, brisk = await _connected(rig, "brisk", "to.a")
    held.may_go.clear()
    for number in range(10):
        await hub.publish("to.a", b"%d" % number)
    for number in range(10):
        assert await brisk.next() == ("to.a", b"%d" % number)
    for _ in range(7):
        await owner.until("dropped to.a")
    held.may_go.set()
    assert [await held.next() for _ in range(3)] == [("to.a", b"0"), ("to.a", b"1"), ("to.a", b"2")]
    await hub.publish("to.a", b"room again")
    assert await held.next() == ("to.a", b"room again")
    assert slow.counts.dropped == 7


async def test_a_queue_is_bounded_in_bytes_as_well(rig: Rig) -> None:
    hub, owner, held = await _connected(
        rig, "hub", "to.a", limits=QueueLimits(receiving=1, waiting_messages=100, waiting_bytes=100)
    )
    held.may_go.clear()
    for size in (1, 60, 60, 40):
        await hub.publish("to.a", bytes(size))
    await owner.until("dropped to.a")
    held.may_go.set()
    assert [len((await held.next())[1]) for _ in range(3)] == [1, 60, 40]


async def test_no_more_than_the_configured_number_is_received_at_a_time(rig: Rig) -> None:
    hub, _, ear = await _connected(rig, "hub", "to.a", limits=QueueLimits(receiving=3))
    ear.may_go.clear()
    for _ in range(8):
        await hub.publish("to.a", b"")
    for _ in range(3):
        await ear.next()
    ear.may_go.set()
    for _ in range(5):
        await ear.next()
    assert ear.most_inside == 3


@pytest.mark.parametrize("subject", ["", "a..b", ".a", "a.", "a b", "a\r\nPUB b 0", "a.\x7f", "caf\u00e9", "a" * 600])
async def test_a_malformed_subject_is_refused(rig: Rig, subject: str) -> None:
    hub, owner, ear = await _connected(rig, "hub")
    with pytest.raises(BadSubject):
        await hub.publish(subject, b"")
    with pytest.raises(BadSubject):
        await hub.subscribe(subject, ear.receive)
    assert owner.told == ["connected"]


async def test_a_wildcard_can_be_listened_on_where_it_is_a_whole_token_and_never_published_to(rig: Rig) -> None:
    hub, _, ear = await _connected(rig, "hub")
    for subject in ("a.*", "a.>", ">", "a*", "a.>.b"):
        with pytest.raises(BadSubject):
            await hub.publish(subject, b"")
    for subject in ("a*", "a.>.b", "a.b>"):
        with pytest.raises(BadSubject):
            await hub.subscribe(subject, ear.receive)


async def test_a_renewal_is_noticed_by_nobody(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "to.a")
    for number in range(10):
        await hub.publish("to.a", b"%d" % number)
        await hub.renew()
        await hub.publish("to.a", b"%d again" % number)
    heard = [(await ear.next())[1] for _ in range(20)]
    assert sorted(heard) == sorted([b"%d%b" % (number, word) for number in range(10) for word in (b"", b" again")])
    assert owner.told == ["connected"]


async def test_a_renewal_while_the_bus_is_away_raises_and_harms_nothing(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "to.a")
    await rig.take_away()
    await owner.until("disconnected")
    with pytest.raises(BusAway):
        await hub.renew()
    await rig.bring_back()
    await owner.until("connected")
    await hub.publish("to.a", b"back")
    assert await ear.next() == ("to.a", b"back")


async def test_suspicion_of_a_bus_that_lives_is_noticed_by_nobody(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "to.a")
    for number in range(10):
        await hub.publish("to.a", b"%d" % number)
        hub.suspect()
    assert [(await ear.next())[1] for _ in range(10)] == [b"%d" % number for number in range(10)]
    hub.suspect()
    assert owner.told == ["connected"]


async def test_suspicion_is_harmless_before_the_start_while_the_bus_is_away_and_after_the_end(rig: Rig) -> None:
    bus, owner = rig.bus("hub"), Owner()
    bus.suspect()
    await bus.start(owner)
    await owner.until("connected")
    await rig.take_away()
    await owner.until("disconnected")
    bus.suspect()
    await rig.bring_back()
    await owner.until("connected")
    await bus.close()
    bus.suspect()
    assert owner.told == ["connected", "disconnected", "connected"]


async def test_where_there_is_no_other_server_nobody_goes_elsewhere(rig: Rig) -> None:
    hub, owner, ear = await _connected(rig, "hub", "to.a")
    await hub.renew(elsewhere=True)
    await hub.publish("to.a", b"still here")
    assert await ear.next() == ("to.a", b"still here")
    assert owner.told == ["connected"]


async def test_a_closed_bus_receives_and_sends_nothing_more_and_ends_what_it_was_receiving(rig: Rig) -> None:
    hub, _, _ = await _connected(rig, "hub")
    leaver, _, ear = await _connected(rig, "leaver", "to.a")
    ear.may_go.clear()
    await hub.publish("to.a", b"held")
    await ear.next()
    await leaver.close()
    assert ear.inside == 0
    with pytest.raises(BusAway):
        await leaver.publish("to.a", b"")
    _, _, stayer = await _connected(rig, "stayer", "to.a")
    await hub.publish("to.a", b"later")
    assert await stayer.next() == ("to.a", b"later")
    assert ear.heard == [("to.a", b"held")]
    await leaver.close()
