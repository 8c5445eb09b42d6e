"""Silent and not known pass the review desk as one, whatever the reviewer does: in the soak over a thousand runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest

from agents.runtime.answering.slots import next_slot, slot_of
from agents.runtime.review.acts import Acting
from agents.runtime.source import NOBODY, Finding, Label
from broker.node.command_arguments import read_arguments
from schemas.envelope import unpack
from schemas.messages.answer import AnswerHeader
from schemas.messages.entry import nonce
from schemas.messages.model import read
from schemas.records.police import Incident
from schemas.vocabulary import AgencyReason, Outcome, ReviewRole
from tests.support.source import MemorySource
from tests.unit.agents.runtime.hub import Ask, Asked
from tests.unit.agents.runtime.review.conftest import ANN, INCIDENT, Desk, octavia
from tests.unit.agents.runtime.unseen import CASES, INTERVAL, hold

SLOTS: Final = 3
"""Instants at which answers of requests that came together leave."""
DECLINED: Final[dict[str, Any]] = {"act": "decline", "reason": "not_relevant"}
CONFIRM: Final[dict[str, Any]] = {"act": "confirm"}
NOBODY_SILENT: Final = 4
"""The world in which somebody is known about whom no rule is silent: a person may say so, and ask who is meant."""
ACTS: Final[tuple[tuple[dict[str, Any], ...] | None, ...]] = (
    (),
    (DECLINED,),
    ({**DECLINED, "category": INCIDENT, "written": "It is not ours to tell."},),
    ({"act": "narrow", "category": INCIDENT},),
    ({"act": "narrow", "subject": octavia().ref},),
    ({"act": "redact", "category": INCIDENT, "words": ["summary_text"]},),
    ({"act": "redact", "category": INCIDENT, "words": ["summary_text", "type"], "masked": True},),
    (CONFIRM,),
    (DECLINED, {"act": "clear"}),
    None,
)
"""What a reviewer says of it before letting it leave; None: nobody reads it in time."""


@pytest.fixture
def review() -> dict[str, Any]:
    return {"role": ReviewRole.DUTY_REVIEWER, "categories": [INCIDENT]}


@pytest.fixture
def slotted(desk: Desk) -> Desk:
    """A desk from which what may be silent leaves at instants of its own."""
    desk.world.agent.worker.slot_ms = desk.room.slot_ms = INTERVAL
    return desk


async def ask(desk: Desk, count: int) -> list[Asked]:
    """Ask so many times, and wait until all of it waits for a person."""
    desk.world.answers.clear()
    desk.world.deeds.clear()
    exchanges = (f"{number % SLOTS:08x}{nonce()[8:]}" for number in range(count))
    asked = await desk.world.ask_together(
        [Ask([octavia()], categories=(INCIDENT,), exchange=exchange) for exchange in exchanges]
    )
    await desk.world.until(lambda: len(desk.room.listed()) == len(desk.world.deeds) == count)
    return asked


async def leave(desk: Desk, asked: list[Asked], acts: tuple[dict[str, Any], ...] | None) -> dict[str, int]:
    """Do what a reviewer does, and let the time come; gives back when each answer had to leave by then."""
    world, arrived_at = desk.world, desk.world.clock.now()
    if acts is None:
        untils = {one["until"] for one in desk.room.listed()}
        await world.until_awaited(untils)
        world.clock.set(max(untils))
    else:
        world.clock.turn(777_123)
        for act in acts:
            await asyncio.gather(*(desk.room.act(ANN, said_of(one, act)) for one in asked))
        assert set(await asyncio.gather(*(desk.release(one) for one in asked))) == {0}
    said_at = world.clock.now()
    fixed = {one.exchange: slot_of(one.exchange, arrived_at, one.entry.deadline_at, INTERVAL) for one in asked}
    slots = {exchange: next_slot(at, INTERVAL, said_at + INTERVAL) for exchange, at in fixed.items()}
    await world.until_awaited(slots.values())
    assert world.answers == []
    for at in sorted(set(slots.values())):
        world.clock.set(at)
        left = sum(slot_at <= at for slot_at in slots.values())
        await world.until(lambda: len(world.deeds) == len(asked) + left)  # noqa: B023 - waited for before the next
    await world.until_answered(len(asked))
    return slots


def said_of(asked: Asked, act: dict[str, Any]) -> Acting:
    return read_arguments(Acting, {"exchange": asked.exchange, **act})


@pytest.mark.parametrize("together", [6, pytest.param(21, marks=pytest.mark.soak)])
async def test_a_silent_refusal_passes_the_desk_as_not_known_does(
    slotted: Desk, source: MemorySource, together: int
) -> None:
    world = slotted.world
    (child,) = source.persons
    seen: set[tuple[str, int, tuple[str, int, int], tuple[str, int, int]]] = set()
    runs = 0
    for acts in ACTS:
        for case in range(NOBODY_SILENT if acts == (CONFIRM,) else CASES):
            hold(source, child, case, records=5)
            asked = await ask(slotted, together)
            arrived_at = world.clock.now()
            slots = await leave(slotted, asked, acts)
            answers = [unpack(parts[0]) for parts in world.answers]
            sizes = {read(AnswerHeader, answer.header).exchange: len(answer.parts[0]) for answer in answers}
            entries = [(json.loads(leaf), len(leaf)) for leaf in world.deeds]
            for one in asked:
                (row,) = world.open(one).outcomes
                waited, released = [(entry, size) for entry, size in entries if entry["exchange"] == one.exchange]
                seen.add(
                    (
                        row.model_dump_json(),
                        sizes[one.exchange],
                        (waited[0]["type"], waited[0]["t"] - arrived_at, waited[1]),
                        (released[0]["type"], released[0]["t"] - slots[one.exchange], released[1]),
                    )
                )
                runs += 1
    ((row_told, _, waiting, release),) = seen
    assert json.loads(row_told)["outcome"] == Outcome.NOT_KNOWN
    assert (waiting[:2], release[:2]) == (("in-review", 0), ("release", 0))
    assert runs == 49 * together  # 1,029 of them in the soak


async def test_a_category_declined_is_withheld_where_something_is_held_that_no_rule_is_silent_about(
    desk: Desk, source: MemorySource
) -> None:
    silent = Finding(INCIDENT, Incident(date="2026-01-01"), labels=frozenset({Label.SEXUAL_HEALTH}), local_ref="I2")
    source.held["POLE-1"].append(silent)
    asked = await desk.wait(Ask([octavia()], categories=(INCIDENT,)))
    await desk.act(asked, **DECLINED)
    assert await desk.release(asked) == 0
    row = (await desk.rows(asked))["a", INCIDENT]
    assert (row.outcome, row.reason) == (Outcome.WITHHELD, AgencyReason.DECLINED_NOT_RELEVANT)


async def test_the_look_after_a_persons_word_has_a_whole_interval(slotted: Desk, source: MemorySource) -> None:
    (asked,) = await ask(slotted, 1)
    world = slotted.world
    fixed = slot_of(asked.exchange, world.clock.now(), asked.entry.deadline_at, INTERVAL)
    world.clock.set(fixed + 10 * INTERVAL - 1)
    assert await slotted.release(asked) == 0
    await world.until_awaited([fixed + 11 * INTERVAL])
    assert world.answers == []
    world.clock.set(fixed + 11 * INTERVAL)
    await world.until_answered(1)


async def test_nobody_is_asked_about_as_somebody_is(desk: Desk, source: MemorySource) -> None:
    said: list[str] = []
    findings = source.findings

    def noted(person: Any, category: Any) -> Any:
        said.append("nobody" if person == NOBODY else "somebody")
        return findings(person, category)

    source.findings = noted  # type: ignore[method-assign]
    source.persons.clear()
    asked = await desk.wait(Ask([octavia()], categories=(INCIDENT,)))
    assert await desk.release(asked) == 0
    await desk.world.until_answered(1)
    assert set(said) == {"nobody"}
