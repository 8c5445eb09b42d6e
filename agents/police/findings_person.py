"""Who the force thinks a person is, where they live, and that the force knows them.

Refuses to know what happened to them; that is the other two modules of findings.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from agents.police import mapping
from agents.police.database import rows
from agents.police.people import addresses_of, identifiers_of, name_of
from agents.police.reading import Found, Made, Reader, build, finding, one_a_row
from agents.police.row import Row
from agents.police.tables import ALIAS, IDENTIFIER, PERSON
from agents.runtime.source import Label
from schemas.identifiers import IdentifierKind
from schemas.records import person
from schemas.vocabulary import Category

SEVERAL_MAX: Final = 50


def read_identity(connection: Connection, ref: str) -> Found:
    """The nominal itself. The postcode is left out where it is of an address that must not be told."""
    for values in rows(connection, select(PERSON).where(PERSON.c.person_id == ref)):
        row = Row(values)
        aliases = [Row(one) for one in rows(connection, select(ALIAS).where(ALIAS.c.person_id == ref))]
        numbers = [Row(one) for one in rows(connection, select(IDENTIFIER).where(IDENTIFIER.c.person_id == ref))]
        addresses = [Row(one) for one in rows(connection, addresses_of([ref]))]
        yield finding(Category.PERSON_IDENTITY, ref, lambda: _identity(row, aliases, numbers, addresses))  # noqa: B023 - called at once


def _identity(row: Row, aliases: list[Row], numbers: list[Row], addresses: list[Row]) -> Made:
    name = name_of(row)
    nhs = sorted(one.value for one in identifiers_of(numbers) if one.kind is IdentifierKind.NHS_NUMBER)
    other = dict.fromkeys(name_of(one).family for one in aliases)
    homes = [one for one in addresses if one.text("address_type") == "home" and one.text("to_on") is None]
    postcode = homes[0].line("postcode") if homes else None
    fields = {
        "nhs_number": nhs[0] if nhs else None,
        "given": name.given or None,
        "family": name.family or None,
        "former_family": tuple(family for family in other if family not in ("", name.family))[:SEVERAL_MAX] or None,
        "birthdate": row.day("date_of_birth"),
        "gender": row.code("sex", mapping.GENDERS),
        "phone": row.line("telephone"),
        "postcode": postcode.upper() if postcode else None,
        "Ethnicity": row.line("ethnicity"),
    }
    return Made(build(person.Identity, fields))


def _address(row: Row) -> Made:
    fields = {
        "Line1": row.line("line_1"),
        "TownOrCity": row.line("town"),
        "Postcode": (row.line("postcode") or "").upper() or None,
        "startDate": row.day("from_on"),
        "endDate": row.day("to_on"),
        "type": row.code("address_type", mapping.ADDRESS_TYPES),
    }
    is_safe = row.text("address_type") == mapping.SAFE
    labels = frozenset({Label.REFUGE}) if is_safe else frozenset[Label]()
    return Made(build(person.Address, fields), row.date("from_on"), labels)


read_addresses: Final[Reader] = one_a_row(
    Category.PERSON_ADDRESS, "location_id", lambda ref: addresses_of([ref]), _address
)
