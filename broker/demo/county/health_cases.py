"""The hard cases as the trust knows them: superseded and missing numbers, restricted and sealed records, the family."""

from __future__ import annotations

from datetime import timedelta

from broker.demo.county import story
from broker.demo.county.health_resources import NHS_NUMBER, Resources


def add_cases(resources: Resources) -> None:
    """Add every hard case that the trust knows in a way of its own; the others are drawn like everyone."""
    _add_family(resources)
    _add_superseded(resources)
    _add_adopted(resources)
    _add_expectant(resources)
    _add_refuge(resources)


def _add_family(resources: Resources) -> None:
    county, ago = resources.county, resources.ago
    mother, man, child, baby = (
        county.case(key) for key in ("family_mother", "family_stepfather", "family", "family_baby")
    )
    resources.flag(
        child,
        "cpis",
        "cp-plan",
        "Child protection plan",
        ago(story.PROTECTION_PLAN_BEGAN),
        ago(story.PROTECTION_PLAN_ENDED),
    )
    resources.not_seen(child, ago(story.MISSED_SPEECH_THERAPY), "Speech and language therapy", "Community")
    resources.emergency(
        child,
        ago(story.EMERGENCY_VISIT),
        "Bruising and pain to left forearm. Mother says fell on stairs. Story changed when asked again. Undisplaced "
        "fracture, to fracture clinic. Child did not speak.",
        "Discharged home with mother",
        ("R", "SDV"),
    )
    resources.not_seen(child, ago(story.MISSED_FRACTURE_CLINIC), "Fracture clinic", "Hospital")
    resources.flag(child, "safeguarding", "concern", "Safeguarding concern raised by ED", ago(story.EMERGENCY_VISIT))
    resources.episode(child, "school-nursing", ago(story.PROTECTION_PLAN_BEGAN), level="targeted")
    resources.contact(child, "school-nursing", ago(story.SCHOOL_CONCERN), "Quiet; lost weight since summer")
    resources.episode(baby, "health-visiting", ago(story.BABY_BORN), level="targeted")
    resources.contact(
        baby,
        "health-visiting",
        ago(story.FIRST_INCIDENT - 4),
        "Mother tearful, partner present throughout and answered for her",
    )
    resources.episode(mother, "adult-mental-health", ago(1_500), ago(1_100))
    resources.episode(man, "substance", ago(story.RELEASED))


def _add_superseded(resources: Resources) -> None:
    """Two Patients of one child: the earlier number's record says which one replaced it."""
    child = resources.county.case("superseded_nhs_number")
    current = resources.patient_of(child)
    replaced_by = [{"other": {"reference": current}, "type": "replaced-by"}]
    earlier = resources.new_patient(child, number=child.superseded_nhs_number, active=False, link=replaced_by)
    _record_of(resources, current)["link"] = [{"other": {"reference": earlier}, "type": "replaces"}]


def _add_adopted(resources: Resources) -> None:
    """The record before adoption: the birth name, another NHS number, sealed, and linked to nothing."""
    child = resources.county.case("adopted_child")
    resources.patient_of(child)
    mother = resources.county.case("birth_mother")
    name = [{"use": "official", "family": child.birth_family, "given": ["Jayden"]}]
    place, number = resources.county.place_of(mother), child.superseded_nhs_number
    resources.new_patient(child, labels=("V",), place=place, number=number, active=False, name=name)


def _add_expectant(resources: Resources) -> None:
    """Booked late, with a plan for the unborn child: recorded on the mother, since the child has no record yet."""
    mother, unborn = resources.county.case("expectant_mother"), resources.county.case("unborn_child")
    booked = unborn.born_on - timedelta(days=280 - 26 * 7)
    resources.pregnancy(mother, unborn.born_on, booked)
    resources.flag(mother, "cpis", "unborn-cp-plan", "Unborn child protection plan", resources.ago(20))
    resources.not_seen(mother, resources.ago(60), "Antenatal clinic", "Hospital")


def _add_refuge(resources: Resources) -> None:
    """Restricted: the address on the record is the refuge, the practice is near it, and neither may be told."""
    resident, child = resources.county.case("refuge_resident"), resources.county.case("refuge_child")
    resources.emergency(resident, resources.ago(96), "Facial injury, assault by partner", "Home", ("R", "SDV"))
    resources.episode(child, "school-nursing", resources.ago(85), level="targeted")
    resources.flag(resident, "safeguarding", "sensitive", "Sensitive: demographics restricted", resources.ago(94))


def _record_of(resources: Resources, reference: str) -> dict[str, object]:
    number = reference.removeprefix("Patient/")
    record = next(found for found in resources.found["Patient"] if found["id"] == number)
    assert any(identifier["system"] == NHS_NUMBER for identifier in record["identifier"])
    return record
