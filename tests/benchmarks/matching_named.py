"""Who is not even looked at: pairs of one person that the scorer would tell, and that a source does not name.

Labelled people that nothing was learnt from, all of them held. Identifiers are left out of the questions and of what is
held: with one, everybody is named. Two sources: the index that health, education and probation share, and a force's
database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import create_engine

from agents.police.search import search
from agents.runtime.exports.people import PeopleIndex
from agents.runtime.matching.deciding import weigh
from agents.runtime.matching.guards import Verdict
from agents.runtime.matching.scoring import describe_person, describe_query
from agents.runtime.matching.weights import Weights, shipped_weights
from agents.runtime.source import PersonQuery
from agents.training.labelled import LabelledRecord
from tests.benchmarks.tables import Table
from tests.support.labelled.__main__ import judged

PAIRS: Final = 300
"""Pairs of each set that are looked up."""
Search = Callable[[PersonQuery], Sequence[str]]


def measure_named() -> Table:
    """The missed share of each set, by each source."""
    table = Table(
        "Looked up without an identifier: per cent of those the scorer would tell that a source does not name",
        ("set", "pairs of one", "the shared index", "a force's database"),
    )
    for name, records in judged():
        plain = [replace(one, numbers=frozenset()) for one in records]
        pairs = _told(plain)[:PAIRS]
        held = {str(at): one for at, one in enumerate(plain)}
        with closing(sqlite3.connect(":memory:")) as database:
            shared = _missed(pairs, plain, _shared_index(database, held))
        with TemporaryDirectory() as folder:
            police = _missed(pairs, plain, _police_database(Path(folder) / "force.sqlite3", held))
        table.add(name, len(pairs), shared, police)
    return table


def _told(records: Sequence[LabelledRecord]) -> list[tuple[int, int]]:
    """Pairs of one person, asked and held, that the scorer does not call two."""
    weights = shipped_weights()
    whose: dict[str, list[int]] = {}
    for at, one in enumerate(records):
        whose.setdefault(one.person, []).append(at)
    return [
        (one, other)
        for theirs in whose.values()
        for one, other in pairwise(theirs)
        if _verdict(records[one], records[other], weights) is not Verdict.NO
    ]


def _verdict(asked: LabelledRecord, held: LabelledRecord, weights: Weights) -> Verdict:
    return weigh(describe_query(asked.as_query()), describe_person(held.as_person("")), "", weights).verdict


def _missed(pairs: Sequence[tuple[int, int]], records: Sequence[LabelledRecord], search_: Search) -> float:
    missed = sum(str(other) not in search_(records[one].as_query()) for one, other in pairs)
    return 100 * missed / len(pairs)


def _shared_index(database: sqlite3.Connection, held: Mapping[str, LabelledRecord]) -> Search:
    index = PeopleIndex(database)
    for ref, one in held.items():
        index.add(one.as_person(ref))
    index.finish()
    return index.search


def _police_database(path: Path, held: Mapping[str, LabelledRecord]) -> Search:
    schema = (resources.files("broker.demo.county") / "schema.sql").read_text("utf-8")
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(schema)
        for ref, one in held.items():
            born = None if one.born is None else one.born.isoformat()
            row = (ref, one.name.family, one.name.given, born, "U", None, None, "2020-01-01")
            database.execute("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            place = (ref, one.address.line or "", "", one.address.postcode)
            database.execute("INSERT INTO location VALUES (?, ?, ?, ?)", place)
            database.execute("INSERT INTO person_address VALUES (?, ?, 'home', NULL, NULL)", (ref, ref))
    connection = create_engine(f"sqlite:///{path}").connect()
    return lambda query: search(connection, query)
