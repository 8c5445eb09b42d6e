"""The weights file: strict, whole, and named by its digest; dates and places compared; every guard only lowers."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.matching.dates import compare_births, day_number, may_be_misread, misread_days
from agents.runtime.matching.guards import GUARDS, Verdict
from agents.runtime.matching.levels import Birth, Place
from agents.runtime.matching.places import compare_places, fold_place
from agents.runtime.matching.weights import WEIGHTS_PATH, WeightsBroken, read_weights, shipped_weights
from agents.runtime.source import PersonAddress


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(WEIGHTS_PATH.read_bytes()), **members}).encode()


def test_the_digest_is_of_the_file_byte_for_byte() -> None:
    assert shipped_weights().digest == hashlib.sha256(WEIGHTS_PATH.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("raw", "member"),
    [
        (b"", "file"),
        (changed(version=2), "version"),
        (changed(prior=0.0), "prior"),
        (changed(prior="0.1"), "prior"),
        (changed(possible_from=0.9999), "possible_from"),
        (changed(fields={}), "fields"),
        (changed(more=1), "more"),
    ],
)
def test_a_file_that_does_not_hold_is_refused_by_its_member(raw: bytes, member: str) -> None:
    with pytest.raises(WeightsBroken, match=member):
        read_weights(raw)


def test_a_level_that_is_missing_stops_the_start() -> None:
    fields = json.loads(WEIGHTS_PATH.read_bytes())["fields"]
    del fields["given"]["nickname"]
    with pytest.raises(WeightsBroken, match="given"):
        read_weights(changed(fields=fields))


@pytest.mark.parametrize(
    ("other", "level"),
    [
        (date(2014, 4, 9), Birth.SAME),
        (date(2014, 9, 4), Birth.SWAPPED),
        (date(2014, 4, 8), Birth.DIGIT),
        (date(2041, 4, 9), Birth.DIGIT),
        (date(2014, 4, 27), Birth.NEAR),
        (date(1987, 4, 9), Birth.NEAR),
        (date(1987, 5, 9), Birth.OTHER),
    ],
)
def test_dates_of_birth_agree_on_the_nearest_level(other: date, level: Birth) -> None:
    assert compare_births(date(2014, 4, 9), other) is level


@given(st.dates(date(1930, 1, 1), date(2030, 12, 31)), st.dates(date(1930, 1, 1), date(2030, 12, 31)))
def test_whatever_may_be_misread_is_looked_for(asked: date, held: date) -> None:
    if may_be_misread(asked, held):
        number, misread = day_number(held), misread_days(asked)
        of_year = misread.first_of_year <= number <= misread.last_of_year
        in_year = number // 100 == misread.month or number % 100 == misread.day
        in_year = in_year or number in (misread.swapped, misread.over_month)
        assert (of_year and in_year) or number % 10_000 == misread.day_of_year or number == misread.over_year


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        (("12 Larch Lane", "ZZ1 1AA"), ("12, Larch Ln", "zz11aa"), Place.SAME),
        (("12 Larch Lane", "ZZ1 1AA"), ("12 Larch Lane", "ZZ1 2BB"), Place.SAME),
        (("14 Larch Lane", "ZZ1 1AA"), ("12 Larch Lane", "ZZ1 1AA"), Place.POSTCODE),
        (("12 Larch Lane", None), ("12 Larch Lane", "ZZ1 1AA"), Place.LINE),
        (("14 Heron Road", "ZZ1 1AA"), ("12 Larch Lane", "ZZ1 2BB"), Place.DISTRICT),
        (("14 Heron Road", "ZZ1 1AA"), ("12 Larch Lane", "ZZ2 2BB"), Place.OTHER),
        ((None, None), ("12 Larch Lane", "ZZ2 2BB"), None),
    ],
)
def test_addresses_agree_on_the_nearest_level(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None], level: Place | None
) -> None:
    first, second = fold_place(PersonAddress(*one)), fold_place(PersonAddress(*other))
    assert compare_places(first, second) is level
    assert compare_places(second, first) is level


def test_no_guard_makes_a_match_surer() -> None:
    assert all(guard.leaves < Verdict.YES for guard in GUARDS)
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
