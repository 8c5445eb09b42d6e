"""Silence is never nothing known: every outcome through a whole agent, and what its own log says of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.own_log import KeptRow, KeptTold
from agents.runtime.source import (
    NOBODY,
    Finding,
    Label,
    LocalPerson,
    PersonName,
    RecordBroken,
    Restrictions,
    SourceAway,
)
from broker.node.keyfile import read_key_file
from schemas.crypto.purposes import KeyPurpose
from schemas.identifiers import IdentifierKind
from schemas.messages.addendum import key_for_reader, open_addendum
from schemas.messages.answer import OutcomeRow
from schemas.messages.model import read
from schemas.messages.request import IdentifierGiven, NameGiven, Subject
from schemas.records.person import Address
from schemas.records.police import Incident, Intelligence, Involvement, Notice
from schemas.vocabulary import Category, Mode, Outcome, Rag, Stage, SubjectRole
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import NHS, octavia, stranger
from tests.unit.agents.runtime.hub import HOUR, Ask, Asked, World

INCIDENT = Category.POLICE_INCIDENT


async def answer(world: World, asking: Ask) -> tuple[Asked, dict[tuple[str, Category], OutcomeRow]]:
    asked = await world.ask(asking)
    count = len(world.answers)
    await world.until(lambda: len(world.answers) > count or not world.agent.worker._running)
    await world.until(lambda: len(world.answers) > 0)
    return asked, {(row.subject, row.category): row for row in world.open(asked).outcomes}


async def one(world: World, category: Category = INCIDENT, subject: Subject | None = None) -> OutcomeRow:
    _, rows = await answer(world, Ask([subject or octavia()], categories=(category,)))
    assert len(rows) == 1
    return next(iter(rows.values()))


async def kept(world: World, asked: Asked, folder: Path) -> list[KeptRow]:
    """What the agency's own log says, opened by the agency's IG lead."""
    lead = read_key_file(folder / "lead.key").identity(KeyPurpose.ADDENDUM)
    rows = await world.agent.ground.store.read(lambda tx: tx.execute("SELECT raw FROM own_addendum").fetchall())
    told = [
        read(KeptTold, open_addendum(raw, key_for_reader(raw, lead), hub="testhub", about=asked.exchange))
        for (raw,) in rows
    ]
    return [row for each in told for row in each.rows]


async def test_a_possible_match_gives_no_fact_and_says_what_would_settle_it(world: World) -> None:
    subject = octavia().model_copy(update={"birth_date": "2008-09-21", "identifiers": []})
    row = await one(world, subject=subject)
    assert row.outcome is Outcome.POSSIBLE_MATCH
    assert row.confirm == ["identifier", "full_name", "birth_date", "address"]
    assert row.facts == []


async def test_a_broken_record_is_could_not_look_for_its_category_and_costs_no_other(
    world: World, source: MemorySource
) -> None:
    source.held["POLE-1"].append(RecordBroken(Category.POLICE_NOTICE, "N-1", "date"))
    _, rows = await answer(world, Ask([octavia()]))
    notice = rows[octavia().ref, Category.POLICE_NOTICE]
    assert (notice.outcome, notice.reason) == (Outcome.COULD_NOT_LOOK, "record-broken")
    assert rows[octavia().ref, INCIDENT].outcome is Outcome.ANSWERED


async def test_a_fact_that_breaks_its_model_is_could_not_look(world: World, source: MemorySource) -> None:
    bad = Incident.model_construct(date="1st of March")
    source.held["POLE-1"] = [Finding(INCIDENT, bad, local_ref="I9")]
    row = await one(world)
    assert (row.outcome, row.reason) == (Outcome.COULD_NOT_LOOK, "record-broken")


async def test_people_whom_the_request_does_not_name_are_masked_in_a_text_that_leaves(
    world: World, source: MemorySource
) -> None:
    # Linked by the system, and named by the child's own records.
    source.links["POLE-1"] = [LocalPerson("POLE-7", (PersonName("Gwendolen", "Chislett"),))]
    text = "Octavia Chislett told Gwendolen Chislett and ANTHEA that Silas came."
    source.held["POLE-1"] = [
        Finding(Category.POLICE_INVOLVEMENT, Involvement(PoliceMarkerDetails=text), local_ref="M1"),
        Finding(INCIDENT, Incident(date="2026-03-01", others_involved=("Anthea Roe, witness",)), local_ref="I1"),
    ]
    silas = octavia("c" * 32, SubjectRole.PARENT_CARER).model_copy(
        update={"name": NameGiven(given="Silas", family="Crane"), "identifiers": [], "birth_date": "1980-01-01"}
    )
    categories = (Category.POLICE_INVOLVEMENT, INCIDENT)
    _, rows = await answer(
        world, Ask([octavia(), silas], categories=categories, stage=Stage.STRATEGY_DISCUSSION, rag=Rag.RED)
    )
    told = rows[octavia().ref, Category.POLICE_INVOLVEMENT].facts[0]["PoliceMarkerDetails"]
    assert told == "Octavia Chislett told **REDACTED** and **REDACTED** that Silas came."


async def test_where_links_cannot_be_looked_up_nothing_about_the_person_leaves(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(source, "linked", fail)
    assert (await one(world)).outcome is Outcome.COULD_NOT_LOOK


async def test_known_but_nothing_relevant_where_nothing_is_left(world: World, source: MemorySource) -> None:
    source.held["POLE-1"] = [Finding(INCIDENT, Incident(summary_text="Only words."), local_ref="I9")]
    assert (await one(world)).outcome is Outcome.KNOWN_NOTHING_RELEVANT


async def test_a_category_the_agency_does_not_offer_was_not_looked_at(world: World) -> None:
    row = await one(world, Category.POLICE_DA)
    assert (row.outcome, row.reason) == (Outcome.COULD_NOT_LOOK, "not-offered")


async def test_a_failing_restriction_look_up_means_could_not_look(world: World, source: MemorySource) -> None:
    source.restrictions_fail = True
    asked = await world.ask(Ask([octavia()], categories=(INCIDENT,)))
    await world.until(lambda: source.calls >= 2)
    world.clock.turn(4 * HOUR - 60_000)
    await world.until(lambda: bool(world.answers), turning_ms=1_000)
    row = world.open(asked).outcomes[0]
    assert (row.outcome, row.reason) == (Outcome.COULD_NOT_LOOK, "source-away")


async def test_a_source_that_raises_anything_says_could_not_look_and_not_what_it_raised(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("Octavia Chislett")

    monkeypatch.setattr(source, "people", fail)
    row = await one(world)
    assert (row.outcome, row.reason) == (Outcome.COULD_NOT_LOOK, "source-error")


async def test_a_source_that_returns_before_the_deadline_is_asked_again(world: World, source: MemorySource) -> None:
    source.is_away = True
    asked = await world.ask(Ask([octavia()], categories=(INCIDENT,)))
    await world.until(lambda: source.calls == 1)
    assert world.deeds == []
    source.is_away = False
    await world.until(lambda: bool(world.answers), turning_ms=1_000)
    assert world.open(asked).outcomes[0].outcome is Outcome.ANSWERED


async def test_a_source_away_until_shortly_before_the_deadline_is_could_not_look_in_the_log_too(
    world: World, source: MemorySource
) -> None:
    source.is_away = True
    asked = await world.ask(Ask([octavia()], categories=(INCIDENT,)))
    await world.until(lambda: source.calls == 1)
    world.clock.turn(4 * HOUR - 10 * 60_000)
    await world.until(lambda: bool(world.answers), turning_ms=1_000)
    assert world.open(asked).outcomes[0].outcome is Outcome.COULD_NOT_LOOK
    assert b'"type":"could-not-look"' in world.deeds[0]


async def test_a_source_that_hangs_holds_up_no_other_request(world: World, source: MemorySource) -> None:
    source.hold = threading.Event()
    hanging = await world.ask(Ask([octavia()], categories=(INCIDENT,)))
    await world.until(lambda: source.calls == 1)
    held, source.hold = source.hold, None
    other = await world.ask(Ask([octavia()], categories=(INCIDENT,)))
    await world.until(lambda: len(world.answers) == 1)
    assert world.open(other).outcomes[0].outcome is Outcome.ANSWERED
    await world.until(lambda: len(world.answers) == 2, turning_ms=1_000)
    assert world.open(hanging).outcomes[0].outcome is Outcome.ANSWERED
    held.set()


async def test_silence_looks_like_not_known_in_every_byte_that_leaves(
    world: World, source: MemorySource, tmp_path: Path
) -> None:
    source.protected["POLE-1"] = Restrictions(frozenset({Label.ADOPTED}))
    silent, silent_rows = await answer(world, Ask([octavia()]))
    truth = await kept(world, silent, tmp_path)
    source.persons.clear()
    unknown = await world.ask(Ask([octavia()]))
    await world.until(lambda: len(world.answers) == 2)
    assert [row.model_dump() for row in world.open(silent).outcomes] == [
        row.model_dump() for row in world.open(unknown).outcomes
    ]
    assert {row.outcome for row in silent_rows.values()} == {Outcome.NOT_KNOWN}
    first, second = world.answers
    assert [len(part) for part in first[::2]] == [len(part) for part in second[::2]]
    assert {(row.truth, row.rule) for row in truth} == {("denied-silently", "forbid-adoption-link")}


async def test_a_possible_match_with_somebody_adopted_is_silent_too(world: World, source: MemorySource) -> None:
    source.protected["POLE-1"] = Restrictions(frozenset({Label.ADOPTED}))
    subject = octavia().model_copy(update={"birth_date": "2008-09-21", "identifiers": []})
    assert (await one(world, subject=subject)).outcome is Outcome.NOT_KNOWN


@pytest.mark.parametrize("part", ["findings", "linked"])
async def test_silence_holds_where_what_the_person_has_cannot_be_read(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(person: LocalPerson, *_: object) -> Iterator[Finding]:
        if person != NOBODY:
            raise SourceAway
        return iter(())

    source.protected["POLE-1"] = Restrictions(frozenset({Label.ADOPTED}))
    monkeypatch.setattr(source, part, fail)
    assert (await one(world)).outcome is Outcome.NOT_KNOWN  # and at once: nobody waits for what is not told


@pytest.mark.parametrize("part", ["people", "restrictions", "findings"])
async def test_a_part_of_the_system_that_is_down_shows_alike_whoever_is_asked_about(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(source, part, fail)
    silent = Restrictions(frozenset({Label.ADOPTED}))
    rows, sizes = [], set()
    for protected, people in (({}, source.persons), ({"POLE-1": silent}, source.persons), ({}, [])):
        source.protected, source.persons = protected, people
        rows.append((await one(world)).model_dump())
        sizes.add(tuple(len(part) for part in world.answers.pop()[::2]))
    assert rows[0] == rows[1] == rows[2]
    assert (rows[0]["outcome"], rows[0]["reason"]) == (Outcome.COULD_NOT_LOOK, "source-error")
    assert len(sizes) == 1
    assert [json.loads(leaf)["type"] for leaf in world.deeds] == ["could-not-look"] * 3


async def test_a_failed_look_at_whom_others_are_lets_nothing_of_the_person_leave(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(source, "linked", fail)
    assert (await one(world)).outcome is Outcome.COULD_NOT_LOOK
    assert (await one(world, subject=stranger("a" * 32))).outcome is Outcome.NOT_KNOWN


async def test_a_record_with_a_silent_label_is_as_if_it_were_not_held_where_all_else_is_withheld(
    world: World, source: MemorySource
) -> None:
    source.held["POLE-1"] = [
        Finding(
            Category.POLICE_INTELLIGENCE,
            Intelligence(date="2026-01-01"),
            labels=frozenset({Label.SEXUAL_HEALTH}),
            local_ref="I2",
        )
    ]
    assert (await one(world, category=Category.POLICE_INTELLIGENCE)).outcome is Outcome.NOT_KNOWN


async def test_a_record_with_a_label_of_its_own_is_withheld_and_the_others_are_told(
    world: World, source: MemorySource
) -> None:
    labelled = Finding(INCIDENT, Incident(date="2026-01-01"), labels=frozenset({Label.NEEDS_REVIEW}), local_ref="I2")
    source.held["POLE-1"].append(labelled)
    row = await one(world)
    assert (row.outcome, row.reason) == (Outcome.ANSWERED, "part-withheld")
    assert len(row.facts) == 1


async def test_an_asker_is_not_told_the_name_of_a_rule_of_the_agencys_own_and_its_own_log_is(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "own.cedar").write_text(
        '@id("own-operation-oak") @sentence("Oak stays.") @reason("by-rule")'
        ' forbid (principal, action, resource == Category::"police.incident");'
    )
    monkeypatch.setattr(world.agent.worker, "gatekeeper", load_gatekeeper(rules))
    asked, rows = await answer(world, Ask([octavia()], categories=(INCIDENT,)))
    assert [(row.outcome, row.rule, row.reason) for row in rows.values()] == [(Outcome.WITHHELD, "own-rule", "by-rule")]
    assert [row.rule for row in await kept(world, asked, tmp_path)] == ["own-operation-oak"]


async def test_a_record_with_a_silent_label_is_as_if_it_were_not_held(world: World, source: MemorySource) -> None:
    labelled = Finding(INCIDENT, Incident(date="2026-01-01"), labels=frozenset({Label.SEXUAL_HEALTH}), local_ref="I2")
    source.held["POLE-1"] = [labelled]
    row = await one(world)
    assert (row.outcome, row.reason, row.rule) == (Outcome.NOT_KNOWN, None, None)


async def test_a_mother_in_a_refuge_hides_the_address_of_her_child(world: World, source: MemorySource) -> None:
    mother = LocalPerson(
        "POLE-2", (PersonName("Ada", "Chislett"),), (date(1985, 5, 5),), labels=frozenset({Label.REFUGE})
    )
    source.persons.append(mother)
    address = Address(Line1="1 Secret Road", Postcode="NR1 1AA", startDate="2026-01-01")
    source.held["POLE-1"].append(Finding(Category.PERSON_ADDRESS, address, date(2026, 1, 1), local_ref="A1"))
    asked_mother = Subject(
        ref="c" * 32,
        role=SubjectRole.PARENT_CARER,
        name=NameGiven(given="Ada", family="Chislett"),
        other_names=[],
        birth_date="1985-05-05",
        identifiers=[],
        addresses=[],
    )
    _, rows = await answer(world, Ask([octavia(), asked_mother], categories=(Category.PERSON_ADDRESS,)))
    assert rows[octavia().ref, Category.PERSON_ADDRESS].facts == [{"startDate": "2026-01-01"}]


async def test_an_unborn_child_is_possibly_known_through_its_mother(world: World, source: MemorySource) -> None:
    mother = LocalPerson("POLE-2", (PersonName("Ada", "Chislett"),), (date(1985, 5, 5),))
    source.persons += [mother, LocalPerson("POLE-3", expected_on=date(2027, 2, 1), mother_ref="POLE-2")]
    asked_mother = Subject(
        ref="c" * 32,
        role=SubjectRole.PARENT_CARER,
        name=NameGiven(given="Ada", family="Chislett"),
        other_names=[],
        birth_date="1985-05-05",
        identifiers=[],
        addresses=[],
    )
    unborn = Subject(
        ref="d" * 32,
        role=SubjectRole.UNBORN_CHILD,
        other_names=[],
        expected_on="2027-02-10",
        identifiers=[],
        addresses=[],
    )
    _, rows = await answer(world, Ask([unborn, asked_mother], categories=(INCIDENT,)))
    assert rows["d" * 32, INCIDENT].outcome is Outcome.POSSIBLE_MATCH
    assert rows["d" * 32, INCIDENT].confirm == ["mother", "expected_date"]


async def test_existence_tells_months_only(world: World) -> None:
    _, rows = await answer(world, Ask([octavia()], categories=(INCIDENT,), mode=Mode.EXISTENCE))
    assert rows[octavia().ref, INCIDENT].facts == [{"held": True, "earliest_on": "2026-03", "latest_on": "2026-03"}]


async def test_what_does_not_fit_an_answer_is_given_up_by_its_largest_category(
    world: World, source: MemorySource
) -> None:
    wide = [
        Finding(INCIDENT, Incident(date="2026-01-01", type="x" * 190, outcome="y" * 190, location="z" * 190))
        for _ in range(999)
    ]
    notices = [Finding(Category.POLICE_NOTICE, Notice(date="2026-01-01", ref="N1"))]
    source.held["POLE-1"] = [*wide, *notices]
    second = replace(source.persons[0], ref="POLE-1")
    source.persons = [second]
    other = octavia(ref="e" * 32, role=SubjectRole.OTHER_CHILD)
    _, rows = await answer(world, Ask([octavia(), other], categories=(INCIDENT, Category.POLICE_NOTICE)))
    outcomes = sorted(
        (row.outcome.value, row.reason or "") for (_, category), row in rows.items() if category is INCIDENT
    )
    assert outcomes == [("answered", ""), ("could_not_look", "too-large")]
    assert all(row.outcome is Outcome.ANSWERED for (_, category), row in rows.items() if category is not INCIDENT)


async def test_the_own_log_says_which_local_records_an_answer_came_from(world: World, tmp_path: Path) -> None:
    asked, _ = await answer(world, Ask([octavia()]))
    truth = {row.category: row for row in await kept(world, asked, tmp_path)}
    assert truth[INCIDENT].refs == ["INC-1"]
    assert (truth[Category.POLICE_INTELLIGENCE].truth, truth[Category.POLICE_INTELLIGENCE].refs) == (
        "withheld",
        ["INT-1"],
    )


async def test_no_local_reference_leaves_the_agency(world: World) -> None:
    asked, _ = await answer(world, Ask([octavia()]))
    said = world.open(asked).encode() + b"".join(payload for _, payload in world.bus.captured)
    assert b"POLE-1" not in said
    assert b"INC-1" not in said


async def test_an_answer_names_nobody_in_what_the_bus_can_see(world: World) -> None:
    await answer(world, Ask([octavia()]))
    seen = b"".join(payload for _, payload in world.bus.captured)
    assert b"Chislett" not in seen
    assert NHS.encode() not in seen
    assert IdentifierGiven(kind=IdentifierKind.NHS_NUMBER, value=NHS).value.encode() not in seen
