"""What every `RecordSource` promises (`agents/runtime/source.py`), run on every implementation there is."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from agents.runtime.matching.deciding import Matched, Nobody, Possible, find_match
from agents.runtime.source import (
    NOBODY,
    Finding,
    LinkingSource,
    LocalPerson,
    PersonName,
    PersonQuery,
    RecordBroken,
    SourceAway,
)
from schemas.records.registry import model_of, validate_fact
from schemas.vocabulary import Category, Mode
from tests.contract.records.rig import SourceRig

T = TypeVar("T")


def the_person(rig: SourceRig, query: PersonQuery | None = None) -> LocalPerson:
    found = find_match(query or rig.known, rig.source.people(query or rig.known))
    assert isinstance(found, Matched)
    return found.people[0]


def in_a_thread(work: Callable[[], T]) -> T:
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    assert results, "the call failed in another thread"
    return results[0]


def test_a_person_held_is_found_and_matches(rig: SourceRig) -> None:
    assert the_person(rig).ref


def test_a_person_is_found_by_an_identifier_alone(rig: SourceRig) -> None:
    query = PersonQuery(identifiers=rig.known.identifiers)
    assert query.identifiers
    assert the_person(rig).ref in {person.ref for person in rig.source.people(query)}


def test_a_person_is_found_by_name_and_birth_date_alone(rig: SourceRig) -> None:
    query = PersonQuery(names=rig.known.names, birth_date=rig.known.birth_date)
    assert the_person(rig, query).ref == the_person(rig).ref


def test_the_case_of_a_name_does_not_hide_a_person(rig: SourceRig) -> None:
    names = tuple(dataclasses.replace(name, family=name.family.upper()) for name in rig.known.names)
    query = PersonQuery(names=names, birth_date=rig.known.birth_date)
    assert the_person(rig, query).ref == the_person(rig).ref


def test_a_name_turned_round_may_be_the_person_whatever_stands_between(rig: SourceRig) -> None:
    person = the_person(rig)
    for name in person.names:
        for given in name.given.split():
            query = PersonQuery((PersonName(name.family, given),), rig.known.birth_date)
            found = find_match(query, rig.source.people(query))
            assert isinstance(found, Possible)
            assert person.ref in {one.ref for one in found.people}


def test_a_person_not_held_is_nobody(rig: SourceRig) -> None:
    assert isinstance(find_match(rig.unknown, rig.source.people(rig.unknown)), Nobody)


def test_findings_are_of_the_category_asked_and_fit_its_model(rig: SourceRig) -> None:
    findings = list(rig.source.findings(the_person(rig), rig.held))
    assert findings
    for finding in findings:
        assert isinstance(finding, Finding)
        assert finding.category is rig.held
        assert type(finding.record) is model_of(rig.held, Mode.CONTENT)
        validate_fact(rig.held, Mode.CONTENT, finding.record.as_fact())


def test_a_category_without_records_gives_nothing(rig: SourceRig) -> None:
    assert list(rig.source.findings(the_person(rig), rig.empty)) == []


def test_every_category_can_be_asked_for_without_an_error(rig: SourceRig) -> None:
    person = the_person(rig)
    assert all(one.category is category for category in Category for one in rig.source.findings(person, category))


def test_a_broken_record_is_told_and_loses_no_other(rig: SourceRig) -> None:
    told = list(rig.source.findings(the_person(rig), rig.broken))
    assert any(isinstance(one, RecordBroken) and one.local_ref for one in told)
    assert any(isinstance(one, Finding) for one in told)


def test_a_broken_record_shows_no_reference_in_its_text(rig: SourceRig) -> None:
    for one in rig.source.findings(the_person(rig), rig.broken):
        if isinstance(one, RecordBroken):
            assert one.local_ref not in str(one)


def test_restrictions_are_told_for_a_person_held(rig: SourceRig) -> None:
    assert isinstance(rig.source.restrictions(the_person(rig)).labels, frozenset)


def test_asked_about_nobody_a_source_fails_where_it_would_for_everybody_and_not_else(rig: SourceRig) -> None:
    assert rig.source.restrictions(NOBODY).labels == frozenset()
    for category in Category:
        list(rig.source.findings(NOBODY, category))
    rig.take_away()
    with pytest.raises(SourceAway):
        rig.source.restrictions(NOBODY)
    with pytest.raises(SourceAway):
        list(rig.source.findings(NOBODY, rig.held))


def test_a_check_proves_that_nothing_can_be_written(rig: SourceRig) -> None:
    report = rig.source.check()
    assert report.is_read_only
    assert sum(report.counts.values()) > 0


def test_looking_changes_nothing_in_the_system_behind(rig: SourceRig) -> None:
    before = rig.snapshot()
    person = the_person(rig)
    for category in Category:
        list(rig.source.findings(person, category))
    rig.source.restrictions(person)
    rig.source.check()
    assert rig.snapshot() == before


def test_each_call_may_come_from_another_thread(rig: SourceRig) -> None:
    person = in_a_thread(lambda: the_person(rig))
    assert in_a_thread(lambda: list(rig.source.findings(person, rig.held)))
    assert in_a_thread(lambda: rig.source.restrictions(person)) == rig.source.restrictions(person)


def test_two_looks_at_once_do_not_disturb_each_other(rig: SourceRig) -> None:
    person = the_person(rig)
    alone = len(list(rig.source.findings(person, rig.held)))
    first = rig.source.findings(person, rig.held)
    next(first)
    assert in_a_thread(lambda: len(list(rig.source.findings(person, rig.held)))) == alone
    assert 1 + len(list(first)) == alone


def test_a_system_that_is_away_says_so_and_never_says_nobody(rig: SourceRig) -> None:
    person = the_person(rig)
    rig.take_away()
    with pytest.raises(SourceAway):
        rig.source.people(rig.known)
    with pytest.raises(SourceAway):
        list(rig.source.findings(person, rig.held))
    with pytest.raises(SourceAway):
        rig.source.restrictions(person)
    if isinstance(rig.source, LinkingSource):
        with pytest.raises(SourceAway):
            rig.source.linked(person)


def test_nobody_is_linked_to_their_own_record(rig: SourceRig) -> None:
    for person in rig.source.people(rig.known):
        linked = rig.source.linked(person) if isinstance(rig.source, LinkingSource) else ()
        assert person.ref not in {one.ref for one in linked}


def test_no_person_shows_in_a_representation(rig: SourceRig) -> None:
    person = the_person(rig)
    shown = repr(person) + repr(list(rig.source.findings(person, rig.held))) + repr(rig.known)
    assert person.ref not in shown
    assert all(name.family not in shown for name in person.names)
