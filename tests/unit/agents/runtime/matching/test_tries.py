"""How often one officer may describe one person: guesses run out, repeats and other officers do not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from typing import cast

import pytest

from agents.runtime.gatekeeping.outcomes import Looked
from agents.runtime.looking.look import cap_tries
from agents.runtime.matching.deciding import CONFIRM_PERSON, Match, Matched, Nobody, Possible
from agents.runtime.matching.tries import KEPT_FOR, MAX_DESCRIPTIONS, MAX_DOUBTS, Tries
from agents.runtime.migrations import __path__ as migrations
from agents.runtime.source import LocalPerson, PersonName, PersonQuery
from broker.node.store import Transaction
from schemas.messages.request import NameGiven, OfficerNamed, Subject, SubjectRef, Told
from schemas.vocabulary import AgencyReason, Stage, SubjectRole

BORN = date(2010, 1, 1)
KEPT_MS = int(KEPT_FOR.total_seconds() * 1000)


@pytest.fixture
def tx() -> Iterator[Transaction]:
    database = sqlite3.connect(":memory:")
    with open(f"{migrations[0]}/003_tried_people.sql", encoding="utf-8") as script:
        database.executescript(script.read())
    yield cast(Transaction, database)
    database.close()


def guess(number: int, family: str = "Chislett") -> PersonQuery:
    return PersonQuery((PersonName("Octavia", family),), BORN + timedelta(days=number))


def told(number: int) -> Told:
    name = NameGiven(given="Octavia", family="Chislett")
    born = (BORN + timedelta(days=number)).isoformat()
    subject = Subject(ref="0" * 32, role=SubjectRole.INDEX_CHILD, name=name, other_names=[], birth_date=born,
                      identifiers=[], addresses=[])  # fmt: skip
    officer = OfficerNamed(id="o", name="O", position="p")
    return Told(subjects=[subject], officer=officer, stage=Stage.ENQUIRY, reason="r")


def capped(tx: Transaction, number: int, match: Match, *, officer: str = "ann") -> Looked:
    looked = Looked(SubjectRef(ref="0" * 32, role=SubjectRole.INDEX_CHILD), match)
    return cap_tries(Tries.of(tx, officer, 1), told(number), [looked])[0]


def test_guesses_of_one_name_run_out_and_repeats_do_not(tx: Transaction) -> None:
    tries = Tries.of(tx, "ann", 1)
    assert all(tries.may_describe(guess(number)) for number in range(MAX_DESCRIPTIONS))
    assert not tries.may_describe(guess(MAX_DESCRIPTIONS))
    assert tries.may_describe(guess(3))


def test_another_officer_and_another_name_are_counted_by_themselves(tx: Transaction) -> None:
    tries = Tries.of(tx, "ann", 1)
    for number in range(MAX_DESCRIPTIONS + 1):
        tries.may_describe(guess(number))
    assert Tries.of(tx, "bob", 1).may_describe(guess(MAX_DESCRIPTIONS))
    assert tries.may_describe(guess(0, "Oldroyd"))


def test_a_name_written_otherwise_is_the_same_name(tx: Transaction) -> None:
    tries = Tries.of(tx, "ann", 1)
    for number in range(MAX_DESCRIPTIONS):
        tries.may_describe(guess(number))
    assert not tries.may_describe(PersonQuery((PersonName("OCTÁVIA May", "chis-lett"),), BORN))


def test_tries_are_forgotten_after_thirty_days(tx: Transaction) -> None:
    for number in range(MAX_DESCRIPTIONS):
        Tries.of(tx, "ann", 1).may_describe(guess(number))
    assert not Tries.of(tx, "ann", KEPT_MS).may_describe(guess(99))
    assert Tries.of(tx, "ann", 1 + KEPT_MS).may_describe(guess(99))


@pytest.mark.parametrize(
    "match", [Matched((LocalPerson("p"),)), Possible(CONFIRM_PERSON, (LocalPerson("p"),)), Nobody()]
)
def test_beyond_the_cap_nothing_tells_whether_somebody_is_held(tx: Transaction, match: Match) -> None:
    for number in range(MAX_DESCRIPTIONS):
        capped(tx, number, Nobody())
    said = capped(tx, MAX_DESCRIPTIONS, match)
    assert said.match is None
    assert said.failed is not None
    assert (said.failed.reason, said.failed.may_return) == (AgencyReason.TOO_MANY_TRIES, False)


def test_after_many_doubts_about_a_record_a_match_of_it_is_only_possible(tx: Transaction) -> None:
    person = LocalPerson("p")
    assert isinstance(capped(tx, 50, Matched((person,))).match, Matched)
    for number in range(MAX_DOUBTS):
        capped(tx, number, Possible(CONFIRM_PERSON, (person,)))
    said = capped(tx, 51, Matched((person,)))
    assert said.match == Possible(CONFIRM_PERSON, (person,), is_capped=True)
    assert isinstance(capped(tx, 51, Matched((LocalPerson("q"),))).match, Matched)
    assert isinstance(capped(tx, 51, Matched((person,)), officer="bob").match, Matched)


def test_no_name_of_anybody_lies_in_what_is_kept(tx: Transaction) -> None:
    Tries.of(tx, "ann", 1).may_describe(guess(1))
    kept = b"".join(bytes(value) for row in tx.execute("SELECT about, description FROM tried") for value in row)
    assert b"ctavia" not in kept
    assert b"hislett" not in kept
