"""What happened: incidents and a person's part in them, domestic abuse, vulnerability notices, being missing.

Others in an event are named in fields marked as third parties'. An event at an address that must not be told carries
the label of a refuge, whoever's record it stands in: a suspect's record would otherwise lead to the victim.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, exists, or_, select

from agents.police import mapping
from agents.police.database import rows
from agents.police.people import name_of
from agents.police.reading import Found, Made, Reader, Statement, build, finding, one_a_row
from agents.police.row import FieldBroken, Row
from agents.police.tables import ADDRESS, ASSESSMENT, EVENT, LOCATION, MISSING, NOTICE, PERSON, PROTECTION, ROLE
from agents.runtime.source import MAX_FINDINGS, Label
from schemas.records import police
from schemas.records.fields import SEVERAL_MAX
from schemas.vocabulary import Category

ADULT_YEARS: Final = 18


def read_incidents(connection: Connection, ref: str) -> Found:
    """Each part in each event."""
    others = _others(connection, select(ROLE.c.event_id).where(ROLE.c.person_id == ref), ref)
    for values in rows(connection, _parts(ref).limit(MAX_FINDINGS + 1)):
        row = Row(values)
        key = f"{row.ref('event_id')}/{row.ref('role')}"
        yield finding(
            Category.POLICE_INCIDENT,
            key,
            lambda row=row: _incident(row, others.get(row.ref("event_id"), ())),  # type: ignore[misc]
        )


def read_domestic_abuse(connection: Connection, ref: str) -> Found:
    """Each assessment in which the person is the victim or the suspect."""
    mine = or_(ASSESSMENT.c.victim_id == ref, ASSESSMENT.c.suspect_id == ref)
    others = _others(connection, select(ASSESSMENT.c.event_id).where(mine), ref)
    statement = select(ASSESSMENT).where(mine).order_by(ASSESSMENT.c.assessed_on.desc())
    for values in rows(connection, statement.limit(MAX_FINDINGS + 1)):
        row = Row(values)
        yield finding(
            Category.POLICE_DA,
            row.ref("assessment_id"),
            lambda row=row: _assessment(row, ref, others.get(row.ref("event_id"), ())),  # type: ignore[misc]
        )


def _parts(ref: str) -> Statement:
    at_safe = exists().where(ADDRESS.c.location_id == EVENT.c.location_id, ADDRESS.c.address_type == mapping.SAFE)
    return (
        select(EVENT, ROLE.c.role, LOCATION.c.line_1, LOCATION.c.town, LOCATION.c.postcode, at_safe.label("at_safe"))
        .join(ROLE, ROLE.c.event_id == EVENT.c.event_id)
        .outerjoin(LOCATION, LOCATION.c.location_id == EVENT.c.location_id)
        .where(ROLE.c.person_id == ref)
        .order_by(EVENT.c.occurred_on.desc())
    )


def _others(connection: Connection, events: Statement, ref: str) -> Mapping[str, Sequence[Row]]:
    """The others of events, by event."""
    statement = (
        select(ROLE.c.event_id, ROLE.c.role, PERSON.c.family_name, PERSON.c.given_names, PERSON.c.date_of_birth)
        .join(PERSON, PERSON.c.person_id == ROLE.c.person_id)
        .where(ROLE.c.event_id.in_(events), ROLE.c.person_id != ref)
        .order_by(ROLE.c.event_id, ROLE.c.role, PERSON.c.person_id)
    )
    grouped: dict[str, list[Row]] = defaultdict(list)
    for values in rows(connection, statement):
        row = Row(values)
        grouped[row.ref("event_id")].append(row)
    return grouped


def _incident(row: Row, others: Sequence[Row]) -> Made:
    places = (row.line(column) for column in ("line_1", "town", "postcode"))
    named = tuple(f"{_name(other)}, {other.line('role')}" for other in others)
    fields = {
        "crime_ref": row.line("reference"),
        "date": row.day("occurred_on"),
        "type": row.line("event_type"),
        "role": row.code("role", mapping.ROLES),
        "outcome": row.line("outcome"),
        "location": ", ".join(place for place in places if place) or None,
        "domestic_abuse": row.code("domestic_abuse", mapping.YES_NO),
        "children_present": row.code("children_present", mapping.YES_NO),
        "others_involved": named[:SEVERAL_MAX] or None,
        "summary_text": row.text("summary"),
    }
    labels = frozenset({Label.REFUGE}) if row.values["at_safe"] else frozenset[Label]()
    return Made(build(police.Incident, fields), row.date("occurred_on"), labels)


def _assessment(row: Row, ref: str, others: Sequence[Row]) -> Made:
    on = row.date("assessed_on")
    order = row.code("protective_order", mapping.ORDERS)
    children = tuple(_name(other) for other in others if _is_child(other, on))
    is_victim = row.ref("victim_id") == ref
    fields = {
        "date": row.day("assessed_on"),
        "dash_score": row.number("dash_score"),
        "dash_grade": row.code("dash_grade", mapping.DASH_GRADES),
        "role": police.EventRole.VICTIM if is_victim else police.EventRole.SUSPECT,
        "marac_on": row.day("marac_on"),
        "orders": None if order is None else (order,),
        "operation_encompass": row.code("operation_encompass", mapping.YES_NO),
        "children": children[:SEVERAL_MAX] or None,
    }
    return Made(build(police.DomesticAbuse, fields), on)


def _is_child(row: Row, on: date | None) -> bool:
    try:
        born_on = row.date("date_of_birth")
    except FieldBroken:  # another person's record, which says so itself
        return False
    if born_on is None or on is None:
        return False
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day)) < ADULT_YEARS


def _name(row: Row) -> str:
    name = name_of(row)
    return f"{name.given} {name.family}".strip()


def _notice(row: Row) -> Made:
    fields = {
        "ref": row.line("reference"),
        "date": row.day("raised_on"),
        "grade": row.code("grade", mapping.GRADES),
        "about": row.code("about", mapping.NOTICE_SUBJECTS),
        "domestic_abuse": row.code("domestic_abuse", mapping.YES_NO),
        "summary_text": row.text("summary"),
    }
    return Made(build(police.Notice, fields), row.date("raised_on"))


def _missing(row: Row) -> Made:
    fields = {
        "Date": row.day("missing_from"),
        "ReturnedOn": row.day("found_on"),
        "RiskGrade": row.code("risk_grade", mapping.GRADES),
        "ReturnedHomeInterviewAttended": row.code("return_interview", mapping.YES_NO),
    }
    return Made(build(police.Missing, fields), row.date("missing_from"))


def _protection(row: Row) -> Made:
    fields = {"LastPoliceProtectionPowerEvent": row.day("used_on"), "endedOn": row.day("ended_on")}
    return Made(build(police.ProtectionPower, fields), row.date("used_on"))


read_notices: Final[Reader] = one_a_row(
    Category.POLICE_NOTICE, "notice_id", lambda ref: select(NOTICE).where(NOTICE.c.person_id == ref), _notice
)
read_missing: Final[Reader] = one_a_row(
    Category.POLICE_MISSING, "episode_id", lambda ref: select(MISSING).where(MISSING.c.person_id == ref), _missing
)
read_protection: Final[Reader] = one_a_row(
    Category.POLICE_PROTECTION,
    "power_id",
    lambda ref: select(PROTECTION).where(PROTECTION.c.person_id == ref),
    _protection,
)
