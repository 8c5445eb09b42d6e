"""Who probation thinks a person is, where they say they live, who supervises them.

Refuses to know offences and risks; those are the other two modules of findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.probation import mapping
from agents.probation.folder import Folder, ResourceBroken
from agents.probation.members import MemberBroken, Members
from agents.probation.people import identifiers_of
from agents.probation.reading import Found, Made, Reader, build, each, file_broken, finding, only, part
from schemas.identifiers import IdentifierKind
from schemas.records import person, probation
from schemas.records.fields import SEVERAL_MAX
from schemas.vocabulary import Category

_OFFICER: Final = "person-responsible-officer"


def _probation_identity(held: Members) -> Made:
    numbers = {one.kind: one.value for one in identifiers_of(held)}
    identifiers = {name: numbers.get(kind) for name, kind in mapping.IDENTIFIERS.items()}
    contact = {"phoneNumbers": _phones(held) or None, "emails": _emails(held) or None}
    fields = {
        "firstName": held.line("firstName"),
        "middleName": held.line("middleName"),
        "lastName": held.line("lastName"),
        "dateOfBirth": held.day("dateOfBirth"),
        "gender": held.line("gender"),
        "ethnicity": held.line("ethnicity"),
        "aliases": tuple(_alias(one) for one in held.objects("aliases"))[:SEVERAL_MAX] or None,
        "identifiers": part(probation.Identifiers, identifiers),
        "pncId": numbers.get(IdentifierKind.PNC),
        "hmppsId": held.line("hmppsId"),
        "contactDetails": part(probation.ContactDetails, contact),
        "currentRestriction": held.flag("currentRestriction"),
        "restrictionMessage": held.text("restrictionMessage"),
        "currentExclusion": held.flag("currentExclusion"),
        "exclusionMessage": held.text("exclusionMessage"),
        "underActiveSupervision": held.flag("underActiveSupervision"),
    }
    return Made(build(probation.Identity, fields))


def _person_identity(held: Members) -> Made:
    family = held.line("lastName")
    other = dict.fromkeys(one.line("lastName") for one in held.objects("aliases"))
    phones, emails = _phones(held), _emails(held)
    fields = {
        "given": " ".join(text for text in (held.line("firstName"), held.line("middleName")) if text) or None,
        "family": family,
        "former_family": tuple(name for name in other if name not in (None, family))[:SEVERAL_MAX] or None,
        "birthdate": held.day("dateOfBirth"),
        "gender": held.code("gender", mapping.GENDERS),
        "phone": phones[0] if phones else None,
        "email": emails[0] if emails else None,
        "Ethnicity": held.line("ethnicity"),
    }
    return Made(build(person.Identity, fields))


def _alias(held: Members) -> probation.Alias:
    names = {name: held.line(name) for name in ("firstName", "middleName", "lastName")}
    return build(probation.Alias, {**names, "dateOfBirth": held.day("dateOfBirth")})


def _phones(held: Members) -> tuple[str, ...]:
    contact = held.inner("contactDetails")
    numbers = (one.line("number") for one in contact.objects("phoneNumbers")) if contact else ()
    return tuple(number for number in numbers if number)[:SEVERAL_MAX]


def _emails(held: Members) -> tuple[str, ...]:
    contact = held.inner("contactDetails")
    return tuple(email.strip() for email in contact.texts("emails") if email.strip())[:SEVERAL_MAX] if contact else ()


def _address(held: Members) -> Made:
    line = " ".join(text for text in (held.line("number"), held.line("street")) if text)
    kinds = [one.line("code") or "" for one in held.objects("types")]
    fields = {
        "Line1": held.line("buildingName") or line or None,
        "Line2": line or None if held.line("buildingName") else None,
        "TownOrCity": held.line("town"),
        "County": held.line("county"),
        "Postcode": (held.line("postcode") or "").upper() or None,
        "startDate": held.day("startDate"),
        "endDate": held.day("endDate"),
        "noFixedAddress": held.flag("noFixedAddress"),
        "type": next((mapping.ADDRESS_TYPES.get(kind, person.AddressType.UNKNOWN) for kind in kinds), None),
    }
    return Made(build(person.Address, fields), held.date("startDate"))


def _officer(held: Members) -> Made:
    community, prison = held.inner("communityOffenderManager"), held.inner("prisonOffenderManager")
    fields = {
        "communityOffenderManager": None if community is None else _community_officer(community),
        "prisonOffenderManager": None if prison is None else _prison_officer(prison),
        "allocatedOn": held.day("allocatedOn"),
    }
    return Made(build(probation.ResponsibleOfficer, fields), held.date("allocatedOn"))


def _community_officer(held: Members) -> probation.CommunityOffenderManager | None:
    name, team = held.inner("name"), held.inner("team")
    fields = {
        "name": None if name is None else _full_name(name),
        "email": held.line("email"),
        "telephoneNumber": held.line("telephoneNumber"),
        "team": None if team is None else _team(team),
    }
    return part(probation.CommunityOffenderManager, fields)


def _full_name(held: Members) -> probation.OfficerFullName | None:
    return part(probation.OfficerFullName, {name: held.line(name) for name in ("forename", "surname")})


def _team(held: Members) -> probation.Team | None:
    return part(probation.Team, {name: held.line(name) for name in ("code", "description", "email", "telephoneNumber")})


def _prison_officer(held: Members) -> probation.PrisonOffenderManager | None:
    prison = held.inner("prison")
    names: Mapping[str, object] = {name: held.line(name) for name in ("forename", "surname")}
    return part(
        probation.PrisonOffenderManager, {**names, "prisonCode": None if prison is None else prison.line("code")}
    )


def read_involvement(folder: Folder, crn: str) -> Found:
    """That probation supervises or supervised the person, since when, and whom to ring."""
    category = Category.AGENCY_INVOLVEMENT
    officer: object = None
    sentences: object = None
    try:
        officer = folder.read(_OFFICER).get(crn)
        sentences = folder.read("sentences").get(crn)
    except ResourceBroken as broken:
        yield file_broken(category, broken)
    try:
        held = folder.read("persons").get(crn)
    except ResourceBroken as broken:
        yield file_broken(category, broken)
        return
    if held is None:
        return
    found = finding(category, f"persons/{crn}", "persons", held, lambda one: _involvement(one, officer, sentences))
    if found is not None:
        yield found


def _involvement(held: Members, officer: Any, sentences: Any) -> Made:
    is_open = held.flag("underActiveSupervision")
    community = Members(officer).inner("communityOffenderManager") if isinstance(officer, dict) else None
    name = _full_name(found) if community and (found := community.inner("name")) else None
    team = community.inner("team") if community else None
    days = [one.date("dateOfSentencing") for one in _objects(sentences)]
    since = min((day for day in days if day is not None), default=None)
    desk = {"name": team.line("description"), "telephone": team.line("telephoneNumber")} if team else {}
    contact = part(person.DutyContact, {**desk, "email": team.line("email") if team else None})
    described = team.line("description") if team else None
    fields = {
        "status": None
        if is_open is None
        else person.InvolvementStatus.OPEN
        if is_open
        else person.InvolvementStatus.CLOSED,
        "start": None if since is None else since.isoformat(),
        "KeyWorker": None if name is None else f"{name.forename or ''} {name.surname or ''}".strip() or None,
        "TeamInvolvement": None if described is None else (described,),
        "DutyContactDetails": None if contact is None else (contact,),
    }
    return Made(build(person.Involvement, fields), since)


def _objects(held: object) -> list[Members]:
    if held is None:
        return []
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        raise MemberBroken("sentences")
    return [Members(one) for one in held]


READERS: Final[Mapping[Category, Reader]] = {
    Category.PERSON_IDENTITY: only(Category.PERSON_IDENTITY, "persons", _person_identity),
    Category.PERSON_ADDRESS: each(Category.PERSON_ADDRESS, "addresses", _address),
    Category.AGENCY_INVOLVEMENT: read_involvement,
    Category.PROBATION_IDENTITY: only(Category.PROBATION_IDENTITY, "persons", _probation_identity),
    Category.PROBATION_RESPONSIBLE_OFFICER: only(Category.PROBATION_RESPONSIBLE_OFFICER, _OFFICER, _officer),
}
