"""Which pairs of labelled records are looked at, and what a score says of them all. Pure.

Two records are a pair where they are of one person, or share the date of birth or the family name: what an agency's
index would put side by side, and more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.runtime.matching.text import words_of
from agents.training.labelled import LabelledRecord


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many pairs there are, and what a threshold makes of them."""

    pairs: int
    of_one: int
    """Pairs of records of one person."""
    missed: int
    """Of those, how many are below the threshold."""
    false: int
    """Pairs of two people above it."""
    missed_without_false: int
    """How many would be missed at the lowest threshold that lets no pair of two people through."""


def pairs_of(records: Sequence[LabelledRecord]) -> list[tuple[int, int]]:
    """The pairs, by places in the sequence, the smaller first."""
    blocks: dict[tuple[str, object], list[int]] = defaultdict(list)
    for at, one in enumerate(records):
        blocks["person", one.person].append(at)
        if one.born is not None:
            blocks["born", one.born].append(at)
        if family := "".join(words_of(one.name.family)):
            blocks["family", family].append(at)
    found = {(block[i], other) for block in blocks.values() for i in range(len(block)) for other in block[i + 1 :]}
    return sorted(found)


def outcome_of(
    records: Sequence[LabelledRecord], weights: Mapping[tuple[int, int], float], release_from: float
) -> Outcome:
    """What the threshold makes of pairs and their weights."""
    of_one, of_two = _parted(records, weights)
    highest = max(of_two, default=release_from)
    return Outcome(
        pairs=len(weights),
        of_one=len(of_one),
        missed=sum(weight < release_from for weight in of_one),
        false=sum(weight >= release_from for weight in of_two),
        missed_without_false=sum(weight <= highest for weight in of_one),
    )


def _parted(
    records: Sequence[LabelledRecord], weights: Mapping[tuple[int, int], float]
) -> tuple[list[float], list[float]]:
    sides: tuple[list[float], list[float]] = [], []
    for (one, other), weight in weights.items():
        sides[records[one].person != records[other].person].append(weight)
    return sides


def spread(pairs: Iterable[Any], most: int) -> list[Any]:
    """So many of them, evenly from first to last."""
    found = list(pairs)
    return found if len(found) <= most else [found[at * len(found) // most] for at in range(most)]
