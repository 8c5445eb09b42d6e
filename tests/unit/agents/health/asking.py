"""Short ways to ask a health source."""

from __future__ import annotations

from collections.abc import Sequence

from agents.health.records import HealthSource
from agents.runtime.matching.deciding import Matched, find_match
from agents.runtime.source import Finding, LocalPerson, PersonQuery, RecordBroken
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.vocabulary import Category
from tests.contract.records.county_health import county, query_for


def the_person(source: HealthSource, case: str) -> LocalPerson:
    """The one patient that a hard case matches, asked for as a hub that knows them well would."""
    person = county().case(case)
    (found,) = matched(source, query_for(person, person.nhs_number))
    return found


def matched(source: HealthSource, query: PersonQuery) -> Sequence[LocalPerson]:
    """Who matches."""
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    return match.people


def by_number(number: str | None) -> PersonQuery:
    """A query by NHS number alone."""
    assert number is not None
    return PersonQuery(identifiers=frozenset({parse_identifier(IdentifierKind.NHS_NUMBER, number)}))


def findings(source: HealthSource, person: LocalPerson, category: Category) -> list[Finding]:
    """The findings of a category; none of them may be broken."""
    found = list(source.findings(person, category))
    whole = [one for one in found if isinstance(one, Finding)]
    assert len(whole) == len(found)
    return whole


def facts(source: HealthSource, person: LocalPerson, category: Category) -> list[dict[str, object]]:
    """The same, as they would leave if nothing were taken away."""
    return [one.record.as_fact() for one in findings(source, person, category)]


def broken(source: HealthSource, person: LocalPerson, category: Category) -> list[tuple[str, str]]:
    """Reference and field of each broken record."""
    return [(one.local_ref, one.field) for one in source.findings(person, category) if isinstance(one, RecordBroken)]
