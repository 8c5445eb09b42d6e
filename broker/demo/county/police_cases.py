"""The hard cases as the police know them: duplicates, aliases, swapped dates, and the family's story."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from broker.demo.county import story
from broker.demo.county.criminal import cro_of, pnc_of
from broker.demo.county.model import Person, Place
from broker.demo.county.police_rows import Rows

_MISHEARD: Final = ("Dec", "Rawston")
"""A nickname and a misspelling under which officers wrote the stepfather down once."""


@dataclass(frozen=True, slots=True)
class _Family:
    """The family's nominals, and the place they live at."""

    mother: str
    child: str
    baby: str
    stepfather: str
    home: Place


def add_cases(rows: Rows) -> None:
    """Add every hard case that the police know."""
    _add_family(rows)
    _add_duplicate(rows)
    _add_alias(rows)
    _add_transposed(rows)
    _add_refuge(rows)
    _add_limited_access(rows)
    _add_birth_family(rows)


def _add_family(rows: Rows) -> None:
    county = rows.county
    mother, child, baby = (rows.nominal_of(county.case(key)) for key in ("family_mother", "family", "family_baby"))
    man = county.case("family_stepfather")
    stepfather = rows.nominal_of(man)
    family = _Family(mother, child, baby, stepfather, county.place_of(man))
    _add_record(rows, man, stepfather)
    rows.alias(stepfather, "alias", *_MISHEARD)
    rows.numbered(
        "warning_marker",
        stepfather,
        "VI",
        "Violent: has assaulted officers when drunk",
        rows.ago(story.SENTENCED),
        None,
    )
    _add_first_incident(rows, family)
    _add_second_incident(rows, family)
    rows.intelligence(
        stepfather,
        rows.ago(story.MARAC - 3),
        ("2", "B", "P"),
        "Source close to the household states he is still sleeping at the address and parks round the corner.",
        "There is reporting that the person may be staying at an address that his bail conditions forbid.",
        "Dunmore",
    )


def _add_first_incident(rows: Rows, family: _Family) -> None:
    first = rows.event(
        "Domestic incident, no crime",
        rows.ago(story.FIRST_INCIDENT),
        family.home,
        "Advice given",
        "Neighbour reports shouting and a crash. Mother says they argued about money. Two children upstairs, youngest "
        "crying. No injuries seen. Male smelled of drink and left for the night.",
        domestic_abuse=True,
        children_present=True,
        roles=(
            (family.mother, "victim"),
            (family.stepfather, "suspect"),
            (family.child, "subject"),
            (family.baby, "subject"),
        ),
    )
    rows.da_assessment(first, family.mother, family.stepfather, rows.ago(story.FIRST_INCIDENT), 9, None, None)
    rows.notice(
        family.child,
        first,
        "child",
        "Medium",
        rows.ago(story.FIRST_INCIDENT),
        "Child seen on landing, quiet, would not speak to officers. Home tidy, food in.",
        domestic_abuse=True,
    )


def _add_second_incident(rows: Rows, family: _Family) -> None:
    second = rows.event(
        "Assault occasioning actual bodily harm",
        rows.ago(story.SECOND_INCIDENT),
        family.home,
        "Suspect bailed",
        "Mother pushed into a door frame and held by the throat. Child stood between them and was knocked down. "
        "Baby in the same room. Mother did not support a prosecution.",
        domestic_abuse=True,
        children_present=True,
        roles=(
            (family.mother, "victim"),
            (family.stepfather, "suspect"),
            (family.child, "witness"),
            (family.baby, "subject"),
        ),
    )
    rows.da_assessment(
        second,
        family.mother,
        family.stepfather,
        rows.ago(story.SECOND_INCIDENT),
        16,
        rows.ago(story.MARAC),
        "non_molestation",
    )
    bail = "Not to enter the home address; not to contact the victim; to live at his mother's address"
    rows.custody(
        family.stepfather, second, rows.ago(story.SECOND_INCIDENT), "Assault s47", "Bailed with conditions", bail
    )
    for nominal, about in ((family.child, "child"), (family.baby, "child"), (family.mother, "adult")):
        rows.notice(
            nominal,
            second,
            about,
            "High",
            rows.ago(story.SECOND_INCIDENT),
            "Child says she tries to stop them. Says her arm hurts. Mother fears what he will do when told to leave.",
            domestic_abuse=True,
        )


def _add_record(rows: Rows, man: Person, nominal: str) -> None:
    rows.identifier(nominal, "PNC", pnc_of(rows.county, man))
    rows.identifier(nominal, "CRO", cro_of(rows.county, man))
    rows.disposal(nominal, rows.ago(story.EARLIER_CONVICTION), "Battery", "Community order, 12 months")
    rows.disposal(nominal, rows.ago(story.SENTENCED), "Unlawful wounding s20", "Imprisonment, 24 months")


