"""No two people are taken for one on labelled people that nothing was learnt from, and most of one person are found."""

from __future__ import annotations

import pytest

from agents.runtime.matching.guards import Verdict
from agents.training.labelled import LabelledRecord
from tests.benchmarks.matching import verdicts_of
from tests.support.labelled.drawn import draw_county
from tests.support.labelled.febrl import read_febrl


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (sum(draw_county(21, 1_000), list[LabelledRecord]()), 0.85),
        (sum(draw_county(22, 1_000, common_names=True), list[LabelledRecord]()), 0.85),
        (read_febrl("1"), 0.6),
    ],
    ids=["county", "country", "febrl-1"],
)
def test_no_two_people_are_taken_for_one(records: list[LabelledRecord], found: float) -> None:
    verdicts = verdicts_of(records)
    assert verdicts[False, Verdict.YES] == 0
    of_one = sum(count for (one, _), count in verdicts.items() if one)
    assert verdicts[True, Verdict.YES] + verdicts[True, Verdict.MAYBE] > found * of_one
