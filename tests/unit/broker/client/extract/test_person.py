"""Whether somebody named in a request is the person whom an extract is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from broker.client.extract.person import SubjectInvalid, how_it_is, is_contradicted, person_of, read_person
from broker.node.owner_only import KeyStoreUnsafe
from schemas.identifiers import IdentifierKind
from schemas.messages.request import IdentifierGiven, NameGiven, Subject
from schemas.vocabulary import SubjectRole

NHS, OTHER = "9990000018", "9990000026"
SINEAD = {"names": [{"given": "Sinéad", "family": "O'Hara-Quill"}], "birth_date": "2001-02-03"}


def named(given: str, family: str, born: str | None = "2001-02-03", *numbers: str, also: str = "") -> Subject:
    return Subject(
        ref="1" * 32,
        role=SubjectRole.INDEX_ADULT,
        name=NameGiven(given=given, family=family),
        other_names=[NameGiven(given=given, family=also)] if also else [],
        birth_date=born,
        identifiers=[IdentifierGiven(kind=IdentifierKind.NHS_NUMBER, value=one) for one in numbers],
        addresses=[],
    )


def numbered(number: str, **members: Any) -> dict[str, Any]:
    return {**members, "identifiers": [{"kind": "nhs_number", "value": number}]}


@pytest.mark.parametrize(
    "subject",
    [
        named("SINEAD", "OHARA QUILL"),
        named("Sinéad", "O’Hara-Quill"),
        named("Sinead", "Another", also="O'Hara-Quill"),
    ],
)
def test_case_accents_and_apostrophes_make_no_other_name(subject: Subject) -> None:
    assert how_it_is(person_of(SINEAD), subject) == "name and date of birth"


@pytest.mark.parametrize(
    "subject",
    [
        named("Sinead", "O'Hara-Quill", "2001-03-02"),
        named("Sinead", "O'Hara-Quill", None),
        named("Shinead", "O'Hara-Quill"),
        named("Sinead", "O'Hara"),
        named("O'Hara-Quill", "Sinead"),
    ],
)
def test_another_spelling_or_day_is_another_person(subject: Subject) -> None:
    assert how_it_is(person_of(SINEAD), subject) is None


def test_names_without_a_letter_are_nobodys() -> None:
    person = person_of({**SINEAD, "names": [{"given": "-", "family": "?"}]})
    assert how_it_is(person, named("-", "?")) is None


def test_an_equal_identifier_is_the_person_and_another_day_there_is_shown_to_the_lead() -> None:
    person = person_of(numbered("999 000 0018", birth_date="2001-02-03"))
    assert how_it_is(person, named("Any", "Name", "2001-02-03", NHS)) == "nhs_number"
    assert "ANOTHER DATE OF BIRTH" in str(how_it_is(person, named("Any", "Name", "1980-01-01", NHS)))


def test_the_same_name_and_day_with_another_number_is_not_taken_and_known_as_such() -> None:
    person = person_of(numbered(NHS, **SINEAD))
    subject = named("Sinead", "O'Hara-Quill", "2001-02-03", OTHER)
    assert how_it_is(person, subject) is None
    assert is_contradicted(person, subject)
    assert not is_contradicted(person, named("Sinead", "O'Hara-Quill"))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "no object"),
        ({}, "an identifier, or a name and the date of birth"),
        ({"names": SINEAD["names"]}, "an identifier, or a name and the date of birth"),
        ({**SINEAD, "Sinead": 1}, "field ?"),
        ({**SINEAD, "birth_date": "3 February 2001"}, "birth_date"),
        (numbered("9990000019"), "nhs_number"),
    ],
)
def test_what_describes_nobody_is_refused_without_repeating_it(members: Any, said: str) -> None:
    with pytest.raises(SubjectInvalid) as refused:
        person_of(members)
    assert said in refused.value.detail
    assert "Sin" not in refused.value.detail
    assert "9990000019" not in refused.value.detail


def test_a_file_that_others_can_read_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "subject.json"
    file.write_text(json.dumps(SINEAD))
    file.chmod(0o644)
    with pytest.raises(KeyStoreUnsafe):
        read_person(file)
    file.chmod(0o600)
    assert read_person(file) == person_of(SINEAD)
