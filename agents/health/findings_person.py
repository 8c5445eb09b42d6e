"""Who the trust thinks a patient is, where they live, and where they are registered.

Refuses to know what happened to them, and who is involved.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from agents.health import mapping
from agents.health.elements import Address, ContactPoint, HumanName
from agents.health.reading import Found, Holdings, Made, Unreadable, build, code, each, finding, iso
from agents.health.resources import Organization, PatientHome, PatientIdentity, PatientPractice, Practitioner
from agents.runtime.matching.text import postcode_key
from agents.runtime.source import Finding, LocalPerson, RecordBroken
from schemas.identifiers import IdentifierInvalid, parse_nhs_number
from schemas.records import health, person
from schemas.records.fields import SEVERAL_MAX
from schemas.vocabulary import Category

REPLACED_MAX: Final = 10
"""How often a record may have been replaced by another; more is a circle."""


def read_identity(holdings: Holdings, who: LocalPerson) -> Found:
    """The patient's particulars; of a child expected, when."""
    category = Category.PERSON_IDENTITY
    if who.expected_on is not None:
        yield Finding(category, person.Identity(expected_birthdate=iso(who.expected_on)), local_ref=who.ref)
        return
    found = holdings.of("Patient", PatientIdentity, who.ref)
    yield from each(category, found, partial(_identity, holdings, who))


def read_addresses(holdings: Holdings, who: LocalPerson) -> Found:
    """Each address that is kept."""
    category = Category.PERSON_ADDRESS
    for patient in holdings.of("Patient", PatientHome, who.ref):
        if isinstance(patient, Unreadable):
            yield RecordBroken(category, patient.ref, patient.field)
            continue
        for number, address in enumerate(patient.address, start=1):
            yield from finding(category, f"{patient.id}, address {number}", partial(_address, address))


def read_registration(holdings: Holdings, who: LocalPerson) -> Found:
    """The general practice."""
    found = holdings.of("Patient", PatientPractice, who.ref)
    yield from each(Category.HEALTH_REGISTRATION, found, partial(_registration, holdings))


def worker_name(practitioner: Practitioner | None) -> str | None:
    """A worker's name as it is said."""
    if practitioner is None or not practitioner.name:
        return None
    name = practitioner.name[0]
    return " ".join(filter(None, (*name.prefix, name.given_names, name.family))) or None


def contact_of(points: Iterable[ContactPoint], system: str) -> str | None:
    """The first telephone number, or the first e-mail address."""
    return next((one.value for one in points if one.system == system and one.value), None)


def _identity(holdings: Holdings, who: LocalPerson, patient: PatientIdentity) -> Made:
    name, others = _names(patient.name)
    former = dict.fromkeys(other.family for other in others if other.family and other.family != name.family)
    fields = {
        "nhs_number": _current_number(holdings, who, patient),
        "given": name.given_names or None,
        "family": name.family,
        "former_family": tuple(former)[:SEVERAL_MAX] or None,
        "birthdate": iso(patient.birth_date),
        "gender": code("gender", patient.gender, mapping.GENDERS),
        "phone": contact_of(patient.telecom, "phone"),
        "email": contact_of(patient.telecom, "email"),
        "postcode": next((one.postcode.upper() for one in who.addresses[:1] if one.postcode), None),
    }
    return Made(build(person.Identity, fields))


def _names(names: tuple[HumanName, ...]) -> tuple[HumanName, list[HumanName]]:
    ordered = sorted(names, key=lambda name: name.use not in ("official", "usual"))
    return (ordered[0], ordered[1:]) if ordered else (HumanName(), [])


def _current_number(holdings: Holdings, who: LocalPerson, patient: PatientIdentity) -> str | None:
    """The number of the record that replaced this one in the end; never that of a record it may not be linked with."""
    newest = patient
    for _ in range(REPLACED_MAX):
        by = next((link.other for link in newest.link if link.type == "replaced-by"), None)
        newer = holdings.led_to(by, "Patient", PatientIdentity)
        if newer is None or not set(_numbers(newer)) <= {one.value for one in who.identifiers}:
            break
        newest = newer
    return next(iter(_numbers(newest)), None)


def _numbers(patient: PatientIdentity) -> list[str]:
    numbers = []
    for written in patient.identifier:
        if written.is_verified_nhs_number and written.value is not None:
            try:
                numbers.append(parse_nhs_number(written.value))
            except IdentifierInvalid:
                continue
    return numbers


def _address(address: Address) -> Made:
    lines = [" ".join(line.split()) for line in address.line]
    fields = {
        "Line1": next(iter(lines), None) or None,
        "Line2": ", ".join(filter(None, lines[1:])) or None,
        "TownOrCity": address.city,
        "County": address.district,
        "Postcode": address.postal_code.upper() if address.postal_code else None,
        "startDate": iso(address.period.start),
        "endDate": iso(address.period.end),
        "noFixedAddress": True if postcode_key(address.postal_code) == mapping.NO_FIXED_ABODE else None,
        "type": code("use", address.use, mapping.ADDRESS_USES) or person.AddressType.UNKNOWN,
    }
    # None while it is current, so that no look-back takes a current address away.
    return Made(build(person.Address, fields), address.period.end)


def _registration(holdings: Holdings, patient: PatientPractice) -> Made | None:
    led = patient.general_practitioner
    doctors = (holdings.led_to(one, "Practitioner", Practitioner) for one in led)
    surgeries = (holdings.led_to(one, "Organization", Organization) for one in led)
    doctor = next((one for one in doctors if one is not None), None)
    surgery = next((one for one in surgeries if one is not None), None)
    if doctor is None and surgery is None:
        return None
    place = surgery.address[0] if surgery is not None and surgery.address else Address()
    fields = {
        "RegisteredGPName": worker_name(doctor),
        "RegisteredGPSurgery": surgery.name if surgery is not None else None,
        "GPAddress": ", ".join(filter(None, (*place.line, place.city, place.postal_code))) or None,
        "GPTelephone": contact_of(surgery.telecom, "phone") if surgery is not None else None,
    }
    return Made(build(health.Registration, fields))
