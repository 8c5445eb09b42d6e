"""Which of a person's convictions are spent on a day, by the sentences that the folder has.

An offence belongs to the sentences of its days in court. A sentence that is active, or does not say that it is not, is
not spent; one that does not hold breaks the look, since nobody could say of the others either. Refuses to know what may
leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from agents.probation.folder import Folder, ResourceBroken
from agents.probation.members import MemberBroken, Members
from agents.probation.people import birth_dates_of
from agents.probation.reading import Found, Reader, file_broken
from agents.runtime.source import Finding, Label, RecordBroken
from agents.runtime.spent import Kind, Sentence, kind_of, spent, was_minor
from schemas.vocabulary import Category


def marking_spent(category: Category, read: Reader, days: str, today: Callable[[], date]) -> Reader:
    """A reader whose findings have the label of spent convictions.

    Args:
        days: the field of a record that says when it was in court: a day, or several.
    """

    def marked(folder: Folder, crn: str) -> Found:
        found = list(read(folder, crn))
        if any(isinstance(one, RecordBroken) for one in found):
            yield from found  # nothing of the category leaves
            return
        try:
            over = _spent_days(folder, crn, today())
        except ResourceBroken as broken:
            yield file_broken(category, broken)
            return
        except MemberBroken as broken:
            yield RecordBroken(category, f"sentences/{crn}", broken.name)
            return
        for one in found:
            said = one.record.as_fact().get(days) if isinstance(one, Finding) else None
            in_court = [said] if isinstance(said, str) else said if isinstance(said, list) else []
            if isinstance(one, Finding) and in_court and over.issuperset(map(str, in_court)):
                yield replace(one, labels=one.labels | {Label.SPENT})
            else:
                yield one

    return marked


def _spent_days(folder: Folder, crn: str, today: date) -> frozenset[str]:
    """Days on which only such sentences were passed as are spent."""
    plain = _plain_days(_objects(folder.read("offences").get(crn)))
    person = folder.read("persons").get(crn)
    births = birth_dates_of(Members(person)) if isinstance(person, dict) else ()
    by_day: dict[date, list[Sentence]] = {}
    for held in _objects(folder.read("sentences").get(crn)):
        on = held.date("dateOfSentencing")
        if on is None:
            return frozenset()
        sentence = _sentence(held, on, is_specified=on.isoformat() not in plain)
        by_day.setdefault(on, []).append(replace(sentence, was_minor=was_minor(births, on)))
    over = spent(list(by_day.values()), today)
    return frozenset(day.isoformat() for day, is_spent in zip(by_day, over, strict=True) if is_spent)


def _sentence(held: Members, on: date, *, is_specified: bool) -> Sentence:
    length = held.inner("length")
    number, unit = (None, None) if length is None else (length.number("duration"), length.line("units"))
    measured = None if number is None or unit is None else (number, unit)
    kind = Kind.CUSTODY if held.flag("isCustodial") else kind_of(held.line("description") or "")
    return Sentence(on, kind if held.flag("isActive") is False else Kind.UNKNOWN, measured, is_specified)


def _plain_days(offences: Iterable[Members]) -> frozenset[str]:
    """Days in court of offences none of which is marked, nor may be, as one of Schedule 15."""
    plain: set[str] = set()
    marked: set[str] = set()
    for one in offences:
        flags = (one.flag("schedule15SexualOffence"), one.flag("schedule15ViolentOffence"))
        (plain if flags == (False, False) else marked).update(one.days("courtDates") or ())
    return frozenset(plain - marked)


def _objects(held: Any) -> list[Members]:
    if held is None:
        return []
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
        raise MemberBroken("sentences")
    return [Members(one) for one in held]
