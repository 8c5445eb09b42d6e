"""What happened: emergency attendances, appointments nobody came to, flags, CP-IS, pregnancies.

Resources entered in error tell nothing. Refuses to know who is involved for longer.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Final

from agents.health import mapping
from agents.health.findings_person import contact_of
from agents.health.mapping import ServiceUse
from agents.health.reading import (
    FieldBroken,
    Found,
    Holdings,
    Made,
    Unreadable,
    build,
    code,
    each,
    finding,
    iso,
    labels_of,
)
from agents.health.resources import Appointment, Condition, Flag, Observation, Organization
from agents.health.services import Contact, contacts_of, episodes_of, team_of
from agents.runtime.source import LocalPerson, RecordBroken
from schemas.records import health
from schemas.records.health import CpisStatus
from schemas.vocabulary import Category

CPIS_KEPT: Final = timedelta(days=366)
"""CP-IS tells of what is current or ended within twelve months (DOMAIN section 3.3)."""
PREGNANCY_DAYS: Final = 280
TWELVE_MONTHS: Final = timedelta(days=365)


def read_emergencies(holdings: Holdings, who: LocalPerson) -> Found:
    """Each attendance at an emergency department."""
    category = Category.HEALTH_ED_ATTENDANCE
    for contact in contacts_of(holdings, who):
        if isinstance(contact, Unreadable):
            yield RecordBroken(category, contact.ref, contact.field)
        elif contact.resource.kind.code == mapping.EMERGENCY:
            yield from finding(category, contact.resource.id, partial(_emergency, holdings, contact))


def read_not_brought(holdings: Holdings, who: LocalPerson) -> Found:
    """Each appointment that the person did not come or was not brought to."""
    category = Category.HEALTH_WAS_NOT_BROUGHT
    found = list(holdings.of("Appointment", Appointment, who.ref))
    days = [one.start for one in found if not isinstance(one, Unreadable) and one.status == mapping.NO_SHOW]
    since = holdings.today - TWELVE_MONTHS
    missed = sum(day is not None and since < day <= holdings.today for day in days)
    yield from each(category, iter(found), partial(_not_brought, missed))


def read_flags(holdings: Holdings, who: LocalPerson) -> Found:
    """Each flag but the local authority's."""
    if who.expected_on is None:
        yield from each(Category.HEALTH_FLAG, holdings.of("Flag", Flag, who.ref), partial(_flag, holdings))


def read_cpis(holdings: Holdings, who: LocalPerson) -> Found:
    """What the local authority told by CP-IS; of a child expected, what it told about the pregnancy."""
    found = holdings.of("Flag", Flag, who.mother_ref or who.ref)
    yield from each(Category.HEALTH_CPIS, found, partial(_cpis, holdings, who))


def read_maternity(holdings: Holdings, who: LocalPerson) -> Found:
    """Each pregnancy with an expected date; one without stands alone."""
    category = Category.HEALTH_MATERNITY
    mother = who.mother_ref or who.ref
    expected = list(holdings.of("Observation", Observation, mother))
    conditions = list(holdings.of("Condition", Condition, mother))
    for one in conditions:
        if isinstance(one, Unreadable):
            yield RecordBroken(category, one.ref, one.field)
    known = [one for one in conditions if not isinstance(one, Unreadable) and not _is_refuted(one)]
    yield from each(category, iter(expected), partial(_expected, holdings, who, known))
    dated = [one.value for one in expected if not isinstance(one, Unreadable) and one.value is not None]
    if who.expected_on is None:
        alone = (one for one in known if not any(_is_of(one, due) for due in dated))
        yield from each(category, alone, _pregnancy)


def _emergency(holdings: Holdings, contact: Contact) -> Made:
    visit = contact.resource
    provider = visit.provider
    organization = holdings.led_to(provider, "Organization", Organization)
    named = provider.display if provider is not None else None
    fields = {
        "Date": iso(visit.period.start),
        "Reason": "\n".join(reason.words for reason in visit.reason if reason.words) or None,
        "Department": named or (organization.name if organization is not None else None),
        "Disposal": visit.hospitalization.disposition.words,
    }
    return Made(build(health.EmergencyAttendance, fields), visit.period.start, contact.labels)


