"""Short ways to ask an education source."""

from __future__ import annotations

from collections.abc import Sequence

from agents.education.records import EducationSource
from agents.runtime.matching.deciding import Matched, find_match
from agents.runtime.source import Finding, LocalPerson, PersonQuery, RecordBroken
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.vocabulary import Category
from tests.contract.records.county_education import county, query_for


def the_person(source: EducationSource, case: str) -> LocalPerson:
    """The one pupil that a hard case matches by name and date of birth."""
    (found,) = matched(source, query_for(county().case(case)))
    return found


def matched(source: EducationSource, query: PersonQuery) -> Sequence[LocalPerson]:
    """Who matches."""
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    return match.people


def by_upn(upn: str) -> PersonQuery:
    """A query by UPN alone."""
    return PersonQuery(identifiers=frozenset({parse_identifier(IdentifierKind.UPN, upn)}))


def findings(source: EducationSource, person: LocalPerson, category: Category) -> list[Finding]:
    """The findings of a category; none of them may be broken."""
    found = list(source.findings(person, category))
    whole = [one for one in found if isinstance(one, Finding)]
    assert len(whole) == len(found)
    return whole


def facts(source: EducationSource, person: LocalPerson, category: Category) -> list[dict[str, object]]:
    """The same, as they would leave if nothing were taken away."""
    return [one.record.as_fact() for one in findings(source, person, category)]


def broken(source: EducationSource, person: LocalPerson, category: Category) -> list[str]:
    """The field of each broken record."""
    return [one.field for one in source.findings(person, category) if isinstance(one, RecordBroken)]
