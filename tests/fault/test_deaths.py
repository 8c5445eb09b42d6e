"""Death at every commit of every party, in every kind of exchange: killed just before it and just after it, and started
from what was on disk. One conclusion each, nothing said that was not committed, every log whole.

Each test walks through the commits of one party in one story, one by one, until the story has no more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.node.store.connection import commit_durably
from tests.support.dying import DyingCommit, Moment, do, do_or_find_done, pass_time
from tests.support.sampling import every
from tests.support.world import ENDED, HOUR_MS, World

MINUTE_MS = 60_000
MOST_COMMITS = 2
"""Walked through in every run of the tests; later ones, mostly heartbeats and sweeps, in the long run only."""
EVERY_COMMIT = 200
SCREENING = {"stage": "screening", "rag": "green", "purpose": "screening", "lawful_bases": ["ca2004-11"]}
NO_ACTION = {"decision": "no_further_action", "reason": "Explained."}


@dataclass(frozen=True)
class Story:
    """What goes before, what somebody dies in, and where it has to end."""

    before: Callable[[World], Awaitable[str]]
    """Gives back an enquiry, or an exchange, that `during` is about."""
    during: Callable[[World, DyingCommit, str], Awaitable[None]]
    ends: frozenset[str]
    mortals: tuple[str, ...]
    commits: int = MOST_COMMITS


async def an_enquiry(world: World) -> str:
    return await world.open_enquiry()


async def a_screening(world: World) -> str:
    return await world.open_enquiry(**SCREENING, consent="not_sought")


async def an_enquiry_while_the_records_are_away(world: World) -> str:
    world.sources["northshire"].is_away = True
    return await world.open_enquiry()


async def a_request_that_waits_for_records(world: World) -> str:
    exchange = await world.ask(await an_enquiry_while_the_records_are_away(world))
    await world.turn(2 * MINUTE_MS)
    return exchange


async def a_request_an_hour_before_its_expiry(world: World) -> str:
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(23 * HOUR_MS, step_ms=HOUR_MS)
    return exchange


async def an_answered_enquiry(world: World) -> str:
    enquiry = await world.open_enquiry()
    await world.opened(await world.ask(enquiry))
    await world.tell_desk("POST", f"/enquiries/{enquiry}/decision", NO_ACTION)
    return enquiry


async def asked(world: World, dying: DyingCommit, enquiry: str) -> None:
    await do(world, dying, lambda: world.ask(enquiry))
    await pass_time(world, dying, 6 * MINUTE_MS, step_ms=MINUTE_MS)


async def asked_and_looked_at(world: World, dying: DyingCommit, enquiry: str) -> None:
    await asked(world, dying, enquiry)
    await do(world, dying, lambda: world.tell_desk("GET", f"/enquiries/{enquiry}/answers"))


async def asked_until_the_deadline(world: World, dying: DyingCommit, enquiry: str) -> None:
    await do(world, dying, lambda: world.ask(enquiry))
    await pass_time(world, dying, 4 * HOUR_MS, step_ms=HOUR_MS // 2)


async def taken_back(world: World, dying: DyingCommit, exchange: str) -> None:
    await do_or_find_done(world, dying, lambda: world.tell_desk("POST", f"/requests/{exchange}/withdraw"))
    await pass_time(world, dying, 6 * MINUTE_MS, step_ms=MINUTE_MS)


async def left_to_expire(world: World, dying: DyingCommit, exchange: str) -> None:
    await pass_time(world, dying, 3 * HOUR_MS // 2, step_ms=HOUR_MS // 2)
    await world.start_party("northshire")
    await pass_time(world, dying, 10 * MINUTE_MS, step_ms=MINUTE_MS)


async def closed_and_erased(world: World, dying: DyingCommit, enquiry: str) -> None:
    await do_or_find_done(world, dying, lambda: world.tell_desk("POST", f"/enquiries/{enquiry}/close"))
    await do_or_find_done(world, dying, lambda: world.tell_desk("POST", f"/enquiries/{enquiry}/erase"))
    await pass_time(world, dying, 2 * MINUTE_MS, step_ms=MINUTE_MS)


ALL = ("desk", "coordinator", "northshire")
STORIES = {
    "answered": Story(an_enquiry, asked_and_looked_at, frozenset({"answered"}), ALL, commits=5),
    "refused": Story(a_screening, asked, frozenset({"refused"}), ("desk", "coordinator")),
    "could not look": Story(
        an_enquiry_while_the_records_are_away, asked_until_the_deadline, frozenset({"answered"}), ("northshire",)
    ),
    "withdrawn": Story(a_request_that_waits_for_records, taken_back, frozenset({"withdrawn"}), ALL),
    "expired": Story(
        a_request_an_hour_before_its_expiry, left_to_expire, frozenset({"expired"}), ("desk", "coordinator")
    ),
    "erased": Story(an_answered_enquiry, closed_and_erased, frozenset({"answered"}), ("desk", "coordinator")),
}
CASES = [(name, mortal, moment) for name, story in STORIES.items() for mortal in story.mortals for moment in Moment]


@pytest.mark.parametrize(("name", "mortal", "moment"), every(3, CASES))
async def test_a_death_at_any_commit_loses_nothing(tmp_path: Path, name: str, mortal: str, moment: Moment) -> None:
    await walk_through(tmp_path, name, mortal, moment, range(STORIES[name].commits))


@pytest.mark.soak
@pytest.mark.parametrize(("name", "mortal", "moment"), CASES)
async def test_a_death_at_any_later_commit_loses_nothing(
    tmp_path: Path, name: str, mortal: str, moment: Moment
) -> None:
    await walk_through(tmp_path, name, mortal, moment, range(STORIES[name].commits, EVERY_COMMIT))


async def walk_through(tmp_path: Path, name: str, mortal: str, moment: Moment, commits: range) -> None:
    for at in commits:
        folder = tmp_path / str(at)
        folder.mkdir()
        if not await lived_through(folder, name, mortal, moment, at):
            assert at > 0, "a story without commits proves nothing"
            return


async def lived_through(folder: Path, name: str, mortal: str, moment: Moment, at: int) -> bool:
    """Tell a story with a death in it; False if it was over before that commit."""
    story, world = STORIES[name], World(folder)
    dying = world.commits[mortal] = DyingCommit(world, mortal, moment, at)
    await world.start()
    try:
        about = await story.before(world)
        await world.settle()
        dying.is_armed = True
        await story.during(world, dying, about)
        was_hit, dying.is_armed = not dying.is_armed, False
        world.commits[mortal] = commit_durably
        await world.settle()
        standing = await world.check()
        assert standing, "nothing was asked"
        assert set(standing.values()) <= story.ends & ENDED
        assert not any(party.ground.post.halted.done() for party in world.running.values())
        if name == "erased":
            await nothing_opens(world, about)
        return was_hit
    except BaseException:
        print(f"{name}: {mortal} died {moment} number {at}")
        raise
    finally:
        await world.stop()


async def nothing_opens(world: World, enquiry: str) -> None:
    """The keys are gone, or nobody ordered it: who died before the order was committed has not heard it."""
    keys = world.running["desk"].ground.keys
    listed = await world.tell_desk("GET", "/enquiries")
    left = {one["enquiry"] for one in listed["enquiries"]}
    assert len(keys.names("reply")) == len(keys.names("storage")) == len(left)
    assert enquiry not in left
