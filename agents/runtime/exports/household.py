"""Who lives or lived where a person does or did, as far as an export's addresses tell.

Pure. Two addresses are one home where postcode and line agree; where a line is missing, or names no house number, the
postcode and a word of it have to do. Too many are taken for a household rather than too few: whoever is in it is
written over in texts (`agents.runtime.gatekeeping.third_party`), and nothing else is done with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.runtime.matching.places import FoldedPlace, fold_place
from agents.runtime.source import LocalPerson


def household(person: LocalPerson, neighbours: Iterable[LocalPerson]) -> Sequence[LocalPerson]:
    """Those of the neighbours who have an address with the person, the person left out."""
    homes = [fold_place(one) for one in person.addresses]
    return [
        other
        for other in neighbours
        if other.ref != person.ref and any(_are_one(home, fold_place(one)) for home in homes for one in other.addresses)
    ]


def _are_one(one: FoldedPlace, other: FoldedPlace) -> bool:
    if not one.postcode or one.postcode != other.postcode:
        return False
    if one.number and other.number and one.number != other.number:
        return False
    return not (one.street and other.street) or not one.street.isdisjoint(other.street)
