"""Who is involved: services and their teams, the health visitor, school nurse or midwife, and the trust as a whole.

Of a mental health, substance or sexual health service no more is read than that it is involved and whom to ring. An
episode of a service that nobody mapped may be of any of them, and breaks them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from agents.health import mapping
from agents.health.findings_person import contact_of, worker_name
from agents.health.reading import Found, Holdings, Made, Reader, Unreadable, build, code, finding, iso
from agents.health.resources import CareTeam, Practitioner
from agents.health.services import Contact, Episode, contacts_of, episodes_of, team_of
from agents.runtime.source import Label, LocalPerson, RecordBroken
from schemas.records import health, person
from schemas.records.person import DutyContact, InvolvementStatus
from schemas.vocabulary import Category

_MODELS: Final[dict[Category, type[health.TeamInvolvementRecord]]] = {
    Category.HEALTH_CAMHS: health.Camhs,
    Category.HEALTH_ADULT_MH: health.AdultMentalHealth,
    Category.HEALTH_SUBSTANCE: health.Substance,
    Category.HEALTH_SEXUAL: health.SexualHealth,
}


def team_reader(category: Category) -> Reader:
    """A reader of a category that says the involvement of one service."""

    def read(holdings: Holdings, who: LocalPerson) -> Found:
        for episode in _each_episode(category, holdings, who):
            if isinstance(episode, RecordBroken):
                yield episode
            elif episode.use is mapping.TEAMS[category]:
                yield from finding(category, episode.resource.id, partial(_team, _MODELS[category], holdings, episode))

    return read


def read_universal(holdings: Holdings, who: LocalPerson) -> Found:
    """Each episode of a health visitor, school nurse or midwife, and each contact with what was noted at it."""
    category = Category.HEALTH_UNIVERSAL
    contacts: list[Contact] = []
    for contact in contacts_of(holdings, who):
        if isinstance(contact, Unreadable):
            yield RecordBroken(category, contact.ref, contact.field)
        elif contact.use in mapping.UNIVERSAL_ROLES:
            contacts.append(contact)
    for episode in _each_episode(category, holdings, who):
        if isinstance(episode, RecordBroken):
            yield episode
        elif episode.use in mapping.UNIVERSAL_ROLES:
            theirs = [contact for contact in contacts if contact.use is episode.use and not contact.labels]
            yield from finding(category, episode.resource.id, partial(_universal, holdings, episode, theirs))
    for contact in contacts:
        yield from finding(category, contact.resource.id, partial(_seen, contact))


def read_agency_involvement(holdings: Holdings, who: LocalPerson) -> Found:
    """Each service that is or was involved; and, without saying what for, when the trust last saw the person."""
    category = Category.AGENCY_INVOLVEMENT
    for episode in _each_episode(category, holdings, who):
        if isinstance(episode, RecordBroken):
            yield episode
        else:
            yield from finding(category, episode.resource.id, partial(_involvement, holdings, episode))
    contacts: list[Contact] = []
    for contact in contacts_of(holdings, who):
        if isinstance(contact, Unreadable):
            yield RecordBroken(category, contact.ref, contact.field)
        else:
            contacts.append(contact)
    # What is labelled would date the rest: it is told of only where there is nothing else, and then under its labels.
    told = [contact for contact in contacts if not contact.labels] or contacts
    if told:
        yield from finding(category, who.ref, partial(_contacts, holdings, told))


def _each_episode(category: Category, holdings: Holdings, who: LocalPerson) -> Iterator[Episode | RecordBroken]:
    for found in episodes_of(holdings, who):
        yield RecordBroken(category, found.ref, found.field) if isinstance(found, Unreadable) else found


def _team(model: type[health.TeamInvolvementRecord], holdings: Holdings, episode: Episode) -> Made:
    status, team = _status(episode), team_of(holdings, episode.resource)
    fields = {
        "status": status,
        "start": iso(episode.resource.period.start),
        "end": iso(episode.resource.period.end),
        "TeamInvolvement": (team.name,) if team is not None and team.name else None,
        "ContactDetails": _contact_details(holdings, episode, team),
    }
    return Made(build(model, fields), episode.resource.period.end, episode.labels)


def _involvement(holdings: Holdings, episode: Episode) -> Made:
    fields: dict[str, object] = {
        "status": _status(episode),
        "start": iso(episode.resource.period.start),
        "end": iso(episode.resource.period.end),
        "DutyContactDetails": _duty(holdings),
    }
    # A service with a category of its own is named in that alone: being asked for this one is no leave to know it.
    if episode.use not in mapping.TEAMS.values():
        team = team_of(holdings, episode.resource)
        fields |= {
            "KeyWorker": _worker(holdings, episode),
            "TeamInvolvement": (team.name,) if team is not None and team.name else None,
            "DutyContactDetails": _contact_details(holdings, episode, team),
        }
    return Made(build(person.Involvement, fields), episode.resource.period.end, episode.labels)


def _contacts(holdings: Holdings, contacts: list[Contact]) -> Made:
    days = sorted(contact.resource.period.start for contact in contacts if contact.resource.period.start is not None)
    fields = {
        "status": InvolvementStatus.CLOSED,
        "start": iso(days[0]) if days else None,
        "end": iso(days[-1]) if days else None,
        "DutyContactDetails": _duty(holdings),
    }
    labels = frozenset[Label]().union(*(contact.labels for contact in contacts))
    return Made(build(person.Involvement, fields), days[-1] if days else None, labels)


def _universal(holdings: Holdings, episode: Episode, contacts: list[Contact]) -> Made:
    team = team_of(holdings, episode.resource)
    codes = [one for concept in episode.resource.type for one in concept.codes]
    fields = {
        "role": mapping.UNIVERSAL_ROLES[episode.use],
        "name": _worker(holdings, episode),
        "telephone": contact_of(team.telecom, "phone") if team is not None else None,
        "team": team.name if team is not None else None,
        "lastSeen": max((iso(one.resource.period.start) or "" for one in contacts), default="") or None,
        "planLevel": next((mapping.PLAN_LEVELS[one] for one in codes if one in mapping.PLAN_LEVELS), None),
    }
    return Made(build(health.Universal, fields), episode.resource.period.end, episode.labels)


def _seen(contact: Contact) -> Made | None:
    if contact.use is None:
        return None
    day = contact.resource.period.start
    fields = {
        "role": mapping.UNIVERSAL_ROLES[contact.use],
        "lastSeen": iso(day),
        "concerns": "\n".join(reason.words for reason in contact.resource.reason if reason.words) or None,
    }
    return Made(build(health.Universal, fields), day, contact.labels)


def _status(episode: Episode) -> InvolvementStatus | None:
    return code("status", episode.resource.status, mapping.EPISODE_STATUSES)


def _worker(holdings: Holdings, episode: Episode) -> str | None:
    return worker_name(holdings.led_to(episode.resource.care_manager, "Practitioner", Practitioner))


def _duty(holdings: Holdings) -> tuple[DutyContact, ...] | None:
    duty = holdings.config.duty_contact
    return None if duty is None else (build(DutyContact, duty.model_dump()),)


def _contact_details(holdings: Holdings, episode: Episode, team: CareTeam | None) -> tuple[DutyContact, ...] | None:
    fields = {
        "name": _worker(holdings, episode),
        "description": team.name if team is not None else None,
        "telephone": contact_of(team.telecom, "phone") if team is not None else None,
        "email": contact_of(team.telecom, "email") if team is not None else None,
    }
    return (build(DutyContact, fields),) if any(fields.values()) else None
