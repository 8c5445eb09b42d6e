"""Silent and not known are one: the same size, the same kind of entry, the same instant, over a thousand runs."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.answering.slots import JITTER_PARTS, next_slot, slot_of
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from schemas.envelope import unpack
from schemas.messages.answer import AnswerHeader
from schemas.messages.grant import Scope
from schemas.messages.model import read
from schemas.messages.request import RequestHeader
from schemas.vocabulary import Category, ConsentState, Mode, OfficerRole, Outcome, Purpose, Rag, Stage, SubjectRole
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import octavia
from tests.unit.agents.runtime.hub import Ask, World
from tests.unit.agents.runtime.unseen import CASES, INTERVAL, hold

RUNS = 1_000
times = st.integers(min_value=0, max_value=2**50)
exchanges = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(exchanges, times, times, st.integers(1, 600_000))
def test_a_slot_is_after_the_arrival_and_not_after_a_deadline_that_is_to_come(
    exchange: str, arrived_at: int, deadline_at: int, interval: int
) -> None:
    slot_at = slot_of(exchange, arrived_at, deadline_at, interval)
    assert arrived_at < slot_at <= arrived_at + interval + interval // JITTER_PARTS
    assert slot_at <= deadline_at or deadline_at <= arrived_at


@given(times, st.integers(1, 600_000), times)
def test_the_next_slot_is_the_first_of_its_rhythm_that_is_not_past(slot_at: int, interval: int, now: int) -> None:
    following = next_slot(slot_at, interval, now)
    assert following >= max(slot_at, now)
    assert (following - slot_at) % interval == 0
    assert following == slot_at or following - interval < now


def test_without_an_interval_an_answer_leaves_at_once() -> None:
    assert slot_of("f" * 32, 7, 9, 0) == 7
    assert next_slot(7, 0, 100) == 7


def test_whether_a_rule_could_be_silent_is_said_without_looking() -> None:
    said: dict[str, Any] = {
        "purpose": Purpose.CHILD_PROTECTION,
        "stage": Stage.ENQUIRY,
        "rag": Rag.RED,
        "consent": ConsentState.NOT_SOUGHT,
        "officer_role": OfficerRole.SOCIAL_WORKER,
    }
    header = RequestHeader.model_construct(**said)
    scope = [
        Scope(
            category=Category.HEALTH_SEXUAL,
            mode=Mode.CONTENT,
            roles=[SubjectRole.INDEX_CHILD],
            fields=["start"],
            rule="r",
        )
    ]
    assert load_gatekeeper(None).may_be_silent(header, scope)
    assert not load_gatekeeper(None).may_be_silent(header, [])


TOGETHER = 20


async def test_over_a_thousand_runs_a_silent_refusal_differs_in_nothing_from_not_known(
    world: World, source: MemorySource
) -> None:
    world.agent.worker.slot_ms = INTERVAL
    (child,) = source.persons
    seen: set[tuple[int, ...]] = set()
    kinds: set[tuple[str, ...]] = set()
    for case in [*range(CASES)] * (RUNS // CASES // TOGETHER):
        hold(source, child, case)
        world.answers.clear()
        world.deeds.clear()
        asked = await world.ask_together([Ask([octavia()], categories=(Category.POLICE_INCIDENT,))] * TOGETHER)
        arrived_at = world.clock.now()
        slots = {one.exchange: slot_of(one.exchange, arrived_at, one.entry.deadline_at, INTERVAL) for one in asked}
        await world.until_awaited(slots.values())
        assert world.answers == []
        for at in sorted(slots.values()):
            world.clock.set(at)
            left = sum(slot_at <= at for slot_at in slots.values())
            await world.until(lambda: len(world.deeds) == left)  # noqa: B023 - waited for before the next
        await world.until_answered(TOGETHER)
        answers = [unpack(parts[0]) for parts in world.answers]
        sizes = {read(AnswerHeader, answer.header).exchange: len(answer.parts[0]) for answer in answers}
        entries = [json.loads(leaf) for leaf in world.deeds]
        for one in asked:
            (row,) = world.open(one).outcomes
            assert row.outcome is Outcome.NOT_KNOWN
            late = [entry for entry in entries if entry["exchange"] == one.exchange]
            kinds.add(tuple(entry["type"] for entry in late))
            seen.add((sizes[one.exchange], *(entry["t"] - slots[one.exchange] for entry in late)))
    assert len(kinds) == 1
    ((_, *after),) = seen
    assert after == [0]


async def test_an_answer_that_could_be_silent_waits_for_its_slot_over_a_restart(
    world: World, source: MemorySource
) -> None:
    world.agent.worker.slot_ms = INTERVAL
    asked = await world.ask(Ask([octavia()], categories=(Category.POLICE_INCIDENT,)))
    slot_at = slot_of(asked.exchange, world.clock.now(), asked.entry.deadline_at, INTERVAL)
    await world.until_awaited([slot_at])
    assert world.answers == []
    await world.agent.stop()
    await world.start_agent()
    world.agent.worker.slot_ms = INTERVAL
    await world.until_awaited([slot_at])
    assert world.answers == []
    assert source.calls >= 6
    world.clock.set(slot_at)
    await world.until(lambda: bool(world.answers))
    assert world.open(asked).outcomes[0].outcome is Outcome.ANSWERED
