"""Short ways to ask a source, and a person to be put into an export."""

from __future__ import annotations

from datetime import date
from typing import Any

from agents.probation.records import ProbationSource
from agents.runtime.source import Finding, LocalPerson, PersonName, PersonQuery, RecordBroken
from schemas.vocabulary import Category


def findings(source: ProbationSource, crn: str, category: Category) -> list[Finding]:
    """The findings of a person; none of them may be broken."""
    found = list(source.findings(LocalPerson(crn), category))
    whole = [one for one in found if isinstance(one, Finding)]
    assert len(whole) == len(found)
    return whole


def facts(source: ProbationSource, crn: str, category: Category) -> list[dict[str, Any]]:
    """The same, as they would leave if nothing were taken away."""
    return [one.record.as_fact() for one in findings(source, crn, category)]


def broken(source: ProbationSource, crn: str, category: Category) -> list[tuple[str, str]]:
    """Reference and field of each broken record."""
    found = source.findings(LocalPerson(crn), category)
    return [(one.local_ref, one.field) for one in found if isinstance(one, RecordBroken)]


def ask(given: str, family: str, born_on: date | None = None) -> PersonQuery:
    """A query by name and date of birth."""
    return PersonQuery((PersonName(given, family),), born_on)


def entry(given: str, family: str, born_on: str | None, **changed: Any) -> dict[str, Any]:
    """A person as an export has them."""
    return {
        "firstName": given,
        "lastName": family,
        "dateOfBirth": born_on,
        "gender": "Female",
        "currentRestriction": False,
        "currentExclusion": False,
        **changed,
    }
