"""What the force thinks of a person: exploitation, custody and the Police National Computer, intelligence.

Intelligence is read in its sanitised wording only, and every report of it waits for a person to read it: one without
such a wording is told of by its date and grading, so that the reader knows that there is more (DOMAIN 6.4, R16).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, or_, select

from agents.police import mapping
from agents.police.database import rows
from agents.police.people import birth_dates_of, identifiers_of
from agents.police.reading import Found, Made, Reader, build, finding, one_a_row
from agents.police.row import FieldBroken, Row
from agents.police.tables import CUSTODY, DISPOSAL, EXPLOITATION, IDENTIFIER, INTELLIGENCE, MARKER
from agents.runtime.source import Finding, Label, RecordBroken
from agents.runtime.spent import Sentence, read_disposal, spent
from schemas.identifiers import IdentifierKind
from schemas.records import police
from schemas.records.fields import SEVERAL_MAX
from schemas.vocabulary import Category


def warnings_of(connection: Connection, ref: str, today: date, unsaid: Collection[str]) -> Sequence[Row]:
    """The warning markers in force on a day; one whose end is no date is in force.

    Markers of the codes in `unsaid` protect the person: they are labels, and their words would tell what they guard.
    """
    in_force = or_(MARKER.c.to_on.is_(None), MARKER.c.to_on >= today)
    said = MARKER.c.marker_code.not_in(list(unsaid))
    statement = select(MARKER).where(MARKER.c.person_id == ref, in_force, said).order_by(MARKER.c.marker_id)
    return [Row(values) for values in rows(connection, statement)]


def read_pnc(connection: Connection, ref: str, today: date, unsaid: Collection[str]) -> Found:
    """The person's entry: number, warning signals in force, convictions and cautions.

    A conviction that does not hold is told by itself. More than one fact may carry goes into further ones, and so does
    what is spent: it leaves under rules of its own (R25).
    """
    numbers = rows(connection, select(IDENTIFIER).where(IDENTIFIER.c.person_id == ref))
    ids = sorted(one.value for one in identifiers_of(map(Row, numbers)) if one.kind is IdentifierKind.PNC)
    signals = tuple(warning.line("description") for warning in warnings_of(connection, ref, today, unsaid))[
        :SEVERAL_MAX
    ]
    births = birth_dates_of(connection, ref)
    convictions: list[tuple[police.Conviction, Sequence[Sentence]]] = []
    statement = select(DISPOSAL).where(DISPOSAL.c.person_id == ref).order_by(DISPOSAL.c.disposed_on.desc())
    for values in rows(connection, statement):
        row = Row(values)
        try:
            convictions.append((_conviction(row), _sentences(row, births)))
        except FieldBroken as broken:
            yield RecordBroken(Category.POLICE_CUSTODY_PNC, row.ref("disposal_id"), broken.column)
    are_spent = spent([sentences for _, sentences in convictions], today)
    told = [one for (one, _), is_spent in zip(convictions, are_spent, strict=True) if not is_spent]
    old = [one for (one, _), is_spent in zip(convictions, are_spent, strict=True) if is_spent]
    for first in range(0, max(len(told), bool(ids or signals)), SEVERAL_MAX):
        part = tuple(told[first : first + SEVERAL_MAX])
        yield _entry(f"{ref}/{first}", ids, signals if first == 0 else (), part)
    for first in range(0, len(old), SEVERAL_MAX):
        yield _entry(f"{ref}/spent/{first}", ids, (), tuple(old[first : first + SEVERAL_MAX]), frozenset({Label.SPENT}))


def _entry(
    key: str,
    ids: Sequence[str],
    signals: tuple[str | None, ...],
    part: tuple[police.Conviction, ...],
    labels: frozenset[Label] = frozenset(),
) -> Finding | RecordBroken:
    fields = {"pncId": ids[0] if ids else None, "convictions": part or None, "warning_signals": signals or None}
    days = [date.fromisoformat(one.date) for one in part if one.date is not None]
    latest = max(days, default=None)
    return finding(Category.POLICE_CUSTODY_PNC, key, lambda: Made(build(police.CustodyPnc, fields), latest, labels))


def _sentences(row: Row, births: Sequence[date]) -> Sequence[Sentence]:
    on, text = row.date("disposed_on"), row.line("disposal")
    if on is None or text is None:
        return ()
    is_caution = row.code("is_caution", mapping.YES_NO)
    return read_disposal(text, on=on, is_caution=is_caution is True, births=births)


def _conviction(row: Row) -> police.Conviction:
    fields = {
        "date": row.day("disposed_on"),
        "offence": row.line("offence"),
        "disposal": row.line("disposal"),
        "caution": row.code("is_caution", mapping.YES_NO),
    }
    return build(police.Conviction, fields)


def read_custody_and_pnc(connection: Connection, ref: str, today: date, unsaid: Collection[str]) -> Found:
    """The entry, and every custody record."""
    yield from read_pnc(connection, ref, today, unsaid)
    yield from _read_custody(connection, ref)


def _custody(row: Row) -> Made:
    bail = row.text("bail_conditions")
    fields = {
        "arrestedOn": row.day("arrested_on"),
        "custody_outcome": row.line("outcome"),
        "bail_conditions": (bail,) if bail else None,
    }
    return Made(build(police.CustodyPnc, fields), row.date("arrested_on"))


def _exploitation(row: Row) -> Made:
    fields = {
        "Date": row.day("flagged_on"),
        "RiskType": row.code("exploitation_type", mapping.EXPLOITATION_TYPES),
        "level": row.code("level", mapping.GRADES),
    }
    return Made(build(police.ExploitationRisk, fields), row.date("flagged_on"))


def _intelligence(row: Row) -> Made:
    fields = {
        "date": row.day("reported_on"),
        "source_evaluation": row.code("source_evaluation", mapping.EVALUATIONS),
        "information_assessment": row.code("information_assessment", mapping.ASSESSMENTS),
        "handling_code": row.code("handling_code", mapping.HANDLING),
        "handling_conditions": row.text("handling_conditions"),
        "sanitised_text": row.text("sanitised_text"),
        "sanitised_by": row.line("sanitised_by"),
    }
    return Made(build(police.Intelligence, fields), row.date("reported_on"), frozenset({Label.NEEDS_REVIEW}))


_read_custody: Final[Reader] = one_a_row(
    Category.POLICE_CUSTODY_PNC, "custody_id", lambda ref: select(CUSTODY).where(CUSTODY.c.person_id == ref), _custody
)
read_exploitation: Final[Reader] = one_a_row(
    Category.POLICE_EXPLOITATION_RISK,
    "flag_id",
    lambda ref: select(EXPLOITATION).where(EXPLOITATION.c.person_id == ref),
    _exploitation,
)
read_intelligence: Final[Reader] = one_a_row(
    Category.POLICE_INTELLIGENCE,
    "report_id",
    lambda ref: select(INTELLIGENCE).where(INTELLIGENCE.c.person_id == ref),
    _intelligence,
)