def _not_brought(missed: int, appointment: Appointment) -> Made | None:
    if appointment.status != mapping.NO_SHOW:
        return None
    clinic = next((one.words for one in appointment.type if one.words), None)
    setting = next((one.words for one in appointment.category if one.words), None)
    fields = {
        "Date": iso(appointment.start),
        "Setting": code("serviceCategory", setting, mapping.CARE_SETTINGS),
        "Reason": ": ".join(filter(None, (clinic, appointment.comment))) or None,
        "MissedInTwelveMonths": missed,
    }
    return Made(build(health.WasNotBrought, fields), appointment.start, labels_of(appointment))


def _is_cpis(flag: Flag) -> bool:
    return any(mapping.CPIS in category.codes for category in flag.category)


def _flag(holdings: Holdings, flag: Flag) -> Made | None:
    if _is_cpis(flag) or flag.status == mapping.ENTERED_IN_ERROR:
        return None
    author = holdings.led_to(flag.author, "Organization", Organization)
    fields = {
        "status": code("status", flag.status, mapping.FLAG_STATUSES),
        "category": next((one for category in flag.category for one in category.codes), None),
        "code": flag.code.words or next(iter(flag.code.codes), None),
        "start": iso(flag.period.start),
        "end": iso(flag.period.end),
        "author": author.name if author is not None else None,
    }
    return Made(build(health.Flag, fields), flag.period.end, labels_of(flag))


def _cpis(holdings: Holdings, who: LocalPerson, flag: Flag) -> Made | None:
    ended = flag.period.end
    if not _is_cpis(flag) or flag.status == mapping.ENTERED_IN_ERROR:
        return None
    if ended is not None and ended < holdings.today - CPIS_KEPT:
        return None
    status = code("code", next(iter(flag.code.codes), "none"), mapping.CPIS_STATUSES)
    if who.expected_on is not None and status is not CpisStatus.UNBORN_CP_PLAN:
        return None
    author = holdings.led_to(flag.author, "Organization", Organization)
    fields = {
        "status": status,
        "startDate": iso(flag.period.start),
        "endDate": iso(ended),
        "localAuthority": author.name if author is not None else None,
        "localAuthorityTelephone": contact_of(author.telecom, "phone") if author is not None else None,
    }
    return Made(build(health.Cpis, fields), ended, labels_of(flag))


def _expected(holdings: Holdings, who: LocalPerson, known: list[Condition], expected: Observation) -> Made | None:
    if expected.status in (mapping.ENTERED_IN_ERROR, "cancelled"):
        return None
    if who.expected_on is not None and expected.value != who.expected_on:
        return None
    if expected.value is None:
        raise FieldBroken("valueDateTime")
    conditions = [one for one in known if _is_of(one, expected.value)]
    booked = min((one.recorded for one in conditions if one.recorded is not None), default=expected.effective)
    weeks = None if booked is None else (PREGNANCY_DAYS - (expected.value - booked).days) // 7
    if weeks is not None and not 0 <= weeks <= 44:
        raise FieldBroken("effectiveDateTime")
    late = holdings.config.late_booking_weeks
    fields = {
        "bookingDate": iso(booked),
        "expectedDeliveryDate": iso(expected.value),
        "gestationAtBookingWeeks": weeks,
        "lateBooking": None if weeks is None or late is None else weeks >= late,
        "midwifeTeam": _midwives(holdings, who),
    }
    labels = labels_of(expected).union(*(labels_of(one) for one in conditions))
    happened_on = expected.value if expected.value < holdings.today else None
    return Made(build(health.Maternity, fields), happened_on, labels)


def _pregnancy(condition: Condition) -> Made:
    fields = {"bookingDate": iso(condition.recorded)}
    return Made(build(health.Maternity, fields), condition.recorded, labels_of(condition))


def _is_refuted(condition: Condition) -> bool:
    return bool({"refuted", mapping.ENTERED_IN_ERROR} & set(condition.verification.codes))


def _is_of(condition: Condition, due: date) -> bool:
    """Recorded in the months before that date."""
    return condition.recorded is None or timedelta(0) <= due - condition.recorded <= timedelta(days=PREGNANCY_DAYS)


def _midwives(holdings: Holdings, who: LocalPerson) -> str | None:
    for episode in episodes_of(holdings, who):
        if isinstance(episode, Unreadable):
            raise FieldBroken("EpisodeOfCare")
        if episode.use is ServiceUse.MIDWIFERY and (team := team_of(holdings, episode.resource)) is not None:
            return team.name
    return None
