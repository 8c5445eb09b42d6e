"""A conflict of interest: who is touched by it, and what an unreadable list costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.runtime.looking.conflicts import ConflictsInvalid, check_conflicts, read_conflicts
from agents.runtime.source import Finding, Label, LocalPerson, PersonName, Restrictions
from schemas.messages.answer import OutcomeRow
from schemas.records.police import Incident
from schemas.vocabulary import Category, Mode, Outcome
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import octavia, stranger
from tests.unit.agents.runtime.hub import OFFICER, Ask, World

INCIDENT = Category.POLICE_INCIDENT
ME = OFFICER.party.id
OCTAVIA = LocalPerson("POLE-1", (PersonName("Octavia", "Chislett"),))


def listed(folder: Path, text: str) -> Path:
    file = folder / "conflicts.toml"
    file.write_text(text, "utf-8")
    return file


async def outcomes(world: World, *, both: bool = False, mode: Mode = Mode.CONTENT) -> list[OutcomeRow]:
    asked = await world.ask(Ask([octavia(), stranger()] if both else [octavia()], categories=(INCIDENT,), mode=mode))
    await world.until(lambda: bool(world.answers))
    return world.open(asked).outcomes


def test_a_local_reference_touches_the_person_it_names_and_nobody_else(tmp_path: Path) -> None:
    conflicts = read_conflicts(listed(tmp_path, '[officer.sam]\npeople = ["POLE-1"]'), "sam")
    assert conflicts.touch((), [OCTAVIA])
    assert not conflicts.touch((), [replace(OCTAVIA, ref="POLE-2")])


@pytest.mark.parametrize("name", ["Octavia Chislett", "CHISLETT, Octavia", "Mrs Octávia Chislett"])
def test_a_name_touches_however_it_is_written(tmp_path: Path, name: str) -> None:
    conflicts = read_conflicts(listed(tmp_path, f'[officer.sam]\nnames = ["{name}"]'), "sam")
    assert conflicts.touch([PersonName("Octavia Jane", "Chislett")], ())
    assert conflicts.touch((), [OCTAVIA])
    assert not conflicts.touch([PersonName("Octavia", "Chisholm")], ())


def test_another_officers_conflict_is_not_mine(tmp_path: Path) -> None:
    file = listed(tmp_path, '[officer.kim]\npeople = ["POLE-1"]')
    assert not read_conflicts(file, "sam").touch((), [OCTAVIA])


@pytest.mark.parametrize(
    "text", ["[officer", "[officers.sam]", '[officer.sam]\nnames = ["Baby"]', '[officer.sam]\npeople = "Octavia"']
)
def test_a_list_that_does_not_hold_is_refused_without_a_word_of_what_stands_in_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConflictsInvalid) as told:
        check_conflicts(listed(tmp_path, text))
    assert "conflicts.toml" in str(told.value)
    assert not {"sam", "Octavia", "Baby"} & set(str(told.value).replace(":", " ").replace(".", " ").split())


async def test_an_excluded_officer_is_told_not_known(world: World, source: MemorySource) -> None:
    source.protected["POLE-1"] = Restrictions(excluded_officers=frozenset({ME}))
    for mode in Mode:
        world.answers.clear()
        (row,) = await outcomes(world, mode=mode)
        assert (row.outcome, row.rule, row.reason) == (Outcome.NOT_KNOWN, None, None)


async def test_an_exclusion_of_somebody_else_changes_nothing(world: World, source: MemorySource) -> None:
    source.protected["POLE-1"] = Restrictions(excluded_officers=frozenset({"somebody-else"}))
    assert (await outcomes(world))[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize(("allowed", "outcome"), [(ME, Outcome.ANSWERED), ("kim", Outcome.WITHHELD)])
async def test_a_list_of_allowed_officers_lets_only_them_through(
    world: World, source: MemorySource, allowed: str, outcome: Outcome
) -> None:
    source.protected["POLE-1"] = Restrictions(allowed_officers=frozenset({allowed}))
    assert (await outcomes(world))[0].outcome is outcome


async def test_a_conflict_in_one_subject_silences_the_whole_request(
    world: World, source: MemorySource, tmp_path: Path
) -> None:
    file = listed(tmp_path, f'[officer.{ME}]\nnames = ["Nemo Nobody"]')
    glancing = world.agent.worker.glancing
    world.agent.worker.glancing = replace(glancing, looking=replace(glancing.looking, conflicts=file))
    assert {row.outcome for row in await outcomes(world, both=True)} == {Outcome.NOT_KNOWN}


async def test_a_conflict_list_that_went_away_means_could_not_look(
    world: World, source: MemorySource, tmp_path: Path
) -> None:
    glancing = world.agent.worker.glancing
    world.agent.worker.glancing = replace(glancing, looking=replace(glancing.looking, conflicts=tmp_path / "gone.toml"))
    (row,) = await outcomes(world)
    assert (row.outcome, row.reason) == (Outcome.COULD_NOT_LOOK, "source-error")


async def test_lifelong_anonymity_stands_beside_what_was_answered(world: World, source: MemorySource) -> None:
    source.protected["POLE-1"] = Restrictions(frozenset({Label.ANONYMITY}))
    secret = Finding(INCIDENT, Incident(date="2026-01-01"), labels=frozenset({Label.NEEDS_REVIEW}), local_ref="I2")
    (row,) = await outcomes(world)
    assert (row.outcome, row.reason) == (Outcome.ANSWERED, "lifelong-anonymity")
    source.held["POLE-1"].append(secret)
    world.answers.clear()
    (row,) = await outcomes(world)
    assert (row.outcome, row.reason) == (Outcome.ANSWERED, "part-withheld.lifelong-anonymity")
