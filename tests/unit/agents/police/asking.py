"""Short ways to ask a source, and to put people into a force's database."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from agents.police.records import PoliceSource
from agents.runtime.source import Finding, LocalPerson, PersonName, PersonQuery, RecordBroken
from schemas.vocabulary import Category
from tests.contract.records.county_police import alter


def refs(source: PoliceSource, query: PersonQuery) -> list[str]:
    """References of everybody who might be meant."""
    return [person.ref for person in source.people(query)]


def findings(source: PoliceSource, ref: str, category: Category) -> list[Finding]:
    """The findings of a nominal; none of them may be broken."""
    found = list(source.findings(LocalPerson(ref), category))
    whole = [one for one in found if isinstance(one, Finding)]
    assert len(whole) == len(found)
    return whole


def facts(source: PoliceSource, ref: str, category: Category) -> list[dict[str, object]]:
    """The same, as they would leave if nothing were taken away."""
    return [one.record.as_fact() for one in findings(source, ref, category)]


def broken(source: PoliceSource, ref: str, category: Category) -> list[tuple[str, str]]:
    """Reference and field of each broken record."""
    found = source.findings(LocalPerson(ref), category)
    return [(one.local_ref, one.field) for one in found if isinstance(one, RecordBroken)]


def ask(given: str, family: str, born_on: date | None = None) -> PersonQuery:
    """A query by name and date of birth."""
    return PersonQuery((PersonName(given, family),), born_on)


def add_nominal(database: Path, ref: str, given: str | None, family: str, born_on: str | None) -> str:
    """Put one more nominal into the force's database."""
    values = (ref, family, given, born_on, "U", "WBRI", None, "2020-01-01")
    alter(database, "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
    return ref
