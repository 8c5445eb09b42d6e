"""How large an answer is, where it is larger than the one bucket: by what it tells, and never by what a rule keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.runtime.answering.writing import PADDED_BYTES
from agents.runtime.source import Finding, Label, LocalPerson, PersonName, RecordBroken, Restrictions
from schemas.envelope import unpack
from schemas.messages.answer import OutcomeRow
from schemas.messages.request import NameGiven
from schemas.records.police import Incident
from schemas.vocabulary import Category, Outcome
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import BORN, octavia
from tests.unit.agents.runtime.hub import Ask, World

INCIDENT = Category.POLICE_INCIDENT
SIBLING = octavia("c" * 32).model_copy(
    update={"name": NameGiven(given="Perdita", family="Chislett"), "identifiers": [], "birth_date": "2011-02-03"}
)
LONG = "Words that say much. " * 9


def incidents(count: int, *labels: Label) -> list[Finding | RecordBroken]:
    said = Incident(date="2026-03-01", type=LONG, outcome=LONG, location=LONG)
    return [Finding(INCIDENT, said, BORN, frozenset(labels), f"I{number}") for number in range(count)]


def nobody(source: MemorySource) -> None:
    """The sibling is not held."""


def protected(source: MemorySource) -> None:
    """The sibling is held, with much, and a rule is silent about them."""
    held = LocalPerson("POLE-2", (PersonName("Perdita", "Chislett"),), (BORN.replace(2011, 2, 3),))
    source.persons.append(held)
    source.held["POLE-2"] = incidents(300)
    source.protected["POLE-2"] = Restrictions(frozenset({Label.ADOPTED}))


def of_records(source: MemorySource) -> None:
    """The sibling is held, and a rule is silent about each record."""
    protected(source)
    source.protected.clear()
    source.held["POLE-2"] = incidents(300, Label.SEXUAL_HEALTH)


def of_the_childs_own(source: MemorySource) -> None:
    """Of the child themself there are more records, about which a rule is silent."""
    source.held["POLE-1"] += incidents(300, Label.SEXUAL_HEALTH)


@pytest.mark.parametrize("told", [2, 200, 990], ids=["one bucket", "a larger one", "the largest"])
@pytest.mark.parametrize("hold", [protected, of_records, of_the_childs_own])
async def test_an_answer_of_any_size_is_as_large_as_if_nothing_were_held_of_what_a_rule_is_silent_about(
    world: World, source: MemorySource, hold: Callable[[MemorySource], None], told: int
) -> None:
    source.held["POLE-1"] = incidents(told)
    left: list[tuple[list[int], list[int], list[OutcomeRow]]] = []
    for held in (nobody, hold):
        held(source)
        asked = await world.ask(Ask([octavia(), SIBLING], categories=(INCIDENT,)))
        await world.until_answered(len(left) + 1)
        sealed = [len(part) for part in unpack(world.answers[-1][0]).parts]
        left.append((sealed, [len(part) for part in world.answers[-1][1:]], world.open(asked).outcomes))
    (size, beside, rows), (same_size, same_beside, same_rows) = left
    assert (size, beside) == (same_size, same_beside)
    assert rows == same_rows
    assert {row.subject: row.outcome for row in rows}[SIBLING.ref] is Outcome.NOT_KNOWN
    assert (size[0] > 2 * PADDED_BYTES) == (told > 2)
