"""A job's table of states: closed, every state reached, every end final."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.runtime.agent import AGENT_MIGRATIONS
from agents.runtime.answering import jobs
from agents.runtime.answering.jobs import TRANSITIONS, ExchangeReused, Job, JobEvent, JobOutOfStep, JobState
from broker.node.store import Store

EXCHANGE = "a" * 32


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.open(tmp_path / "store.sqlite", migrations=AGENT_MIGRATIONS)
    yield opened
    await opened.close()


async def open_one(store: Store) -> None:
    job = Job(EXCHANGE, 10, 20, b"request", b"grant")
    await store.write(lambda tx: jobs.open_job(tx, job, "d" * 64, b"leaf"))


def test_every_state_is_reached_and_the_ends_lead_nowhere() -> None:
    reached = {JobState.WAITING, *TRANSITIONS.values()}
    assert reached == set(JobState)
    left = {state for state, _ in TRANSITIONS}
    assert left == {JobState.WAITING, JobState.IN_REVIEW, JobState.ANSWERED, JobState.RELEASED}


@pytest.mark.parametrize("event", [JobEvent.RELEASE_PROVED, JobEvent.DESK_HAS_IT])
async def test_a_step_that_is_not_in_the_table_halts(store: Store, event: JobEvent) -> None:
    await open_one(store)
    with pytest.raises(JobOutOfStep):
        await store.write(lambda tx: jobs.move(tx, EXCHANGE, event))


async def test_a_job_that_is_not_there_cannot_be_moved(store: Store) -> None:
    with pytest.raises(JobOutOfStep):
        await store.write(lambda tx: jobs.move(tx, EXCHANGE, JobEvent.CONCLUDED))


async def test_an_exchange_keeps_its_acknowledgement_and_takes_no_second_request(store: Store) -> None:
    await open_one(store)
    assert await store.read(lambda tx: jobs.acknowledgement_of(tx, EXCHANGE, "d" * 64)) == b"leaf"
    with pytest.raises(ExchangeReused):
        await store.read(lambda tx: jobs.acknowledgement_of(tx, EXCHANGE, "e" * 64))


async def test_an_ended_job_holds_nothing_and_is_not_taken_up_again(store: Store) -> None:
    await open_one(store)
    assert await store.read(jobs.waiting) == [EXCHANGE]
    await store.write(lambda tx: jobs.move(tx, EXCHANGE, JobEvent.CONCLUDED))
    await store.write(lambda tx: jobs.let_go(tx, EXCHANGE))
    assert await store.read(jobs.waiting) == []
    assert await store.read(lambda tx: jobs.job_of(tx, EXCHANGE)) is None
