"""Labelled people: records of which it is known who each is of. Comma-separated files, one format.

Columns: `person` (whose record it is), `given`, `family`, `born` (ISO 8601 or empty), `sex` (female, male or empty),
`line`, `postcode`, `numbers` (`kind:value` separated by spaces). Refuses to know where the people come from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, TextIO

from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.failures import Rejected
from schemas.identifiers import Identifier, IdentifierInvalid, IdentifierKind, parse_identifier

COLUMNS: Final = ("person", "given", "family", "born", "sex", "line", "postcode", "numbers")


class LabelledMalformed(Rejected):
    """A file of labelled people does not hold; says the line and the column."""

    code = "labelled_malformed"


@dataclass(frozen=True, slots=True)
class LabelledRecord:
    """One record and whose it is."""

    person: str = field(repr=False)
    name: PersonName = field(repr=False)
    born: date | None = field(repr=False, default=None)
    sex: str | None = field(repr=False, default=None)
    address: PersonAddress = field(repr=False, default_factory=PersonAddress)
    numbers: frozenset[Identifier] = field(repr=False, default=frozenset())

    def as_query(self) -> PersonQuery:
        """The record as what a hub asks."""
        return PersonQuery((self.name,), self.born, identifiers=self.numbers, addresses=(self.address,), sex=self.sex)

    def as_person(self, ref: str) -> LocalPerson:
        """The record as what an agency holds."""
        born = (self.born,) if self.born is not None else ()
        return LocalPerson(ref, (self.name,), born, sex=self.sex, identifiers=self.numbers, addresses=(self.address,))


def read_labelled(path: Path) -> list[LabelledRecord]:
    """The records of a file.

    Raises:
        LabelledMalformed: a line does not hold.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise LabelledMalformed(f"{path.name}: the columns are not {', '.join(COLUMNS)}")
        return [record_of(path.name, number, row) for number, row in enumerate(rows, start=2)]


def write_labelled(records: Iterable[LabelledRecord], file: TextIO) -> None:
    """Write a file that `read_labelled` reads."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(COLUMNS)
    for one in records:
        born = one.born.isoformat() if one.born is not None else ""
        numbers = " ".join(sorted(f"{number.kind.value}:{number.value}" for number in one.numbers))
        where = one.address.line or "", one.address.postcode or ""
        out.writerow((one.person, one.name.given, one.name.family, born, one.sex or "", *where, numbers))


def record_of(name: str, line: int, row: Mapping[str, str]) -> LabelledRecord:
    """The record of a line by its columns.

    Raises:
        LabelledMalformed: the line does not hold.
    """
    try:
        return LabelledRecord(
            person=row["person"],
            name=PersonName(row["given"], row["family"]),
            born=date.fromisoformat(row["born"]) if row["born"] else None,
            sex=row["sex"] or None,
            address=PersonAddress(row["line"] or None, row["postcode"] or None),
            numbers=frozenset(_numbers(row["numbers"])),
        )
    except (ValueError, IdentifierInvalid, TypeError):
        raise LabelledMalformed(f"{name}, line {line}: a date or a number does not hold") from None


def _numbers(text: str) -> Iterator[Identifier]:
    for one in text.split():
        kind, _, value = one.partition(":")
        yield parse_identifier(IdentifierKind(kind), value)
