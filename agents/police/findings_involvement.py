"""That the force knows a person at all: since when, until when, whether it works on something, whom to ring.

A nominal that exists is known to the police, if by nothing else. Refuses to know what happened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, Table, select

from agents.police import mapping
from agents.police.config import DutyContact
from agents.police.database import rows
from agents.police.findings_risk import warnings_of
from agents.police.reading import Found, Made, build, finding
from agents.police.row import FieldBroken, Row
from agents.police.tables import (
    ASSESSMENT,
    CUSTODY,
    DISPOSAL,
    EVENT,
    EXPLOITATION,
    IDENTIFIER,
    MISSING,
    NOTICE,
    PERSON,
    PROTECTION,
    ROLE,
)
from agents.runtime.source import RecordBroken
from schemas.records import person, police
from schemas.vocabulary import Category

_DATED: Final[tuple[tuple[Table, str], ...]] = (
    (CUSTODY, "arrested_on"),
    (DISPOSAL, "disposed_on"),
    (EXPLOITATION, "flagged_on"),
    (MISSING, "missing_from"),
    (NOTICE, "raised_on"),
    (PROTECTION, "used_on"),
)
"""Intelligence is not among them: the day of a report that nobody has read would tell that there is one."""
_OPEN_UNTIL: Final[tuple[tuple[Table, str], ...]] = ((EXPLOITATION, "closed_on"), (MISSING, "found_on"))
"""What goes on while it has no end."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """The days the force had to do with a person."""

    first: date | None
    last: date | None
    has_broken: bool


def read_involvement(connection: Connection, ref: str, today: date, unsaid: Collection[str]) -> Found:
    """Which services know the person, and the warnings in force."""
    category = Category.POLICE_INVOLVEMENT
    contacts = _contacts(connection, ref)
    if contacts.has_broken:
        yield RecordBroken(category, ref, "lastContactOn")
    numbers = rows(connection, select(IDENTIFIER.c.identifier_type).where(IDENTIFIER.c.person_id == ref))
    known = (mapping.SERVICES.get(str(row["identifier_type"])) for row in numbers)
    warnings = [warning.text("description") for warning in warnings_of(connection, ref, today, unsaid)]
    fields = {
        "ServicesKnownTo": (mapping.POLICE, *sorted({service for service in known if service})),
        "PoliceMarkerDetails": "\n".join(text for text in warnings if text) or None,
        "lastContactOn": None if contacts.last is None else contacts.last.isoformat(),
    }
    yield finding(category, ref, lambda: Made(build(police.Involvement, fields), contacts.last))


def read_agency_involvement(
    connection: Connection, ref: str, open_outcomes: Collection[str], duty: DutyContact | None
) -> Found:
    """Open while the force works on something about the person."""
    category = Category.AGENCY_INVOLVEMENT
    contacts = _contacts(connection, ref)
    if contacts.has_broken:
        yield RecordBroken(category, ref, "start")
    is_open = _is_open(connection, ref, open_outcomes)
    status = person.InvolvementStatus.OPEN if is_open else person.InvolvementStatus.CLOSED
    contact = None if duty is None else person.DutyContact(**duty.model_dump())
    fields = {
        "status": status,
        "start": None if contacts.first is None else contacts.first.isoformat(),
        "end": None if is_open or contacts.last is None else contacts.last.isoformat(),
        "DutyContactDetails": None if contact is None else (contact,),
    }
    yield finding(category, ref, lambda: Made(build(person.Involvement, fields), contacts.last))


def _is_open(connection: Connection, ref: str, open_outcomes: Collection[str]) -> bool:
    going_on: list[Select[str]] = [
        select(table.c.person_id).where(table.c.person_id == ref, table.c[end].is_(None)) for table, end in _OPEN_UNTIL
    ]
    worked_on = (
        select(ROLE.c.person_id)
        .join(EVENT, EVENT.c.event_id == ROLE.c.event_id)
        .where(ROLE.c.person_id == ref, EVENT.c.outcome.in_(open_outcomes))
    )
    return any(connection.scalar(statement.limit(1)) is not None for statement in (*going_on, worked_on))


def _contacts(connection: Connection, ref: str) -> Contacts:
    days: list[date] = []
    has_broken = False
    for row, column in _dated_rows(connection, ref):
        try:
            day = row.date(column)
        except FieldBroken:
            has_broken = True
            continue
        if day is not None:
            days.append(day)
    return Contacts(min(days, default=None), max(days, default=None), has_broken)


def _dated_rows(connection: Connection, ref: str) -> Iterator[tuple[Row, str]]:
    def dated(table: Table, column: str, where: ColumnElement[bool]) -> Iterator[tuple[Row, str]]:
        for values in rows(connection, select(table.c[column]).where(where)):
            yield Row(values), column

    events = select(ROLE.c.event_id).where(ROLE.c.person_id == ref)
    yield from dated(EVENT, "occurred_on", EVENT.c.event_id.in_(events))
    yield from dated(PERSON, "created_on", PERSON.c.person_id == ref)
    yield from dated(ASSESSMENT, "assessed_on", (ASSESSMENT.c.victim_id == ref) | (ASSESSMENT.c.suspect_id == ref))
    for table, column in _DATED:
        yield from dated(table, column, table.c.person_id == ref)
