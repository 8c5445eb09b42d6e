"""Who the school thinks a pupil is, where they live, whom it would ring, and that it has them on its roll.

Whoever knows the school knows where the child is every weekday: what names it is marked so in `schemas.records`.
"""

from __future__ import annotations

from functools import partial

from agents.education import mapping
from agents.education.node import FieldBroken, Node
from agents.education.reading import Found, Holdings, Made, build, finding, iso
from agents.runtime.source import LocalPerson
from schemas.records import person
from schemas.records.fields import SEVERAL_MAX
from schemas.records.person import DutyContact, InvolvementStatus, RelatedPerson
from schemas.vocabulary import Category


def read_identity(holdings: Holdings, _: LocalPerson) -> Found:
    """The pupil's particulars."""
    yield from finding(Category.PERSON_IDENTITY, holdings.pupil.ref, partial(_identity, holdings.pupil.node))


def read_addresses(holdings: Holdings, _: LocalPerson) -> Found:
    """Each address that is kept."""
    for number, address in enumerate(holdings.pupil.node.nodes("Address"), start=1):
        ref = f"{holdings.pupil.ref}, address {number}"
        yield from finding(Category.PERSON_ADDRESS, ref, partial(_address, address))


def read_household(holdings: Holdings, _: LocalPerson) -> Found:
    """Whom the school would ring: all of it about others. Who lives with the child, no transfer file says."""
    yield from finding(Category.PERSON_HOUSEHOLD, holdings.pupil.ref, partial(_household, holdings))


def read_involvement(holdings: Holdings, _: LocalPerson) -> Found:
    """That a school has the child on its roll, and whom to ring there; else the authority's own desk."""
    yield from finding(Category.AGENCY_INVOLVEMENT, holdings.pupil.ref, partial(_involvement, holdings))


def school_history(holdings: Holdings) -> list[Node]:
    """The entries of the pupil's school history that are of this school."""
    number = holdings.pupil.school.number
    entries = holdings.pupil.node.nodes("SchoolHistory/School")
    return [one for one in entries if f"{one.line('LEA')}{one.line('Estab')}" == number]


def _identity(pupil: Node) -> Made:
    given = " ".join(filter(None, (pupil.line("Forename"), pupil.line("BasicDetails/MiddleNames"))))
    former = (pupil.line("BasicDetails/FormerSurname"), pupil.line("BasicDetails/PreferredSurname"))
    families = dict.fromkeys(one for one in former if one and one != pupil.line("Surname"))
    postcode = pupil.line("Address/PostCode")
    fields = {
        "given": given or None,
        "family": pupil.line("Surname"),
        "former_family": tuple(families) or None,
        "birthdate": iso(pupil.day("DOB")),
        "gender": pupil.code("Gender", mapping.GENDERS),
        "postcode": postcode.upper() if postcode else None,
        "Ethnicity": pupil.line("BasicDetails/Ethnicity"),
    }
    return Made(build(person.Identity, fields))


def _address(address: Node) -> Made:
    lines = [address.line(f"AddressLines/AddressLine{number}") for number in range(1, 6)]
    postcode = address.line("PostCode")
    fields = {
        "Line1": lines[0],
        "Line2": ", ".join(filter(None, lines[1:])) or None,
        "TownOrCity": address.line("Town"),
        "County": address.line("County"),
        "Postcode": postcode.upper() if postcode else None,
        "type": person.AddressType.HOME,
    }
    return Made(build(person.Address, fields))


def _household(holdings: Holdings) -> Made | None:
    contacts = list(holdings.pupil.node.nodes("Contacts/Contact"))
    if not contacts:
        return None
    if len(contacts) > SEVERAL_MAX:
        raise FieldBroken("Contacts")
    relationships = {**mapping.RELATIONSHIPS, **holdings.config.relationships}
    related = tuple(
        build(
            RelatedPerson,
            {
                "RelationshipToTheChild": contact.code("Relationship", relationships),
                "Name": " ".join(filter(None, (contact.line("Forename"), contact.line("Surname")))) or None,
            },
        )
        for contact in contacts
    )
    return Made(build(person.Household, {"RelatedPeople": related}))


def _involvement(holdings: Holdings) -> Made:
    pupil, school = holdings.pupil, holdings.roll.school(holdings.pupil.school.number)
    status = pupil.node.code("BasicDetails/EnrolStatus", mapping.ROLL_STATUSES)
    history = school_history(holdings)
    starts = [day for one in history if (day := one.day("EntryDate")) is not None]
    ends = [day for one in history if (day := one.day("LeavingDate")) is not None]
    is_open = status in mapping.ON_A_ROLL if status is not None else not ends
    lead = {
        "name": school.get("SafeguardingLead", "").strip() or None,
        "description": "Designated safeguarding lead",
        "telephone": school.get("SafeguardingLeadTelephone", "").strip() or None,
    }
    duty = None if holdings.config.duty_contact is None else holdings.config.duty_contact.model_dump()
    contact = lead if lead["name"] else duty
    fields = {
        "status": InvolvementStatus.OPEN if is_open else InvolvementStatus.CLOSED,
        "start": iso(min(starts, default=None)),
        "end": None if is_open else iso(max(ends, default=None)),
        "KeyWorker": lead["name"],
        "DutyContactDetails": (build(DutyContact, contact),) if contact else None,
    }
    return Made(build(person.Involvement, fields), None if is_open else max(ends, default=None))
