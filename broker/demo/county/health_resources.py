"""FHIR R4 resources of the trust while they are made: ids given out in order, patients and teams made once.

Owns the shape of each resource. Refuses to know who needs what care.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, TypeAlias

from broker.demo.county import story
from broker.demo.county.draws import Draws
from broker.demo.county.model import County, Person, PersonId, Place
from broker.demo.county.names import OFFICERS, TOWNS

Resource: TypeAlias = dict[str, Any]

NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
VERIFICATION: Final = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
VERIFICATION_CODES: Final = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
LOCAL_NUMBER: Final = "https://trust.example/id/hospital-number"
SERVICE_CODES: Final = "https://trust.example/codes/service"
LEVEL_CODES: Final = "https://trust.example/codes/programme-level"
FLAG_CODES: Final = "https://trust.example/codes/flag"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SENSITIVITY: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

KINDS: Final = (
    "Organization",
    "Practitioner",
    "CareTeam",
    "Patient",
    "EpisodeOfCare",
    "Encounter",
    "Appointment",
    "Flag",
    "Condition",
    "Observation",
)
SERVICES: Final = {
    "camhs": ("Child and adolescent mental health", ("R", "PSY")),
    "adult-mental-health": ("Community mental health", ("R", "PSY")),
    "substance": ("Drug and alcohol recovery", ("V", "ETH")),
    "sexual-health": ("Sexual health clinic", ("V", "SEX")),
    "health-visiting": ("Health visiting", ()),
    "school-nursing": ("School nursing", ()),
    "midwifery": ("Community midwifery", ()),
}
"""Services by code: name of the team, and labels on its episodes."""


def coded(system: str, code: str, display: str | None = None) -> Resource:
    """Return a CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


