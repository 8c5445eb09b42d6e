"""A patient as a local person, read from a resource whatever else of it is broken: what can be read is looked for.

The record of who they are says what is broken. Refuses to know who is asked about, and what is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from agents.health import mapping
from agents.health.elements import PatientIdentifier, clean_line, read_day, split_reference
from agents.health.resources import Meta
from agents.runtime.source import Label, LocalPerson, PersonAddress, PersonName
from schemas.identifiers import Identifier, IdentifierInvalid, IdentifierKind, parse_identifier

SAME_PERSON: Final = frozenset({"replaced-by", "replaces"})
"""Types of `Patient.link` that say two records are of one person."""


def read_person(ref: str, patient: Mapping[str, Any], patient_labels: Mapping[str, Label]) -> LocalPerson:
    """The person of a Patient resource."""
    birth_date = _day(patient.get("birthDate"))
    gender = patient.get("gender")
    return LocalPerson(
        ref=ref,
        names=tuple(_names(patient)),
        birth_dates=() if birth_date is None else (birth_date,),
        sex=gender if gender in ("female", "male") else None,
        identifiers=frozenset(_numbers(patient)),
        addresses=tuple(_addresses(patient)),
        labels=labels_of(patient, patient_labels),
    )


def read_links(patient: Mapping[str, Any]) -> Iterator[str]:
    """The ids of other records of the same person."""
    for link in _dicts(patient, "link"):
        other = link.get("other")
        written = other.get("reference") if isinstance(other, dict) else None
        led = split_reference(written) if isinstance(written, str) else None
        if link.get("type") in SAME_PERSON and led is not None and led[0] == "Patient":
            yield led[1]


def read_contacts(ref: str, patient: Mapping[str, Any]) -> Iterator[LocalPerson]:
    """Whom a Patient names to be contacted: a parent, a partner, next of kin."""
    for number, contact in enumerate(_dicts(patient, "contact")):
        name, address = contact.get("name"), contact.get("address")
        yield LocalPerson(
            f"{ref}/contact/{number}",
            names=tuple(_names({"name": [name]})),
            addresses=tuple(_addresses({"address": [address]})),
        )


def labels_of(patient: Mapping[str, Any], patient_labels: Mapping[str, Label]) -> frozenset[Label]:
    """What the labels of a Patient protect; labels that cannot be read are taken for such as protect."""
    if "meta" not in patient:
        return frozenset()
    known = {**mapping.PATIENT_LABELS, **{code: frozenset({label}) for code, label in patient_labels.items()}}
    try:
        meta = Meta.model_validate(patient.get("meta") or {}, strict=False)
    except ValidationError:
        return mapping.UNKNOWN_PATIENT_CODE
    labels = (known.get(one.code or "", mapping.UNKNOWN_PATIENT_CODE) for one in meta.security)
    return frozenset[Label]().union(*labels)


def _names(patient: Mapping[str, Any]) -> Iterator[PersonName]:
    names = sorted(_dicts(patient, "name"), key=lambda name: name.get("use") not in ("official", "usual"))
    for name in names:
        given = name.get("given")
        words = [clean_line(one) for one in given] if isinstance(given, list) else []
        found = PersonName(" ".join(word for word in words if isinstance(word, str)), _line(name.get("family")))
        if found.given or found.family:
            yield found


def _addresses(patient: Mapping[str, Any]) -> Iterator[PersonAddress]:
    for address in sorted(_dicts(patient, "address"), key=lambda one: one.get("use") == "old"):
        lines = address.get("line")
        line = _line(lines[0]) if isinstance(lines, list) and lines else ""
        yield PersonAddress(line or None, _line(address.get("postalCode")) or None)


def _numbers(patient: Mapping[str, Any]) -> Iterator[Identifier]:
    for written in _dicts(patient, "identifier"):
        if written.get("system") != mapping.NHS_NUMBER:
            continue
        try:
            number = PatientIdentifier.model_validate(written, strict=False)
            if number.is_verified_nhs_number and number.value is not None:
                yield parse_identifier(IdentifierKind.NHS_NUMBER, number.value)
        except (ValidationError, IdentifierInvalid):
            continue


def _dicts(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _line(value: object) -> str:
    line = clean_line(value)
    return line if isinstance(line, str) else ""


def _day(value: object) -> date | None:
    try:
        day = read_day(value)
    except ValueError:
        return None
    return day if isinstance(day, date) else None
