"""Spent convictions of a region: their offences and sentences have the label; what cannot be read breaks the look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents.probation.records import ProbationSource
from agents.runtime.source import Label, LocalPerson, RecordBroken
from schemas.vocabulary import Category
from tests.contract.records.county_police import STEPFATHER
from tests.contract.records.county_probation import crn_of, edit, put
from tests.unit.agents.probation.asking import findings

BOTH = (Category.PROBATION_OFFENCE, Category.PROBATION_SENTENCE)


def labelled(source: ProbationSource, category: Category) -> dict[str, bool]:
    """Of each offence or sentence, by its description, whether it is spent."""
    found = findings(source, crn_of(STEPFATHER), category)
    return {str(one.record.as_fact()["description"]): Label.SPENT in one.labels for one in found}


def test_an_order_long_over_is_spent_and_a_sentence_that_runs_is_not(source: ProbationSource) -> None:
    assert labelled(source, Category.PROBATION_OFFENCE) == {"Battery": True, "Unlawful wounding s20": False}
    assert labelled(source, Category.PROBATION_SENTENCE) == {"Community order": True, "Imprisonment": False}


@pytest.mark.parametrize(("born", "spent"), [("2007-06-02", True), ("2007-06-01", False)])
def test_ten_months_that_ended_in_april_are_spent_in_november_of_who_was_under_18(
    folder: Path, source: ProbationSource, born: str, spent: bool
) -> None:
    crn = crn_of(STEPFATHER)
    changed = {"dateOfSentencing": "2025-06-01", "isActive": False, "isCustodial": True}
    length = {"duration": 10, "units": "Months", "terms": []}
    edit(folder, "persons", lambda held: held[crn].update(dateOfBirth=born, aliases=[]))
    edit(folder, "sentences", lambda held: held.update({crn: [{**held[crn][0], **changed, "length": length}]}))
    (sentence,) = findings(source, crn, Category.PROBATION_SENTENCE)
    assert (Label.SPENT in sentence.labels) is spent


@pytest.mark.parametrize("changed", [{"isActive": True}, {"isActive": None}, {"description": "Hospital order"}])
def test_a_sentence_that_runs_or_cannot_be_read_is_not_spent(
    folder: Path, source: ProbationSource, changed: dict[str, Any]
) -> None:
    edit(folder, "sentences", lambda held: held[crn_of(STEPFATHER)][0].update(changed))
    for category in BOTH:
        assert not any(labelled(source, category).values())


def test_an_offence_without_a_sentence_of_its_day_is_not_spent(folder: Path, source: ProbationSource) -> None:
    edit(folder, "offences", lambda held: held[crn_of(STEPFATHER)][0]["courtDates"].append("2001-01-01"))
    assert not any(labelled(source, Category.PROBATION_OFFENCE).values())


def test_where_sentences_cannot_be_read_nobody_says_that_a_conviction_is_not_spent(
    folder: Path, source: ProbationSource
) -> None:
    person = LocalPerson(crn_of(STEPFATHER))
    edit(folder, "sentences", lambda held: held[person.ref].append({"dateOfSentencing": "the 3rd"}))
    assert [type(one) for one in source.findings(person, Category.PROBATION_OFFENCE)] == [RecordBroken]
    put(folder, "sentences", "no JSON")
    assert [type(one) for one in source.findings(person, Category.PROBATION_OFFENCE)] == [RecordBroken]
