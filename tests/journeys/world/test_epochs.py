"""Sealing epochs: made ahead, used in turn, destroyed when nothing sealed to them can be open; and a pause."""

from __future__ import annotations

import pytest

from broker.desk.asking import AgencyAway
from broker.node.home import SEALING_EPOCH_MS
from broker.node.restating import SEAL_GRACE_MS
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import StatedKey
from schemas.messages.request import RequestHeader
from tests.support.world import HOUR_MS, World

DAY_MS = 24 * HOUR_MS
AGENT = "northshire"


def held(world: World) -> set[str]:
    return set(world.running[AGENT].ground.keys.names(KeyPurpose.SEAL))


def epochs(world: World, party: str = AGENT) -> list[StatedKey]:
    """The agency's sealing keys, as that party knows them."""
    known = world.running[party].ground.directory.party(AGENT)
    return [one for one in known.keys if one.key.purpose is KeyPurpose.SEAL]


async def asked(world: World) -> RequestHeader:
    """Ask once, and have it answered."""
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    raw = await world.running["desk"].ground.store.read(
        lambda tx: tx.execute("SELECT header FROM exchange WHERE id = ?", (exchange,)).fetchone()[0]
    )
    return RequestHeader.model_validate_json(raw)


@pytest.mark.parametrize("weeks", [10, pytest.param(53, marks=pytest.mark.soak)])
async def test_each_epoch_is_used_in_turn_and_destroyed_when_nothing_can_be_sealed_to_it(
    world: World, weeks: int
) -> None:
    start, used = world.clock.now(), []
    for _ in range(weeks):
        header = await asked(world)
        used.append(header.seal_epoch)
        await world.turn(SEALING_EPOCH_MS, step_ms=DAY_MS)
        now = world.clock.now()
        stated = {one.key.id: one for one in epochs(world)}
        assert epochs(world, "desk") == epochs(world, "coordinator") == epochs(world), "somebody has not heard"
        for name in held(world):
            assert now < stated[name].not_after + SEAL_GRACE_MS + 2 * DAY_MS, "a key that is long over is still there"
        assert max(one.not_after for one in stated.values()) > now + 2 * DAY_MS, "the next epoch was not made ahead"
        assert all(one.not_after - one.not_before <= SEALING_EPOCH_MS + HOUR_MS for one in stated.values())
        assert header.seal_key in held(world) or now > start + SEALING_EPOCH_MS
    assert used == sorted(used)
    assert len(set(used)) >= weeks - 1, "an epoch was left out, or used for longer than a week"
    assert len(held(world)) <= 3
    assert set((await world.check()).values()) == {"answered"}


async def test_an_agency_that_was_away_for_three_weeks_comes_back_and_goes_on(world: World) -> None:
    before = await asked(world)
    await world.stop_party(AGENT)
    late = await world.ask(await world.open_enquiry())
    await world.turn(21 * DAY_MS, step_ms=DAY_MS)
    assert await world.progress(late) == "expired"
    await world.start_party(AGENT)
    for _ in range(3):
        await world.turn(2 * HOUR_MS, step_ms=HOUR_MS)
    after = await asked(world)
    assert after.seal_epoch > before.seal_epoch
    assert before.seal_key not in held(world), "what was sealed to a key of three weeks ago could still be opened"
    assert not world.running[AGENT].ground.post.halted.done()
    assert await world.check()


async def test_nothing_is_sealed_to_an_agency_that_was_away_for_so_long_that_its_last_epoch_is_over(
    world: World,
) -> None:
    await world.stop_party(AGENT)
    await world.turn(15 * DAY_MS, step_ms=DAY_MS)
    with pytest.raises(AgencyAway):
        await world.ask(await world.open_enquiry())


async def test_a_key_is_kept_for_a_request_that_waits_for_longer_than_its_epoch(world: World) -> None:
    world.sources[AGENT].is_away = True
    enquiry = await world.open_enquiry(rag="green")
    exchange = await world.ask(enquiry)
    await world.settle()
    sealed_to = held(world)
    for one in sealed_to:
        assert one in held(world)
    await world.turn(2 * DAY_MS, step_ms=DAY_MS)
    assert sealed_to <= held(world)
    world.sources[AGENT].is_away = False
    await world.turn(HOUR_MS, step_ms=60_000 * 10)
    await world.opened(exchange)


async def test_a_request_prepared_at_the_end_of_an_epoch_is_sealed_to_the_next(world: World) -> None:
    await world.turn(5 * DAY_MS, step_ms=DAY_MS)
    first, second = sorted(epochs(world), key=lambda one: one.epoch)
    world.clock.set(first.not_after - 10 * 60_000)
    await world.settle()
    assert (await asked(world)).seal_epoch == second.epoch


async def test_no_epoch_is_made_twice_when_the_agency_dies_right_after_stating_it(world: World) -> None:
    await world.turn(5 * DAY_MS, step_ms=DAY_MS)
    for _ in range(3):
        await world.kill_party(AGENT)
        await world.start_party(AGENT)
        await world.settle()
    assert [one.epoch for one in epochs(world)] == [1, 2]
    assert held(world) == {one.key.id for one in epochs(world)}
