"""The rest of the county as the trust knows it: nearly everyone is a patient, and most of them for nothing much."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from broker.demo.county.health_resources import Resources
from broker.demo.county.model import Person

_DAYS_BACK: Final = 3 * 365
_REASONS: Final = (
    "Fall from scooter, wrist pain",
    "High temperature",
    "Laceration to finger",
    "Wheeze",
    "Abdominal pain",
    "Head injury, no loss of consciousness",
    "Swallowed coin",
    "Ankle injury at football",
    "Overdose of paracetamol",
    "Chest pain",
)
_DISPOSALS: Final = ("Discharged home", "Discharged home", "Admitted", "Left before being seen", "Referred to clinic")
_CLINICS: Final = (
    ("Paediatric outpatients", "Hospital"),
    ("Dental", "Community"),
    ("Childhood immunisation", "GP"),
    ("Audiology", "Hospital"),
    ("Speech and language therapy", "Community"),
    ("Asthma review", "GP"),
)
_CPIS: Final = (
    ("cp-plan", "Child protection plan"),
    ("looked-after-s20", "Looked after, section 20"),
    ("looked-after-s31", "Looked after, section 31"),
)


def add_everyone(resources: Resources) -> None:
    """Add a patient for 98 in 100, and what happened to some; the people of the cases are all patients."""
    cases = set(resources.county.cases.values())
    for person in resources.county.people.values():
        if person.unborn:
            continue
        if person.id in cases:
            resources.patient_of(person)
        elif resources.draws.chance(98):
            _add_patient(resources, person)
            if person.age_on(resources.county.as_of) < 18:
                _add_child(resources, person)
            else:
                _add_adult(resources, person)


def _add_patient(resources: Resources, person: Person) -> None:
    draws = resources.draws
    if person.former_places and draws.chance(15):
        resources.remember(person, resources.new_patient(person, place=person.former_places[0]))
    elif draws.chance(0.4):
        resources.remember(person, resources.new_patient(person, labels=("R",)))
    else:
        resources.patient_of(person)


def _add_child(resources: Resources, person: Person) -> None:
    draws, age = resources.draws, person.age_on(resources.county.as_of)
    if age < 5:
        level = draws.one(("universal",) * 8 + ("targeted", "specialist"))
        resources.episode(person, "health-visiting", person.born_on, level=level)
        resources.contact(person, "health-visiting", _recent(resources, person))
    if draws.chance(18):
        resources.emergency(person, _recent(resources, person), draws.one(_REASONS), draws.one(_DISPOSALS))
    if draws.chance(9):
        resources.not_seen(person, _recent(resources, person), *draws.one(_CLINICS))
    if age >= 8 and draws.chance(5):
        _add_episode(resources, person, "camhs")
    if age >= 14 and draws.chance(2):
        _add_episode(resources, person, "sexual-health")
    if draws.chance(1.2):
        code, words = draws.one(_CPIS)
        start = _recent(resources, person)
        end = start + timedelta(days=draws.number(90, 400))
        resources.flag(person, "cpis", code, words, start, end if end < resources.county.as_of else None)


def _add_adult(resources: Resources, person: Person) -> None:
    draws, age = resources.draws, person.age_on(resources.county.as_of)
    if draws.chance(12):
        resources.emergency(person, _recent(resources, person), draws.one(_REASONS), draws.one(_DISPOSALS))
    if draws.chance(4):
        _add_episode(resources, person, "adult-mental-health")
    if draws.chance(2):
        _add_episode(resources, person, "substance")
    if age < 45 and draws.chance(2):
        _add_episode(resources, person, "sexual-health")
    if person.sex == "F" and age < 45 and draws.chance(2):
        due = resources.county.as_of + timedelta(days=draws.number(5, 200))
        resources.pregnancy(
            person, due, min(due - timedelta(days=280 - draws.number(8, 14) * 7), resources.county.as_of)
        )


def _add_episode(resources: Resources, person: Person, service: str) -> None:
    start = _recent(resources, person)
    end = start + timedelta(days=resources.draws.number(30, 500))
    resources.episode(person, service, start, end if end < resources.county.as_of else None)


def _recent(resources: Resources, person: Person) -> date:
    return resources.draws.day(max(person.born_on, resources.ago(_DAYS_BACK)), resources.county.as_of)
