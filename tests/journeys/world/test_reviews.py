"""A request that waits for a person at the agency, as the hub sees it, over deaths and withdrawals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.agent import Agent
from agents.runtime.review.reviewers import add_reviewer
from agents.runtime.review.room import ReviewRoom
from schemas.vocabulary import ReviewRole
from tests.support.world import World

AGENCY = "northshire"
ANN = {"reviewer": "ann", "passphrase": "copper lantern drift"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub and one police force, which has all incidents read by a person."""
    world = World(tmp_path, review={"role": ReviewRole.INTELLIGENCE_OFFICER, "categories": ["police.incident"]})
    await world.start()
    add_reviewer(world.home(AGENCY), "ann", "Ann Lloyd", ReviewRole.INTELLIGENCE_OFFICER, ANN["passphrase"])
    yield world
    await world.stop()


def room(world: World) -> ReviewRoom:
    agent = world.running[AGENCY]
    assert isinstance(agent, Agent)
    return agent.worker.review


async def in_review(world: World) -> str:
    """Ask, and wait until the hub sees it in review."""
    exchange = await world.ask(await world.open_enquiry())
    for _ in range(200):
        await world.settle()
        if room(world).listed() and (await world.tell_desk("GET", f"/requests/{exchange}"))["in_review"] is not None:
            return exchange
    raise AssertionError("it is not in review")


async def release(world: World, exchange: str) -> Any:
    shown = await world.command(AGENCY, "review-show", {**ANN, "exchange": exchange})
    return await world.command(AGENCY, "review-release", {**ANN, "exchange": exchange, "shown": shown["shown"]})


async def test_the_hub_sees_who_reviews_by_role_until_the_answer_is_there(world: World) -> None:
    exchange = await in_review(world)
    shown = await world.tell_desk("GET", f"/requests/{exchange}")
    assert (shown["progress"], shown["in_review"]) == ("delivered", "intelligence_officer")
    status = await world.command("coordinator", "status", {})
    assert [one["reviewer"] for one in status["pressing"]] == ["intelligence_officer"]
    assert await release(world, exchange) == {"missing": 0}
    await world.opened(exchange)
    assert (await world.tell_desk("GET", f"/requests/{exchange}"))["in_review"] is None
    await world.settle()
    assert await world.check() == {exchange: "answered"}
    kinds = [entry["type"] for entry in await world.entries() if entry.get("exchange") == exchange]
    assert sorted(kinds) == ["acknowledged", "in-review", "opened", "release", "request"]


async def test_an_agency_that_dies_in_a_review_goes_on_with_it(world: World) -> None:
    exchange = await in_review(world)
    await world.kill_party(AGENCY)
    await world.start_party(AGENCY)
    await world.until(lambda: len(room(world).listed()) == 1)
    assert await release(world, exchange) == {"missing": 0}
    await world.opened(exchange)
    await world.settle()
    assert await world.check() == {exchange: "answered"}


async def test_what_the_hub_takes_back_is_reviewed_no_more(world: World) -> None:
    exchange = await in_review(world)
    await world.tell_desk("POST", f"/requests/{exchange}/withdraw", {})
    await world.until(lambda: room(world).listed() == [])
    await world.settle()
    assert await world.check() == {exchange: "withdrawn"}
