"""Each commit of each party failed and not applied, and reported failed but applied: the program stops and says why;
started again, it goes on to one answer, one conclusion and whole logs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.failures import GroundLost
from tests.support.faults import CommitFault, FaultyCommit
from tests.support.sampling import every
from tests.support.world import World

COMMITS = {"desk": 8, "coordinator": 4, "northshire": 3}
"""Fewer than a run has, however its works are grouped: that each number below is reached is asserted."""
CASES = [(name, fault, at) for name, count in COMMITS.items() for fault in CommitFault for at in range(count)]


@pytest.mark.parametrize(("name", "fault", "at"), every(3, CASES))
async def test_a_commit_that_fails_stops_the_program_and_loses_nothing(
    tmp_path: Path, name: str, fault: CommitFault, at: int
) -> None:
    commit = FaultyCommit()
    world = World(tmp_path, commits={name: commit})
    await world.start()
    try:
        enquiry = await world.open_enquiry()
        await world.settle()
        commit.arm(fault, at)
        exchange = await asked(world, enquiry)
        await world.settle()
        assert commit.was_hit
        await world.kill_party(name)
        await world.start_party(name)
        await world.settle()
        if exchange is None:  # the desk stopped before the officer heard that the request was taken
            exchange = await world.ask(enquiry)
        await world.turn(4 * 60_000, step_ms=20_000)
        await world.opened(exchange)
        await world.turn(60_000, step_ms=20_000)
        standing = await world.check()
        assert standing[exchange] == "answered"
        assert set(standing.values()) == {"answered"}
    finally:
        await world.stop()


async def asked(world: World, enquiry: str) -> str | None:
    """The exchange of a request, or None if the desk's own ground went while it was asked."""
    try:
        return await world.ask(enquiry)
    except GroundLost:
        return None