class Resources:
    """The trust's resources being made."""

    def __init__(self, county: County) -> None:
        self.county: Final = county
        self.draws: Final = Draws(county.seed, "health")
        self.found: Final[dict[str, list[Resource]]] = {kind: [] for kind in KINDS}
        self.patients: Final[dict[str, PersonId]] = {}
        self._known: dict[PersonId, str] = {}
        self._add_organisations()

    def ago(self, days: int) -> date:
        """Return the day so many days before the county's day."""
        return story.ago(self.county.as_of, days)

    def add(self, kind: str, body: Resource, labels: tuple[str, ...] = ()) -> str:
        """Add a resource, labelled with confidentiality, then sensitivity; return its reference."""
        number = f"{kind[0].lower()}-{len(self.found[kind]) + 1:06d}"
        systems = (CONFIDENTIALITY, SENSITIVITY)
        security = [{"system": system, "code": code} for system, code in zip(systems, labels, strict=False)]
        meta = {"meta": {"security": security}} if security else {}
        self.found[kind].append({"resourceType": kind, "id": number, **meta, **body})
        return f"{kind}/{number}"

    def knows(self, person: Person) -> bool:
        """Say whether the person has a Patient already."""
        return person.id in self._known

    def patient_of(self, person: Person) -> str:
        """Return the reference of the person's Patient; the first time, make it from their true particulars."""
        if person.id not in self._known:
            restricted = self.county.households[person.household].is_refuge
            self._known[person.id] = self.new_patient(person, labels=("R",) if restricted else ())
        return self._known[person.id]

    def new_patient(
        self,
        person: Person,
        *,
        labels: tuple[str, ...] = (),
        place: Place | None = None,
        number: str | None = None,
        **changed: Any,
    ) -> str:
        """Make one more Patient of a person, with another address, NHS number or field where given."""
        place, nhs_number = place or self.county.place_of(person), number or person.nhs_number
        names = [{"use": "official", "family": person.family, "given": [n for n in (person.given, person.middle) if n]}]
        if person.birth_family and person.age_on(self.county.as_of) >= 18:
            names.append({"use": "maiden", "family": person.birth_family, "given": [person.given]})
        telecom = [{"system": s, "value": v} for s, v in (("phone", person.phone), ("email", person.email)) if v]
        surgery = TOWNS.index(place.town) + 1 if place.town in TOWNS else 1
        body: Resource = {
            "identifier": [
                *([_nhs_identifier(nhs_number)] if nhs_number else []),
                {"system": LOCAL_NUMBER, "value": f"T{len(self.found['Patient']) + 100001}"},
            ],
            "active": True,
            "name": names,
            **({"telecom": telecom} if telecom else {}),
            "gender": "female" if person.sex == "F" else "male",
            "birthDate": person.born_on.isoformat(),
            "address": [{"use": "home", "line": [place.line1], "city": place.town, "postalCode": place.postcode}],
            "generalPractitioner": [
                {"reference": f"Practitioner/p-{(surgery - 1) % len(OFFICERS) + 1:06d}"},
                {"reference": f"Organization/o-{surgery + 2:06d}"},
            ],
            "managingOrganization": {"reference": "Organization/o-000001"},
            **changed,
        }
        reference = self.add("Patient", body, labels)
        self.patients[reference.removeprefix("Patient/")] = person.id
        return reference

    def remember(self, person: Person, reference: str) -> None:
        """Let a Patient that was made with wrong particulars be the one later resources are about."""
        self._known[person.id] = reference

    def episode(
        self, person: Person, service: str, start: date, end: date | None = None, level: str | None = None
    ) -> str:
        """Add that a service is, or was, involved."""
        team, labels = SERVICES[service]
        which = list(SERVICES).index(service) + 1
        kinds = [coded(SERVICE_CODES, service, team), *([coded(LEVEL_CODES, level)] if level else [])]
        body: Resource = {
            "status": "finished" if end else "active",
            "type": kinds,
            "patient": {"reference": self.patient_of(person)},
            "managingOrganization": {"reference": "Organization/o-000001"},
            "period": _period(start, end),
            "careManager": {"reference": f"Practitioner/p-{self.draws.number(1, len(OFFICERS)):06d}"},
            "team": [{"reference": f"CareTeam/c-{which:06d}"}],
        }
        return self.add("EpisodeOfCare", body, labels)

    def emergency(self, person: Person, on: date, reason: str, disposal: str, labels: tuple[str, ...] = ()) -> None:
        """Add an attendance at the emergency department."""
        body: Resource = {
            "status": "finished",
            "class": {"system": SENSITIVITY, "code": "EMER"},
            "subject": {"reference": self.patient_of(person)},
            "period": {
                "start": f"{on.isoformat()}T{self.draws.number(8, 22):02d}:{self.draws.number(10, 59)}:00+00:00"
            },
            "reasonCode": [{"text": reason}],
            "hospitalization": {"dischargeDisposition": {"text": disposal}},
            "serviceProvider": {"reference": "Organization/o-000001", "display": "Emergency department"},
        }
        self.add("Encounter", body, labels)

    def contact(self, person: Person, service: str, on: date, note: str | None = None) -> None:
        """Add that a health visitor, school nurse or midwife saw the person."""
        body: Resource = {
            "status": "finished",
            "class": {"system": SENSITIVITY, "code": "HH"},
            "type": [coded(SERVICE_CODES, service)],
            "subject": {"reference": self.patient_of(person)},
            "period": {"start": on.isoformat()},
            **({"reasonCode": [{"text": note}]} if note else {}),
        }
        self.add("Encounter", body)

    def not_seen(self, person: Person, on: date, clinic: str, setting: str) -> None:
        """Add an appointment at which a child was not brought, or an adult did not come."""
        child = person.age_on(on) < 18
        body: Resource = {
            "status": "noshow",
            "serviceCategory": [{"text": setting}],
            "serviceType": [{"text": clinic}],
            "start": f"{on.isoformat()}T09:30:00+00:00",
            "end": f"{on.isoformat()}T10:00:00+00:00",
            "comment": "Was not brought" if child else "Did not attend",
            "participant": [{"actor": {"reference": self.patient_of(person)}, "status": "accepted"}],
        }
        self.add("Appointment", body)

    def flag(self, person: Person, category: str, code: str, words: str, start: date, end: date | None = None) -> None:
        """Add a flag; one of category `cpis` is the local authority's."""
        body: Resource = {
            "status": "inactive" if end and category != "cpis" else "active",
            "category": [coded(FLAG_CODES, category)],
            "code": {**coded(FLAG_CODES, code), "text": words},
            "subject": {"reference": self.patient_of(person)},
            "period": _period(start, end),
            "author": {"reference": f"Organization/o-00000{2 if category == 'cpis' else 1}"},
        }
        self.add("Flag", body)

    def pregnancy(self, mother: Person, due: date, booked: date) -> None:
        """Add a pregnancy: the condition, the expected date and the midwives' episode."""
        subject = {"reference": self.patient_of(mother)}
        snomed = coded("http://snomed.info/sct", "77386006", "Pregnancy")
        self.add("Condition", {"code": snomed, "subject": subject, "recordedDate": booked.isoformat()})
        loinc = coded("http://loinc.org", "11778-8", "Delivery date Estimated")
        expected = {"status": "final", "code": loinc, "subject": subject, "valueDateTime": due.isoformat()}
        self.add("Observation", {**expected, "effectiveDateTime": booked.isoformat()})
        self.episode(mother, "midwifery", booked)

    def _add_organisations(self) -> None:
        names = ("Zedshire NHS Trust", "Zedshire Council, children's services", *(f"{town} Surgery" for town in TOWNS))
        for number, name in enumerate(names):
            phone = {"system": "phone", "value": f"01632 960{900 + number}"}
            place = {"line": ["1 Market Place"], "city": TOWNS[max(0, number - 2)], "postalCode": f"ZZ{number + 1} 1AA"}
            self.add("Organization", {"active": True, "name": name, "telecom": [phone], "address": [place]})
        for given, family in OFFICERS:
            self.add("Practitioner", {"active": True, "name": [{"family": family, "given": [given], "prefix": ["Dr"]}]})
        for number, (team, _) in enumerate(SERVICES.values()):
            phone = {"system": "phone", "value": f"01632 960{950 + number}"}
            address = {"system": "email", "value": f"{team.split()[0].lower()}{number}@trust.example"}
            self.add("CareTeam", {"status": "active", "name": f"{team} team", "telecom": [phone, address]})


def _nhs_identifier(number: str) -> Resource:
    status = coded(VERIFICATION_CODES, "01", "Number present and verified")
    return {
        "extension": [{"url": VERIFICATION, "valueCodeableConcept": status}],
        "system": NHS_NUMBER,
        "value": number,
    }


def _period(start: date, end: date | None) -> Resource:
    return {"start": start.isoformat(), **({"end": end.isoformat()} if end else {})}
