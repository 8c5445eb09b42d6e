"""The rest of the county as the police know it: drawn by lot, wrong in the ways force systems are wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from broker.demo.county.criminal import cro_of, has_record, pnc_of
from broker.demo.county.model import Person
from broker.demo.county.names import NICKNAMES, OFFICERS
from broker.demo.county.police_rows import Rows

_OFFENCES: Final = (
    "Shoplifting",
    "Criminal damage",
    "Common assault",
    "Drink driving",
    "Possession of cannabis",
    "Burglary",
)
_DISPOSALS: Final = ("Conditional discharge", "Fine", "Community order, 12 months", "Suspended sentence, 8 months")
_CALLS: Final = ("Antisocial behaviour", "Concern for safety", "Road traffic collision", "Neighbour dispute", "Theft")
_DOMESTIC: Final = ("Domestic incident, no crime", "Common assault, domestic", "Harassment, domestic")
_GRADES: Final = ("High", "Medium", "Medium", "Low", "Low", "Low")
_EXPLOITATION: Final = ("CSE", "CCE", "CCE", "RAD", "MSHT", "GANG")
_MARKERS: Final = (("VI", "Violent"), ("WE", "Weapons"), ("DR", "Drugs"), ("SH", "Self-harm"), ("ME", "Mental health"))
_DAYS_BACK: Final = 6 * 365


def add_everyone(rows: Rows) -> None:
    """Add what the police know of people who are no hard case: about one adult in five, one child in ten."""
    cases = set(rows.county.cases.values())
    for person in rows.county.people.values():
        if person.id not in cases and not person.unborn:
            (_add_adult if person.age_on(rows.county.as_of) >= 18 else _add_child)(rows, person)


def _add_adult(rows: Rows, person: Person) -> None:
    draws = rows.draws
    if draws.chance(9):
        _add_call(rows, person)
    if has_record(rows.county, person):
        _add_offender(rows, person)
    if draws.chance(4):
        _add_domestic(rows, person)
    if rows.knows(person) and draws.chance(4):
        # The commonest fault: the same human again, from another stop, spelled as it was heard.
        again = rows.new_nominal(person, _misheard(person.given), person.family, None, rows.ago(draws.number(10, 900)))
        rows.alias(again, "nickname", NICKNAMES.get(person.given, person.given[:3]), person.family)


def _add_child(rows: Rows, person: Person) -> None:
    draws, age = rows.draws, person.age_on(rows.county.as_of)
    if draws.chance(5):
        nominal, on = _nominal(rows, person), _recent(rows, person)
        summary = "Child present when officers attended. Seen and spoken to."
        rows.notice(nominal, None, "child", draws.one(_GRADES), on, summary, domestic_abuse=draws.chance(40))
    if age >= 11 and draws.chance(3):
        nominal = _nominal(rows, person)
        for _ in range(draws.number(1, 3)):
            on = _recent(rows, person)
            found = on + timedelta(days=draws.number(0, 2))
            rows.numbered("missing_episode", nominal, on, found, draws.one(_GRADES), draws.chance(60))
        if draws.chance(40):
            rows.numbered(
                "exploitation_flag", nominal, draws.one(_EXPLOITATION), draws.one(_GRADES), _recent(rows, person), None
            )
    if draws.chance(0.3):
        on = _recent(rows, person)
        ended = on + timedelta(days=draws.number(0, 2))
        rows.numbered("protection_power", _nominal(rows, person), on, ended, "Found alone")


def _add_call(rows: Rows, person: Person) -> None:
    draws = rows.draws
    nominal, on, kind = _nominal(rows, person), _recent(rows, person), draws.one(_CALLS)
    role = draws.one(("victim", "witness", "subject"))
    rows.event(kind, on, rows.county.place_of(person), "Filed", f"{kind}.", roles=((nominal, role),))


def _add_offender(rows: Rows, person: Person) -> None:
    draws = rows.draws
    nominal, on, offence = _nominal(rows, person), _recent(rows, person), draws.one(_OFFENCES)
    rows.identifier(nominal, "PNC", pnc_of(rows.county, person))
    if draws.chance(60):
        rows.identifier(nominal, "CRO", cro_of(rows.county, person))
    place = rows.county.place_of(person)
    event = rows.event(offence, on, place, "Charged", f"{offence}.", roles=((nominal, "suspect"),))
    rows.custody(nominal, event, on, offence, "Charged")
    later = min(on + timedelta(days=draws.number(30, 200)), rows.county.as_of)
    caution = draws.chance(30)
    rows.disposal(nominal, later, offence, "Caution" if caution else draws.one(_DISPOSALS), caution=caution)
    if draws.chance(25):
        rows.numbered("warning_marker", nominal, *draws.one(_MARKERS), on, None)
    if draws.chance(10):
        raw = f"Source states {person.given} is dealing from the address most evenings."
        sanitised = "There is reporting of drug supply linked to the address." if draws.chance(50) else None
        by = draws.one(OFFICERS)[1] if sanitised else None
        rows.intelligence(nominal, on, (draws.one("123"), draws.one("ABCD"), draws.one("PPC")), raw, sanitised, by)


def _add_domestic(rows: Rows, person: Person) -> None:
    draws = rows.draws
    household = rows.county.with_household(person)
    others = [other for other in household if other.id != person.id and other.age_on(rows.county.as_of) >= 18]
    if not others:
        return
    victim, suspect = _nominal(rows, person), _nominal(rows, others[0])
    children = [child for child in household if 0 <= child.age_on(rows.county.as_of) < 18 and not child.unborn]
    on = _recent(rows, person)
    event = rows.event(
        draws.one(_DOMESTIC),
        on,
        rows.county.place_of(person),
        "Advice given",
        "Argument between partners.",
        domestic_abuse=True,
        children_present=bool(children),
        roles=((victim, "victim"), (suspect, "suspect")),
    )
    score = draws.number(1, 18)
    marac = min(on + timedelta(days=14), rows.county.as_of) if score >= 14 else None
    rows.da_assessment(event, victim, suspect, on, score, marac, None)
    for child in children:
        if child.born_on <= on:
            summary = "Child of the household; not injured."
            rows.notice(_nominal(rows, child), event, "child", draws.one(_GRADES), on, summary, domestic_abuse=True)


def _nominal(rows: Rows, person: Person) -> str:
    """Return a person's nominal; where it is made now, its particulars may be a little wrong."""
    if not rows.knows(person):
        draws = rows.draws
        given: str | None = " ".join(name for name in (person.given, person.middle) if name)
        born_on: date | None = person.born_on
        if draws.chance(3):
            given = _misheard(person.given)
        if draws.chance(2) and person.born_on.day <= 12:
            born_on = person.born_on.replace(month=person.born_on.day, day=person.born_on.month)
        elif draws.chance(2):
            born_on = None
        created = draws.day(max(person.born_on, rows.ago(_DAYS_BACK)), rows.county.as_of)
        nominal = rows.new_nominal(person, given, person.family, born_on, created)
        rows.remember(person, nominal)
        if person.birth_family and draws.chance(50):
            rows.alias(nominal, "birth name", person.given, person.birth_family, person.born_on)
    return rows.nominal_of(person)


def _recent(rows: Rows, person: Person) -> date:
    # A grown-up's record starts at fourteen: nothing here is about the child they were.
    adult = person.age_on(rows.county.as_of) >= 18
    earliest = person.born_on + timedelta(days=14 * 366 if adult else 0)
    return rows.draws.day(max(earliest, rows.ago(_DAYS_BACK)), rows.county.as_of)


def _misheard(name: str) -> str:
    """Spell a name as it was heard: doubled letters lost, `ph` as `f`, `y` as `ie`."""
    heard = "".join(letter for place, letter in enumerate(name) if place == 0 or letter != name[place - 1])
    heard = heard.replace("ph", "f").replace("ck", "k")
    return f"{heard[:-1]}ie" if heard.endswith("y") else heard if heard != name else f"{name}e"
