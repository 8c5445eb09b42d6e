"""The hard cases every county has, each a small household with stable keys (DOMAIN section 9, *Common*).

Owns who they are and what makes them hard; what each agency then gets wrong or must not tell is in the agency's module,
by the same keys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from broker.demo.county.model import Sex


@dataclass(frozen=True, slots=True)
class Part:
    """One person of a case household, before anything is drawn.

    `born` counts back from the county's day: years and days old, so that ages hold whatever the day; `unborn` ones are
    due in that many days. `family` and `parents` name keys of the same case.
    """

    key: str
    sex: Sex
    years: int
    days: int = 40
    given: str | None = None
    family: str | None = None
    parents: tuple[str, ...] = ()
    unborn: bool = False
    has_nhs_number: bool = True
    superseded: bool = False
    birth_family: str | None = None
    born_on: date | None = None


@dataclass(frozen=True, slots=True)
class CaseHousehold:
    """People of a case who live together; `same_place_as` names a household whose address it shares, `lived_at`
    one whose address it left."""

    name: str
    parts: tuple[Part, ...]
    is_refuge: bool = False
    same_place_as: str | None = None
    lived_at: str | None = None


_TWIN: Final = Part("twin_a", "F", 9, 211, given="Seren", family="Garside", parents=("twins_mother",))

CASES: Final = (
    CaseHousehold(
        "family",
        (
            Part("family_mother", "F", 29, 100, given="Carys", family="Oldroyd"),
            Part("family_stepfather", "M", 33, 250, given="Declan", family="Rawstron"),
            Part("family", "F", 7, 63, given="Ellie", family="Oldroyd", parents=("family_mother",)),
            Part(
                "family_baby",
                "M",
                0,
                130,
                given="Archie",
                family="Rawstron",
                parents=("family_mother", "family_stepfather"),
            ),
        ),
    ),
    CaseHousehold("family_elsewhere", (Part("family_step_grandmother", "F", 58, given="Hollie", family="Rawstron"),)),
    CaseHousehold(
        "twins",
        (
            Part("twins_mother", "F", 38, 17, family="Garside"),
            _TWIN,
            replace(_TWIN, key="twin_b", given="Sian"),
        ),
    ),
    CaseHousehold(
        "transposed",
        (
            Part("transposed_parent", "F", 41, family="Hepworth"),
            # Day and month are both possible months, so that the swapped date is a date too.
            Part(
                "transposed_birth_date",
                "M",
                0,
                family="Hepworth",
                parents=("transposed_parent",),
                born_on=date(2014, 4, 9),
            ),
        ),
    ),
    CaseHousehold("alias", (Part("alias_user", "M", 36, 200, given="Marek", family="Dabrowski"),)),
    CaseHousehold(
        "duplicate",
        (
            Part("duplicate_person", "M", 31, 20, given="Mohammed", family="Farooq"),
            Part("duplicate_person_child", "F", 5, 9, family="Farooq", parents=("duplicate_person",)),
        ),
    ),
    CaseHousehold(
        "no_number",
        (
            Part("no_nhs_number_mother", "F", 24, family="Wieczorek", has_nhs_number=False),
            Part("no_nhs_number", "M", 3, family="Wieczorek", parents=("no_nhs_number_mother",), has_nhs_number=False),
        ),
    ),
    CaseHousehold(
        "superseded",
        (
            Part("superseded_mother", "F", 44, family="Thackray"),
            Part("superseded_nhs_number", "F", 13, family="Thackray", parents=("superseded_mother",), superseded=True),
        ),
    ),
    CaseHousehold("left_behind", (Part("refuge_perpetrator", "M", 30, given="Danesh", family="Sandhu"),)),
    CaseHousehold(
        "refuge",
        (
            Part("refuge_resident", "F", 27, given="Priya", family="Sandhu"),
            Part(
                "refuge_child",
                "M",
                6,
                300,
                given="Rohan",
                family="Sandhu",
                parents=("refuge_resident", "refuge_perpetrator"),
            ),
        ),
        is_refuge=True,
        lived_at="left_behind",
    ),
    CaseHousehold(
        "adopters",
        (
            Part("adopter_a", "F", 43, family="Appleyard"),
            Part("adopter_b", "M", 45, family="Appleyard"),
            Part(
                "adopted_child",
                "M",
                6,
                71,
                given="Felix",
                family="Appleyard",
                birth_family="Quarmby",
                superseded=True,
                parents=("adopter_a", "adopter_b"),
            ),
        ),
    ),
    CaseHousehold("birth_family", (Part("birth_mother", "F", 25, given="Jade", family="Quarmby"),)),
    CaseHousehold(
        "expecting",
        (
            Part("expectant_mother", "F", 19, 220, given="Tegan", family="Platt"),
            Part(
                "unborn_child", "F", 0, 75, given="Unborn", family="Platt", parents=("expectant_mother",), unborn=True
            ),
        ),
    ),
    CaseHousehold(
        "limited_access",
        (
            Part("lao_partner", "F", 34, family="Jeavons"),
            Part("lao_parent", "M", 39, 12, given="Victor", family="Jeavons"),
            Part("lao_child", "F", 10, 5, given="Maisie", family="Jeavons", parents=("lao_partner", "lao_parent")),
        ),
    ),
    CaseHousehold(
        "siblings",
        (
            Part("siblings_mother", "F", 35, given="Rhian", family="Leyshon"),
            Part(
                "sibling_a",
                "M",
                11,
                80,
                given="Osian",
                family="Leyshon",
                parents=("siblings_mother", "siblings_father"),
            ),
        ),
    ),
    CaseHousehold(
        "siblings_elsewhere",
        (
            Part("siblings_father", "M", 37, given="Gareth", family="Treharne"),
            Part(
                "sibling_b", "F", 8, 10, given="Nia", family="Treharne", parents=("siblings_mother", "siblings_father")
            ),
        ),
    ),
    CaseHousehold("house_share_a", (Part("shared_address_a", "M", 26, family="Nwosu"),)),
    CaseHousehold(
        "house_share_b",
        (
            Part("shared_address_b", "F", 28, family="Kaminski"),
            Part("shared_address_child", "F", 4, 200, family="Kaminski", parents=("shared_address_b",)),
        ),
        same_place_as="house_share_a",
    ),
)

CASE_PEOPLE: Final = sum(len(household.parts) for household in CASES)
