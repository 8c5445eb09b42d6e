"""The tables of a POLE database that are read, and nothing else of it: an undeclared column cannot be asked for.

Raw intelligence is not declared and so never leaves the database. Dates come out as text, whatever the database keeps
them as, so that one that is no date breaks its own record only. Refuses to know what the values mean.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Date, Dialect, Integer, MetaData, String, Table, cast, type_coerce
from sqlalchemy.types import TypeDecorator, TypeEngine

METADATA: Final = MetaData()


class WrittenDate(TypeDecorator[str]):
    """A date column: compared as the database keeps dates, read as it is written."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text in SQLite, which has no dates; a real date elsewhere."""
        return dialect.type_descriptor(String() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """A date goes in as the column keeps it."""
        return value.isoformat() if dialect.name == "sqlite" and isinstance(value, date) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """What comes out is text; whether it is a date is for who reads the record."""
        return None if value is None else str(value)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Written by the database: a driver would fail on a date Python has not (`infinity`), and lose the rest."""
        return type_coerce(cast(column, String), self)


def _table(name: str, *columns: str) -> Table:
    """Declare a table; a name with `_on` or `_of_birth` is a date, one that ends in `#` a whole number."""
    return Table(name, METADATA, *(_column(column) for column in columns))


def _column(written: str) -> Column[Any]:
    name = written.rstrip("#")
    if name != written:
        return Column(name, Integer)
    return Column(name, WrittenDate() if name.endswith(("_on", "_of_birth", "missing_from")) else String())


PERSON: Final = _table(
    "person", "person_id", "family_name", "given_names", "date_of_birth", "sex", "ethnicity", "telephone", "created_on"
)
ALIAS: Final = _table("person_alias", "alias_id#", "person_id", "family_name", "given_names", "date_of_birth")
IDENTIFIER: Final = _table("person_identifier", "person_id", "identifier_type", "identifier_value")
LOCATION: Final = _table("location", "location_id", "line_1", "town", "postcode")
ADDRESS: Final = _table("person_address", "person_id", "location_id", "address_type", "from_on", "to_on")
EVENT: Final = _table(
    "event",
    "event_id",
    "reference",
    "event_type",
    "occurred_on",
    "location_id",
    "outcome",
    "domestic_abuse",
    "children_present",
    "summary",
)
ROLE: Final = _table("event_role", "event_id", "person_id", "role")
MARKER: Final = _table("warning_marker", "marker_id#", "person_id", "marker_code", "description", "from_on", "to_on")
NOTICE: Final = _table(
    "vulnerability_notice",
    "notice_id",
    "reference",
    "person_id",
    "about",
    "grade",
    "raised_on",
    "domestic_abuse",
    "summary",
)
MISSING: Final = _table(
    "missing_episode", "episode_id#", "person_id", "missing_from", "found_on", "risk_grade", "return_interview"
)
PROTECTION: Final = _table("protection_power", "power_id#", "person_id", "used_on", "ended_on")
EXPLOITATION: Final = _table(
    "exploitation_flag", "flag_id#", "person_id", "exploitation_type", "level", "flagged_on", "closed_on"
)
CUSTODY: Final = _table("custody_record", "custody_id", "person_id", "arrested_on", "outcome", "bail_conditions")
DISPOSAL: Final = _table("disposal", "disposal_id#", "person_id", "disposed_on", "offence", "disposal", "is_caution")
INTELLIGENCE: Final = _table(
    "intelligence",
    "report_id",
    "person_id",
    "reported_on",
    "source_evaluation",
    "information_assessment",
    "handling_code",
    "handling_conditions",
    "sanitised_text",
    "sanitised_by",
)
ASSESSMENT: Final = _table(
    "da_assessment",
    "assessment_id",
    "event_id",
    "victim_id",
    "suspect_id",
    "assessed_on",
    "dash_score#",
    "dash_grade",
    "marac_on",
    "protective_order",
    "operation_encompass",
)
