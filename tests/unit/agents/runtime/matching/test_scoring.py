"""The score is Splink's, level by level and in sum; who is named first makes no difference, and nothing crashes it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.matching.deciding import CONFIRM_PERSON, Possible, find_match, weigh
from agents.runtime.matching.levels import FIELDS
from agents.runtime.matching.scoring import describe_person, describe_query, score
from agents.runtime.matching.weights import shipped_weights
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from agents.training.labelled import COLUMNS, LabelledRecord, record_of
from schemas.identifiers import IdentifierKind, parse_identifier

FIXTURE: dict[str, Any] = json.loads(Path(__file__).with_name("splink_scores.json").read_text("utf-8"))


def record(values: list[str]) -> LabelledRecord:
    return record_of("fixture", 0, dict(zip(COLUMNS, values, strict=True)))


def test_the_fixture_was_scored_with_the_weights_that_ship() -> None:
    assert FIXTURE["weights"] == shipped_weights().digest


@pytest.mark.parametrize("pair", FIXTURE["pairs"], ids=range(len(FIXTURE["pairs"])))
def test_a_pair_scores_as_splink_scores_it(pair: dict[str, Any]) -> None:
    asked, held = record(pair["one"]).as_query(), record(pair["other"]).as_person("p")
    found = score(describe_query(asked), describe_person(held), shipped_weights())
    levels = {name: getattr(found.agreement, name) for name in FIELDS}
    agreement = {name: None if level is None else level.value for name, level in levels.items()}
    if not found.agreement.is_turned:  # Splink's model knows no names in each other's place
        assert agreement == pair["levels"]
        assert found.weight == pytest.approx(pair["weight"], abs=1e-6)


def test_the_fixture_meets_every_level_that_people_meet() -> None:
    met = {(name, level) for pair in FIXTURE["pairs"] for name, level in pair["levels"].items() if level}
    every = {(name, level.value) for name, levels in FIELDS.items() for level in levels}
    assert len(met) > len(every) * 3 // 4


texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(
        ["Bill", "William", "Muhammad", "Mohammed Ali", "Baby", "\u202eEllie\u202c", "Еllie", "O’Neill", "Smith-Jones"]
    ),
)
days = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.sampled_from([date(2010, 4, 9), date(2010, 9, 4)])
numbers = st.sampled_from(
    [
        frozenset(),
        frozenset({parse_identifier(IdentifierKind.NHS_NUMBER, "9691292211")}),
        frozenset({parse_identifier(IdentifierKind.CRN, "X900001")}),
    ]
)
records = st.builds(
    LabelledRecord,
    st.just("p"),
    st.builds(PersonName, texts, texts),
    st.none() | days,
    st.sampled_from([None, "female", "male", "other", "\ud800"]),
    st.builds(PersonAddress, st.none() | texts, st.none() | texts | st.just("kt19 0st")),
    numbers,
)


@given(records, records)
def test_a_score_is_the_same_whichever_record_is_asked_for(one: LabelledRecord, other: LabelledRecord) -> None:
    there = weigh(describe_query(one.as_query()), describe_person(other.as_person("p")), "p", shipped_weights())
    back = weigh(describe_query(other.as_query()), describe_person(one.as_person("p")), "p", shipped_weights())
    assert there.score.weight == pytest.approx(back.score.weight)
    assert there.verdict == back.verdict


@given(records, records)
def test_a_possible_match_says_the_same_whatever_differed(one: LabelledRecord, other: LabelledRecord) -> None:
    found = find_match(one.as_query(), [other.as_person("p")])
    assert not isinstance(found, Possible) or found.confirm == CONFIRM_PERSON


@pytest.mark.parametrize("letter", ["a", "\u0301", "\u202e", "\ufdfa", "ß", "(", "𝔸", "\ud800", " "])
def test_a_name_of_ten_thousand_characters_is_no_name(letter: str) -> None:
    long = letter * 10_000
    held = LocalPerson("p", (PersonName(long, long),), (date(2010, 4, 9),), addresses=(PersonAddress(long, long),))
    query = PersonQuery(held.names, held.birth_dates[0], addresses=held.addresses)
    scored = score(describe_query(query), describe_person(held), shipped_weights())
    assert (scored.agreement.given, scored.agreement.family, scored.agreement.place) == (None, None, None)
