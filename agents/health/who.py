"""Patients, children expected, and what protects them, out of an export during one look.

A flag that cannot be read is taken for one that protects. Refuses to know who is asked about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from agents.health import mapping
from agents.health.people import read_contacts, read_person
from agents.health.reading import Holdings, Unreadable
from agents.health.resources import Flag, Observation
from agents.runtime.exports.household import household
from agents.runtime.source import Label, LocalPerson, SourceAway

OVERDUE: Final = timedelta(days=28)
"""How long after the expected day a child still counts as expected."""


def load_person(holdings: Holdings, ref: str) -> LocalPerson:
    """A patient, with the numbers of every record of theirs.

    Raises:
        SourceAway: a file is another by now.
    """
    found = read_person(ref, _patient(holdings, ref), holdings.config.patient_labels)
    return replace(found, identifiers=holdings.index.numbers_of(ref))


def linked_to(holdings: Holdings, who: LocalPerson) -> Iterator[LocalPerson]:
    """Whom the export links to a person: contacts of their record, and the household; of a child expected, the mother.

    Raises:
        SourceAway: as `load_person`.
    """
    ref = who.mother_ref or who.ref
    patient = _patient(holdings, ref)
    asked = load_person(holdings, ref)
    if who.mother_ref is not None:
        yield asked
    yield from read_contacts(ref, patient)
    yield from household(asked, (load_person(holdings, other) for other in holdings.index.neighbours(asked)))


def _patient(holdings: Holdings, ref: str) -> Mapping[str, Any]:
    for place in holdings.index.places("Patient", ref):
        if not place.is_broken:
            patient: dict[str, Any] = json.loads(holdings.files.read(place.file, place.at_bytes, place.length_bytes))
            return patient
    raise SourceAway("a Patient was there and is not there now")


def expected_by(holdings: Holdings, mother: str) -> Iterator[LocalPerson]:
    """The children a patient expects.

    Raises:
        SourceAway: as `load_person`, or an expected date cannot be read: nobody could be called unknown.
    """
    for one in holdings.of("Observation", Observation, mother):
        if isinstance(one, Unreadable):
            raise SourceAway("an expected date of delivery cannot be read")
        is_true = one.status not in (mapping.ENTERED_IN_ERROR, "cancelled")
        if is_true and one.value is not None and one.value >= holdings.today - OVERDUE:
            labels = frozenset({Label.UNBORN})
            yield LocalPerson(f"{mother}/{one.id}", expected_on=one.value, mother_ref=mother, labels=labels)


def protection_of(holdings: Holdings, who: LocalPerson) -> frozenset[Label]:
    """What protects a person now; a child expected is protected as its mother is.

    Raises:
        SourceAway: as `load_person`.
    """
    labels = who.labels
    if who.mother_ref is not None:
        labels |= load_person(holdings, who.mother_ref).labels
    for flag in holdings.of("Flag", Flag, who.mother_ref or who.ref):
        if isinstance(flag, Unreadable):
            labels |= mapping.UNKNOWN_PATIENT_CODE
        elif flag.status == "active" and (flag.period.end is None or flag.period.end >= holdings.today):
            found = (holdings.config.flag_labels.get(code) for code in flag.code.codes)
            labels |= {label for label in found if label is not None}
    return labels