def _add_duplicate(rows: Rows) -> None:
    """Three nominals of one man; only the second carries his PNC id, only the third his intelligence."""
    man = rows.county.case("duplicate_person")
    first = rows.nominal_of(man)
    second = rows.new_nominal(man, "Mohamed", "Farouk", man.born_on, rows.ago(900))
    third = rows.new_nominal(man, "Mo", man.family, None, rows.ago(200))
    rows.identifier(second, "PNC", pnc_of(rows.county, man))
    place = rows.county.place_of(man)
    for nominal, days, kind in ((first, 1400, "Theft of a cycle"), (second, 900, "Possession of a bladed article")):
        rows.event(kind, rows.ago(days), place, "Charged", f"{kind}.", roles=((nominal, "suspect"),))
    rows.disposal(second, rows.ago(820), "Possession of a bladed article", "Community order, 18 months")
    rows.intelligence(
        third,
        rows.ago(190),
        ("2", "D", "C"),
        "Male known only as Mo, drives a grey van, said to be moving drugs with his child in the car.",
        None,
        None,
    )


def _add_alias(rows: Rows) -> None:
    man = rows.county.case("alias_user")
    nominal = rows.nominal_of(man)
    rows.alias(nominal, "alias", "Mark", "Dobson", man.born_on.replace(day=1))
    rows.alias(nominal, "alias", "Marius", "Dombrovski", None)
    rows.identifier(nominal, "PNC", pnc_of(rows.county, man))
    place = rows.county.place_of(man)
    rows.event("Fraud", rows.ago(500), place, "Charged", "Fraud.", roles=((nominal, "suspect"),))
    rows.disposal(nominal, rows.ago(400), "Fraud by false representation", "Fine")


def _add_transposed(rows: Rows) -> None:
    child = rows.county.case("transposed_birth_date")
    swapped = child.born_on.replace(month=child.born_on.day, day=child.born_on.month)
    on = rows.ago(150)
    nominal = rows.new_nominal(child, child.given, child.family, swapped, on)
    rows.remember(child, nominal)
    rows.numbered("missing_episode", nominal, on, on, "Medium", False)
    rows.notice(
        nominal, None, "child", "Medium", on, "Found in town at midnight with older youths.", domestic_abuse=False
    )
    rows.numbered("exploitation_flag", nominal, "CCE", "Medium", on, None)


def _add_refuge(rows: Rows) -> None:
    county = rows.county
    resident, man, child = (county.case(key) for key in ("refuge_resident", "refuge_perpetrator", "refuge_child"))
    victim, suspect, witness = rows.nominal_of(resident), rows.nominal_of(man), rows.nominal_of(child)
    on = rows.ago(95)
    event = rows.event(
        "Controlling or coercive behaviour",
        on,
        county.place_of(man),
        "Under investigation",
        "Victim left with her child and is in a refuge. Suspect has asked relatives and the school where they are.",
        domestic_abuse=True,
        children_present=True,
        roles=((victim, "victim"), (suspect, "suspect"), (witness, "witness")),
    )
    rows.da_assessment(event, victim, suspect, on, 19, rows.ago(80), "non_molestation")
    rows.notice(witness, event, "child", "High", on, "Do not disclose whereabouts.", domestic_abuse=True)
    rows.numbered("warning_marker", suspect, "VI", "Violent: threatens anyone who helps his wife", on, None)


def _add_limited_access(rows: Rows) -> None:
    man = rows.county.case("lao_parent")
    nominal = rows.nominal_of(man)
    rows.identifier(nominal, "PNC", pnc_of(rows.county, man))
    rows.identifier(nominal, "CRO", cro_of(rows.county, man))
    on = rows.ago(2_900)
    rows.disposal(nominal, on, "Sexual activity with a child", "Imprisonment, 6 years; sexual harm prevention order")
    rows.numbered("warning_marker", nominal, "SO", "Registered sex offender", on, None)


def _add_birth_family(rows: Rows) -> None:
    """Add the infant under its birth name; the adopted child has no nominal by its own, and nothing links the two."""
    mother = rows.county.case("birth_mother")
    adopted = rows.county.case("adopted_child")
    infant = replace(adopted, household=mother.household, former_places=())
    nominal = rows.nominal_of(mother)
    on = rows.ago(2_000)
    number = rows.new_nominal(infant, "Jayden", adopted.birth_family or "", adopted.born_on, on)
    rows.numbered("protection_power", number, on, on, "Infant left alone overnight")
    place = rows.county.place_of(mother)
    rows.event("Child neglect", on, place, "Cautioned", "Neglect.", roles=((nominal, "suspect"), (number, "victim")))
