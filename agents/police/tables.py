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


def _table(name: str, text: str, *, dates: str = "", numbers: str = "") -> Table:
    """Declare a table by the names of its columns of each kind."""
    kinds: tuple[tuple[str, TypeEngine[Any]], ...] = (
        (text, String()),
        (dates, WrittenDate()),
        (numbers, Integer()),
    )
    return Table(name, METADATA, *(Column(column, kind) for names, kind in kinds for column in names.split()))


PERSON: Final = _table(
    "person", "person_id family_name given_names sex ethnicity telephone", dates="date_of_birth created_on"
)
ALIAS: Final = _table("person_alias", "person_id family_name given_names", dates="date_of_birth", numbers="alias_id")
IDENTIFIER: Final = _table("person_identifier", "person_id identifier_type identifier_value")
LOCATION: Final = _table("location", "location_id line_1 town postcode")
ADDRESS: Final = _table("person_address", "person_id location_id address_type", dates="from_on to_on")
EVENT: Final = _table(
    "event",
    "event_id reference event_type location_id outcome domestic_abuse children_present summary",
    dates="occurred_on",
)
ROLE: Final = _table("event_role", "event_id person_id role")
MARKER: Final = _table(
    "warning_marker", "person_id marker_code description", dates="from_on to_on", numbers="marker_id"
)
NOTICE: Final = _table(
    "vulnerability_notice", "notice_id reference person_id about grade domestic_abuse summary", dates="raised_on"
)
MISSING: Final = _table(
    "missing_episode",
    "person_id risk_grade return_interview",
    dates="missing_from found_on",
    numbers="episode_id",
)
PROTECTION: Final = _table("protection_power", "person_id", dates="used_on ended_on", numbers="power_id")
EXPLOITATION: Final = _table(
    "exploitation_flag", "person_id exploitation_type level", dates="flagged_on closed_on", numbers="flag_id"
)
CUSTODY: Final = _table("custody_record", "custody_id person_id outcome bail_conditions", dates="arrested_on")
DISPOSAL: Final = _table(
    "disposal", "person_id offence disposal is_caution", dates="disposed_on", numbers="disposal_id"
)
INTELLIGENCE: Final = _table(
    "intelligence",
    "report_id person_id source_evaluation information_assessment handling_code handling_conditions"
    " sanitised_text sanitised_by",
    dates="reported_on",
)
ASSESSMENT: Final = _table(
    "da_assessment",
    "assessment_id event_id victim_id suspect_id dash_grade protective_order operation_encompass",
    dates="assessed_on marac_on",
    numbers="dash_score",
)
