"""Probation's resources while they are made: CRNs given out in order, each resource in the API's own field names.

Owns the shapes (hmpps-integration-api, models/hmpps). Refuses to know who did what.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, TypeAlias

from broker.demo.county import story
from broker.demo.county.criminal import cro_of, pnc_of
from broker.demo.county.draws import Draws
from broker.demo.county.model import County, Person, PersonId, Place
from broker.demo.county.names import OFFICERS

Json: TypeAlias = dict[str, Any]

LISTS: Final = (
    "addresses",
    "offences",
    "sentences",
    "licences",
    "dynamic-risks",
    "status-information",
    "contact-events",
)
SINGLES: Final = ("persons", "mappadetail", "risks", "risk-management-plan", "person-responsible-officer")

REGISTERS: Final = {
    "ALSH": "Risk of suicide or self-harm",
    "RCCO": "Child concerns: safeguarding concerns where a child is at risk from the offender",
    "RCPR": "Child protection: a child is subject to a plan or conference",
    "RVAD": "Risk to a vulnerable adult",
    "STRG": "Street gangs",
    "AVIS": "ViSOR",
    "WEAP": "Weapons",
    "RLRH": "Low risk of serious harm",
    "RMRH": "Medium risk of serious harm",
    "RHRH": "High risk of serious harm",
    "RVRH": "Very high risk of serious harm",
    "WRSM": "Warrant or summons outstanding",
    "ASFO": "Serious further offence",
}
_ROSH_REGISTERS: Final = {"LOW": "RLRH", "MEDIUM": "RMRH", "HIGH": "RHRH", "VERY_HIGH": "RVRH"}


class Files:
    """Probation's resources being made."""

    def __init__(self, county: County) -> None:
        self.county: Final = county
        self.draws: Final = Draws(county.seed, "probation")
        self.resources: Final[dict[str, dict[str, Any]]] = {name: {} for name in (*SINGLES, *LISTS)}
        self.crns: Final[dict[str, PersonId]] = {}

    def ago(self, days: int) -> date:
        """Return the day so many days before the county's day."""
        return story.ago(self.county.as_of, days)

    def person(self, person: Person, *, supervised: bool, **changed: Any) -> str:
        """Add a person, with other fields where given, and their address and officer; return the CRN."""
        crn = f"X{len(self.crns) + 100_001:06d}"
        self.crns[crn] = person.id
        self.resources["persons"][crn] = {
            "firstName": person.given,
            "lastName": person.family,
            "middleName": person.middle,
            "dateOfBirth": person.born_on.isoformat(),
            "gender": "Female" if person.sex == "F" else "Male",
            "ethnicity": person.ethnicity,
            "aliases": [],
            "identifiers": {
                "nomisNumber": None,
                "croNumber": cro_of(self.county, person) if self.draws.chance(60) else None,
                "deliusCrn": crn,
            },
            "pncId": pnc_of(self.county, person),
            "hmppsId": crn,
            "contactDetails": {
                "phoneNumbers": [{"number": person.phone, "type": "MOBILE"}] if person.phone else [],
                "emails": [person.email] if person.email else [],
            },
            "currentRestriction": False,
            "restrictionMessage": None,
            "currentExclusion": False,
            "exclusionMessage": None,
            "underActiveSupervision": supervised,
            **changed,
        }
        self.address(crn, self.county.place_of(person), self.ago(self.draws.number(30, 900)))
        self._officer(crn)
        return crn

    def _add(self, name: str, crn: str, resource: Json) -> None:
        self.resources[name].setdefault(crn, []).append(resource)

    def address(self, crn: str, place: Place, start: date, end: date | None = None, notes: str | None = None) -> None:
        """Add an address; one with an end is a former one."""
        number, _, street = place.line1.partition(" ")
        address = {
            "number": number,
            "street": street,
            "town": place.town,
            "county": "Zedshire",
            "country": "England",
            "postcode": place.postcode,
            "startDate": start.isoformat(),
            "endDate": end.isoformat() if end else None,
            "noFixedAddress": False,
            "types": [{"code": "HOME", "description": "Home Address"}],
            "notes": notes,
        }
        self._add("addresses", crn, address)

    def offence(
        self, crn: str, on: date, court_on: date, what: str, *, violent: bool = False, sexual: bool = False
    ) -> None:
        """Add an offence, with Delius's Schedule 15 marks."""
        offence = {
            "serviceSource": "NDELIUS",
            "systemSource": "PROBATION_SYSTEMS",
            "cjsCode": f"ZZ{on.year % 100:02d}{self.draws.number(100, 999)}",
            "hoCode": f"{self.draws.number(1, 199):03d}/{self.draws.number(0, 99):02d}",
            "courtDates": [court_on.isoformat()],
            "courtName": "Zedshire Magistrates' Court",
            "description": what,
            "startDate": on.isoformat(),
            "endDate": on.isoformat(),
            "statuteCode": None,
            "mainCategory": "Violence against the person" if violent else "Sexual offences" if sexual else "Other",
            "subCategory": what,
            "schedule15SexualOffence": sexual,
            "schedule15ViolentOffence": violent,
        }
        self._add("offences", crn, offence)

    def sentence(
        self, crn: str, on: date, what: str, duration: int, units: str, *, active: bool, custodial: bool = False
    ) -> None:
        """Add a sentence."""
        sentence = {
            "serviceSource": "NDELIUS",
            "systemSource": "PROBATION_SYSTEMS",
            "dateOfSentencing": on.isoformat(),
            "description": what,
            "isActive": active,
            "isCustodial": custodial,
            "fineAmount": 120.5 if what == "Fine" else None,
            "length": {"duration": duration, "units": units, "terms": []},
        }
        self._add("sentences", crn, sentence)

    def licence(self, crn: str, on: date, conditions: tuple[tuple[str, str], ...]) -> None:
        """Add a licence in force, with conditions as category and wording."""
        licence = {
            "status": "ACTIVE",
            "typeCode": "AP",
            "createdDate": story.ago(on, 20).isoformat(),
            "approvedDate": on.isoformat(),
            "updatedDate": on.isoformat(),
            "conditions": [
                {"type": "Bespoke", "code": f"C{number}", "category": category, "condition": wording}
                for number, (category, wording) in enumerate(conditions, start=1)
            ],
        }
        self._add("licences", crn, licence)

    def register(self, crn: str, code: str, on: date, notes: str | None = None) -> None:
        """Add a registration of dynamic risk or of status, by its code."""
        name = "status-information" if code in {"WRSM", "ASFO"} else "dynamic-risks"
        review = on.replace(year=on.year + 1, day=min(on.day, 28))
        dates = {"startDate": on.isoformat(), "reviewDate": review.isoformat()}
        self._add(name, crn, {"code": code, "description": REGISTERS[code], **dates, "notes": notes})

    def rosh(self, crn: str, on: date, level: str, children: str, *, who: str, nature: str) -> None:
        """Add an assessment of risk of serious harm, and the register of its level."""
        in_community = {
            "children": children,
            "public": "MEDIUM",
            "knownAdult": level,
            "staff": "LOW",
            "prisoners": "LOW",
        }
        unsure = {"risk": "NO", "previous": "DK", "current": "NO"}
        self.resources["risks"][crn] = {
            "assessedOn": f"{on.isoformat()}T10:15:41",
            "riskToSelf": {"suicide": unsure, "selfHarm": unsure, "vulnerability": unsure},
            "otherRisks": {
                "escapeOrAbscond": "NO",
                "controlIssuesDisruptiveBehaviour": "NO",
                "breachOfTrust": "DK",
                "riskToOtherPrisoners": "NA",
            },
            "summary": {
                "whoIsAtRisk": who,
                "natureOfRisk": nature,
                "riskImminence": "Greatest when drinking, and when a partner ends the relationship.",
                "riskIncreaseFactors": "Alcohol; living with a partner and children; losing work.",
                "riskMitigationFactors": "Living apart; alcohol treatment; a job.",
                "overallRiskLevel": level,
                "riskInCommunity": in_community,
                "riskInCustody": {"staff": "LOW", "prisoners": "LOW"},
            },
        }
        self.register(crn, _ROSH_REGISTERS[level], on)

    def plan(self, crn: str, on: date, situation: str, safety: str) -> None:
        """Add a risk management plan."""
        self.resources["risk-management-plan"][crn] = {
            "assessmentId": self.draws.digits(6),
            "initiationDate": story.ago(on, 10).isoformat(),
            "dateCompleted": on.isoformat(),
            "assessmentStatus": "COMPLETE",
            "assessmentType": "LAYER3",
            "keyInformationCurrentSituation": situation,
            "supervision": "Weekly at the office.",
            "monitoringAndControl": "Home visits; police checks each month.",
            "interventionsAndTreatment": "Building Better Relationships; alcohol key worker.",
            "victimSafetyPlanning": safety,
            "contingencyPlans": "If seen with the victim or her children: recall.",
        }

    def mappa(self, crn: str, level: int, category: int, on: date, notes: str) -> None:
        """Add MAPPA management."""
        self.resources["mappadetail"][crn] = {
            "level": level,
            "levelDescription": f"MAPPA Level {level}",
            "category": category,
            "categoryDescription": f"MAPPA Cat {category}",
            "startDate": on.isoformat(),
            "reviewDate": self.county.as_of.replace(day=28).isoformat(),
            "notes": notes,
        }

    def contact(self, crn: str, on: date, kind: str, outcome: str, notes: str) -> None:
        """Add an entry of the contact log."""
        given, family = self._officer_of(crn)
        contact = {
            "contactEventIdentifier": len(self.resources["contact-events"]) + 1,
            "offenderHmppsId": crn,
            "contactDateTime": f"{on.isoformat()}T11:00:00.000+00:00",
            "contactType": kind,
            "outcome": outcome,
            "area": "Zedshire",
            "teamName": "Zedford North",
            "officerName": f"{given} {family}",
            "description": kind,
            "notes": notes,
        }
        self._add("contact-events", crn, contact)

    def _officer_of(self, crn: str) -> tuple[str, str]:
        return OFFICERS[int(crn[1:]) % len(OFFICERS)]

    def _officer(self, crn: str) -> None:
        given, family = self._officer_of(crn)
        name = {"forename": given, "surname": family}
        team = {
            "code": "N99ZED",
            "description": "Zedford North",
            "email": "zedford.north@probation.example",
            "telephoneNumber": "01632 960800",
        }
        self.resources["person-responsible-officer"][crn] = {
            "prisonOffenderManager": None,
            "communityOffenderManager": {
                "name": name,
                "email": f"{given}.{family}@probation.example".lower(),
                "telephoneNumber": f"01632 960{801 + int(crn[1:]) % len(OFFICERS)}",
                "team": team,
            },
        }
