"""What a person did and is held to: offences, sentences, licences and their conditions; and the contact log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from agents.probation import mapping
from agents.probation.members import Members
from agents.probation.reading import Made, Reader, build, each, part
from agents.probation.spent_sentences import marking_spent
from schemas.records import probation
from schemas.records.fields import SEVERAL_MAX
from schemas.vocabulary import Category


def _offence(held: Members) -> Made:
    fields = {
        "cjsCode": held.line("cjsCode"),
        "hoCode": held.line("hoCode"),
        "courtDates": (held.days("courtDates") or ())[:SEVERAL_MAX] or None,
        "courtName": held.line("courtName"),
        "description": held.line("description"),
        "startDate": held.day("startDate"),
        "endDate": held.day("endDate"),
        "statuteCode": held.line("statuteCode"),
        "mainCategory": held.line("mainCategory"),
        "subCategory": held.line("subCategory"),
        "schedule15SexualOffence": held.flag("schedule15SexualOffence"),
        "schedule15ViolentOffence": held.flag("schedule15ViolentOffence"),
    }
    return Made(build(probation.Offence, fields), held.date("startDate"))


def _sentence(held: Members) -> Made:
    length = held.inner("length")
    fields = {
        "dateOfSentencing": held.day("dateOfSentencing"),
        "description": held.line("description"),
        "isActive": held.flag("isActive"),
        "isCustodial": held.flag("isCustodial"),
        "fineAmountPence": held.pence("fineAmount"),
        "length": None if length is None else _length(length),
    }
    return Made(build(probation.Sentence, fields), held.date("dateOfSentencing"))


def _length(held: Members) -> probation.SentenceLength | None:
    fields = {"duration": held.number("duration"), "units": held.code("units", mapping.LENGTH_UNITS)}
    return part(probation.SentenceLength, fields)


def _licence(held: Members) -> Made:
    fields = {
        "status": held.line("status"),
        "typeCode": held.code("typeCode", mapping.LICENCE_TYPES),
        "createdDate": held.day("createdDate"),
        "approvedDate": held.day("approvedDate"),
        "updatedDate": held.day("updatedDate"),
        "conditions": tuple(_condition(one) for one in held.objects("conditions")) or None,
    }
    return Made(build(probation.Licence, fields), held.date("approvedDate") or held.date("createdDate"))


def _condition(held: Members) -> probation.LicenceCondition:
    fields = {name: held.line(name) for name in ("type", "code", "category")}
    return build(probation.LicenceCondition, {**fields, "condition": held.text("condition")})


def _contact(held: Members) -> Made:
    at = held.moment("contactDateTime")
    fields = {
        "contactDateTime": None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contactType": held.line("contactType"),
        "outcome": held.line("outcome"),
        "description": held.text("description"),
        "notes": held.text("notes"),
        "officerName": held.line("officerName"),
        "teamName": held.line("teamName"),
    }
    return Made(build(probation.ContactEvent, fields), None if at is None else at.date())


_OFFENCES: Final = each(Category.PROBATION_OFFENCE, "offences", _offence)
_SENTENCES: Final = each(Category.PROBATION_SENTENCE, "sentences", _sentence)
_LICENCES: Final = each(Category.PROBATION_LICENCE, "licences", _licence)
_CONTACTS: Final = each(Category.PROBATION_CONTACT, "contact-events", _contact)


def readers(today: Callable[[], date]) -> Mapping[Category, Reader]:
    """The readers; what is spent today has the label of it (R25)."""
    return {
        Category.PROBATION_OFFENCE: marking_spent(Category.PROBATION_OFFENCE, _OFFENCES, "courtDates", today),
        Category.PROBATION_SENTENCE: marking_spent(Category.PROBATION_SENTENCE, _SENTENCES, "dateOfSentencing", today),
        Category.PROBATION_LICENCE: _LICENCES,
        Category.PROBATION_CONTACT: _CONTACTS,
    }
