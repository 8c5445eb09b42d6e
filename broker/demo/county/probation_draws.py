"""The rest of the county as probation knows it: about a third of those with a criminal record."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from broker.demo.county.criminal import has_record
from broker.demo.county.model import Person
from broker.demo.county.names import NICKNAMES
from broker.demo.county.probation_files import Files

_OFFENCES: Final = (
    ("Theft from a shop", False),
    ("Criminal damage", False),
    ("Assault occasioning actual bodily harm", True),
    ("Driving while over the limit", False),
    ("Possession with intent to supply", False),
    ("Common assault", True),
)
_LEVELS: Final = ("LOW", "LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH", "VERY_HIGH")
_REGISTERS: Final = ("ALSH", "RCCO", "RCPR", "RVAD", "STRG", "WEAP", "WRSM")


def add_everyone(files: Files) -> None:
    """Add what probation knows of people who are no hard case."""
    cases = set(files.county.cases.values())
    for person in files.county.people.values():
        if person.id not in cases and has_record(files.county, person) and files.draws.chance(35):
            _add_person(files, person)


def _add_person(files: Files, person: Person) -> None:
    draws = files.draws
    active = draws.chance(60)
    sentenced = files.ago(draws.number(20, 300) if active else draws.number(800, 2_000))
    changed = {"lastName": f"{person.family}e"} if draws.chance(3) else {}
    crn = files.person(person, supervised=active, **changed)
    if (nickname := NICKNAMES.get(person.given)) is not None:
        known_as = {"firstName": nickname, "lastName": person.family, "middleName": None, "dateOfBirth": None}
        files.resources["persons"][crn]["aliases"].append(known_as)
    what, violent = draws.one(_OFFENCES)
    files.offence(crn, sentenced - timedelta(days=draws.number(30, 300)), sentenced, what, violent=violent)
    custodial = draws.chance(25)
    kind, units = ("Imprisonment", "Months") if custodial else ("Community order", "Months")
    files.sentence(crn, sentenced, kind, draws.number(6, 24), units, active=active, custodial=custodial)
    level = draws.one(_LEVELS)
    if active:
        if custodial:
            wording = "To be of good behaviour and not undermine the purpose of the licence period."
            files.licence(crn, sentenced, (("Standard", wording),))
        children = draws.one(("LOW", "LOW", "MEDIUM", level))
        files.rosh(crn, sentenced, level, children, who="Members of the public.", nature=f"{what}.")
        if draws.chance(40):
            files.register(crn, draws.one(_REGISTERS), sentenced)
        if level in {"HIGH", "VERY_HIGH"} and violent:
            files.mappa(crn, draws.number(1, 2), 2, sentenced, "Reviewed each quarter.")
        for _ in range(draws.number(1, 4)):
            on = draws.day(sentenced, files.county.as_of)
            files.contact(
                crn, on, "Office appointment", draws.one(("Attended, complied", "Failed to attend")), "Routine."
            )
