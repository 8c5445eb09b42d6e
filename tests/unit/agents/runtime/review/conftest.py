"""A world whose agency has a review desk and two reviewers, and a request that waits for one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.review.acts import Acting
from agents.runtime.review.reviewers import SignedIn, add_reviewer
from agents.runtime.review.room import ReviewRoom
from broker.node.command_arguments import read_arguments
from schemas.messages.answer import OutcomeRow
from schemas.messages.entry import Entry, read_entry
from schemas.messages.policy import POLICY_BASES
from schemas.vocabulary import Category, ReviewRole
from tests.support.policies import SMALL, make_version
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import octavia, source, stranger
from tests.unit.agents.runtime.hub import HOUR, Ask, Asked, World

__all__ = ["octavia", "source", "stranger"]

ANN = SignedIn("ann", "Ann Lloyd", ReviewRole.INTELLIGENCE_OFFICER)
BEN = SignedIn("ben", "Ben Okoro", ReviewRole.DUTY_REVIEWER)
BASES = """
[[basis]]
code = "ca1989-47"
title = "Children Act 1989 s47: the duty to make enquiries"
kind = "duty"
nations = ["england"]
in_force_from = 1991-10-14
source = "Children Act 1989 s47(1), (9) to (11)"
"""
PASSPHRASE = "copper lantern drift"
INTELLIGENCE = Category.POLICE_INTELLIGENCE
INCIDENT = Category.POLICE_INCIDENT


class Desk:
    """A world and what its reviewers do."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def room(self) -> ReviewRoom:
        return self.world.agent.worker.review

    async def wait(self, asking: Ask | None = None) -> Asked:
        """Ask, and wait until it waits."""
        before = len(self.room.listed())
        asked = await self.world.ask(asking or Ask([octavia()]))
        await self.world.until(lambda: len(self.room.listed()) == before + 1)
        return asked

    async def shown(self, asked: Asked) -> dict[str, Any]:
        return await self.room.shown(asked.exchange)

    async def act(self, asked: Asked, who: SignedIn = ANN, **said: Any) -> dict[str, Any]:
        await self.room.act(who, read_arguments(Acting, {"exchange": asked.exchange, **said}))
        return await self.shown(asked)

    async def release(self, asked: Asked, who: SignedIn = ANN) -> int:
        shown = await self.shown(asked)
        return await self.room.release(who, asked.exchange, str(shown["shown"]))

    async def rows(self, asked: Asked) -> dict[tuple[str, Category], OutcomeRow]:
        """The answer, as it reached the hub's desk."""
        await self.world.until_answered(1)
        return {(row.subject[0], row.category): row for row in self.world.open(asked).outcomes}

    def deeds(self) -> list[Entry]:
        return [read_entry(leaf) for leaf in self.world.deeds]

    async def own_log(self) -> list[dict[str, Any]]:
        entries = await self.world.agent.inspection.entries(500)
        return [dict(one["entry"]) for one in entries]  # type: ignore[call-overload]


@pytest.fixture
def review() -> dict[str, Any]:
    """The settings of the desk; a test takes others by its own fixture."""
    return {"role": ReviewRole.INTELLIGENCE_OFFICER}


@pytest.fixture
async def desk(tmp_path: Path, source: MemorySource, review: dict[str, Any]) -> AsyncIterator[Desk]:
    """The hub and its agent, which has a review desk."""
    world = World(tmp_path, source, {"review": review})
    world.policy = make_version(world.clock.now() - HOUR, whole={**SMALL, POLICY_BASES: BASES.encode()})
    for one in (ANN, BEN):
        add_reviewer(world.home, one.id, one.name, one.role, PASSPHRASE)
    await world.start()
    yield Desk(world)
    await world.stop()
