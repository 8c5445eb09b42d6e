"""What the police hold, and `write_police`: a SQLite database in POLE shape, made by `schema.sql`.

The shape, for whoever reads it: `person` is a *nominal*, not a person. One human may be several nominals (the case
`duplicate_person` is three, spelled differently, one without a date of birth); a nominal may carry aliases, a date of
birth with day and month swapped, an old address, a nickname, or no first name. Parts in events are in `event_role`;
notices, markers, missing episodes, police protection, exploitation flags, custody, disposals, intelligence and domestic
abuse assessments each hang on a nominal. `intelligence.raw_text` must never leave; `sanitised_text` may be null.
`person_address.address_type` is `safe` where the address must not be told. Most of the county is not here at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias

from broker.demo.county.model import County, PersonId
from broker.demo.county.police_cases import add_cases
from broker.demo.county.police_draws import add_everyone
from broker.demo.county.police_rows import Row, Rows

DATABASE_NAME: Final = "police.sqlite3"
NominalId: TypeAlias = str


@dataclass(frozen=True, slots=True)
class PoliceHoldings:
    """The force's tables, and, known to nobody but a test, which person each nominal really is."""

    tables: Mapping[str, tuple[Row, ...]]
    nominals: Mapping[NominalId, PersonId]


def police_holdings(county: County) -> PoliceHoldings:
    """Return what the police hold about a county: the same for the same county."""
    rows = Rows(county)
    add_cases(rows)
    add_everyone(rows)
    return PoliceHoldings({name: tuple(found) for name, found in rows.tables.items()}, dict(rows.nominals))


def write_police(county: County, path: Path) -> None:
    """Write the force's database into the folder `path`, which is made if it is not there.

    Raises:
        FileExistsError: the folder holds such a database already.
    """
    path.mkdir(parents=True, exist_ok=True)
    database = path / DATABASE_NAME
    if database.exists():
        raise FileExistsError(DATABASE_NAME)
    schema = files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(schema)
        for table, found in police_holdings(county).tables.items():
            if found:
                places = ", ".join("?" * len(found[0]))
                # The table's name is one of `Rows.tables`, never from outside.
                connection.executemany(f"INSERT INTO {table} VALUES ({places})", found)  # noqa: S608
