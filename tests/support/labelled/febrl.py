"""FEBRL's four labelled sets of people, synthetic, from Australian tables of names.

Made with the generator of Febrl (Christen, *Febrl: a freely available record linkage system*, 2008), distributed with
the Python Record Linkage Toolkit 0.16 (J. de Bruin, BSD-3-Clause; `febrl/LICENSE`). Kept here are the columns that are
compared: the fifth, the social security number, is no identifier of ours and would make it easy.
"""

from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path
from typing import Final

from agents.runtime.source import PersonAddress, PersonName
from agents.training.labelled import LabelledRecord

FEBRL: Final = ("1", "2", "3", "4a", "4b")
"""The sets; 4 is in two halves, one record of each person in either."""
_FOLDER: Final = Path(__file__).with_name("febrl")


def read_febrl(name: str) -> list[LabelledRecord]:
    """The records of a set, in its order."""
    with gzip.open(_FOLDER / f"dataset{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [_record(row) for row in csv.DictReader(file)]


def _record(row: dict[str, str]) -> LabelledRecord:
    line = f"{row['street_number']} {row['address_1']}".strip()
    return LabelledRecord(
        person=row["rec_id"].split("-")[1],
        name=PersonName(row["given_name"], row["surname"]),
        born=_day(row["date_of_birth"]),
        address=PersonAddress(line or None),
    )


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
