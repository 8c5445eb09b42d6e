"""The rows of the force's tables while they are made: numbers given out in order, each place and event written once.

Owns columns and numbering (the order of `schema.sql`). Refuses to know what happened; that is drawn or told elsewhere.
"""

from __future__ import annotations

from datetime import date
from typing import Final, TypeAlias

from broker.demo.county import story
from broker.demo.county.draws import Draws
from broker.demo.county.model import County, Person, PersonId, Place

Value: TypeAlias = str | int | None
Row: TypeAlias = tuple[Value, ...]

TABLES: Final = (
    "person",
    "person_alias",
    "person_identifier",
    "location",
    "person_address",
    "event",
    "event_role",
    "warning_marker",
    "vulnerability_notice",
    "missing_episode",
    "protection_power",
    "exploitation_flag",
    "custody_record",
    "disposal",
    "intelligence",
    "da_assessment",
)
"""In an order in which every reference is already there."""


class Rows:
    """The force's tables being filled."""

    def __init__(self, county: County) -> None:
        self.county: Final = county
        self.draws: Final = Draws(county.seed, "police")
        self.tables: Final[dict[str, list[Row]]] = {table: [] for table in TABLES}
        self.nominals: Final[dict[str, PersonId]] = {}
        self._known: dict[PersonId, str] = {}
        self._locations: dict[Place, str] = {}

    def ago(self, days: int) -> date:
        """Return the day so many days before the county's day."""
        return story.ago(self.county.as_of, days)

    def add(self, table: str, *values: Value | date | bool) -> None:
        """Add a row; dates as ISO text, booleans as Y and N."""
        self.tables[table].append(tuple(_plain(value) for value in values))

    def nominal_of(self, person: Person) -> str:
        """Return the person's nominal; the first time, make it from their true particulars."""
        if person.id not in self._known:
            given = " ".join(name for name in (person.given, person.middle) if name)
            created = self.draws.day(max(date(2008, 1, 1), person.born_on), self.county.as_of)
            self._known[person.id] = self.new_nominal(person, given, person.family, person.born_on, created)
        return self._known[person.id]

    def knows(self, person: Person) -> bool:
        """Say whether the person has a nominal already."""
        return person.id in self._known

    def remember(self, person: Person, nominal: str) -> None:
        """Let a nominal that was made with wrong particulars be the one later rows hang on."""
        self._known[person.id] = nominal

    def new_nominal(self, person: Person, given: str | None, family: str, born_on: date | None, created: date) -> str:
        """Make one more nominal of a person, with these particulars, and its addresses."""
        nominal = f"N{len(self.nominals) + 1:07d}"
        self.nominals[nominal] = person.id
        self.add("person", nominal, family, given, born_on, person.sex, person.ethnicity, person.phone, created)
        is_refuge = self.county.households[person.household].is_refuge
        home = self.location_of(self.county.place_of(person))
        self.add("person_address", nominal, home, "safe" if is_refuge else "home", created, None)
        for place in person.former_places:
            if (former := self.location_of(place)) != home:
                self.add("person_address", nominal, former, "previous", None, created)
        return nominal

    def location_of(self, place: Place) -> str:
        """Return the place's location, made once."""
        if place not in self._locations:
            self._locations[place] = f"L{len(self._locations) + 1:07d}"
            self.add("location", self._locations[place], place.line1, place.town, place.postcode)
        return self._locations[place]

    def alias(self, nominal: str, kind: str, given: str | None, family: str, born_on: date | None = None) -> None:
        """Add a name a nominal also uses: `alias`, `birth name` or `nickname`."""
        self.add("person_alias", len(self.tables["person_alias"]) + 1, nominal, kind, family, given, born_on)

    def identifier(self, nominal: str, kind: str, value: str) -> None:
        """Add a PNC, CRO, CRN or NHS number as the force wrote it down."""
        self.add("person_identifier", nominal, kind, value)

    def event(
        self,
        kind: str,
        on: date,
        place: Place,
        outcome: str,
        summary: str,
        *,
        domestic_abuse: bool = False,
        children_present: bool = False,
        roles: tuple[tuple[str, str], ...],
    ) -> str:
        """Add an event and the parts of nominals in it; return its number."""
        number = len(self.tables["event"]) + 1
        event = f"E{number:07d}"
        reference = f"ZZ{on.year % 100:02d}/{number:06d}"
        where = self.location_of(place)
        self.add("event", event, reference, kind, on, where, outcome, domestic_abuse, children_present, summary)
        for nominal, role in roles:
            self.add("event_role", event, nominal, role)
        return event

    def notice(
        self, nominal: str, event: str | None, about: str, grade: str, on: date, summary: str, *, domestic_abuse: bool
    ) -> None:
        """Add a vulnerability notice about a nominal."""
        number = len(self.tables["vulnerability_notice"]) + 1
        kind = "PPN" if about == "child" else "VIST"
        reference = f"{kind}{on.year % 100:02d}/{number:05d}"
        self.add(
            "vulnerability_notice",
            f"V{number:07d}",
            reference,
            kind,
            nominal,
            event,
            about,
            grade,
            on,
            domestic_abuse,
            summary,
        )

    def da_assessment(
        self, event: str, victim: str, suspect: str | None, on: date, score: int, marac: date | None, order: str | None
    ) -> None:
        """Add a DASH assessment; 14 ticks or more are high."""
        number = f"D{len(self.tables['da_assessment']) + 1:07d}"
        grade = "High" if score >= 14 else "Medium" if score >= 8 else "Standard"
        self.add("da_assessment", number, event, victim, suspect, on, score, grade, marac, order, marac is not None)

    def custody(
        self, nominal: str, event: str | None, on: date, offence: str, outcome: str, bail: str | None = None
    ) -> None:
        """Add a custody record."""
        self.add(
            "custody_record",
            f"C{len(self.tables['custody_record']) + 1:07d}",
            nominal,
            event,
            on,
            offence,
            outcome,
            bail,
        )

    def disposal(self, nominal: str, on: date, offence: str, disposal: str, *, caution: bool = False) -> None:
        """Add a conviction or caution."""
        self.add("disposal", len(self.tables["disposal"]) + 1, nominal, on, offence, disposal, caution)

    def numbered(self, table: str, nominal: str, *values: Value | date | bool) -> None:
        """Add a row of a table whose key is a running number followed by the nominal."""
        self.add(table, len(self.tables[table]) + 1, nominal, *values)

    def intelligence(
        self, nominal: str, on: date, grading: tuple[str, str, str], raw: str, sanitised: str | None, by: str | None
    ) -> None:
        """Add a report graded source, information and handling."""
        conditions = "Not to be acted on without the originator" if grading[2] == "C" else None
        number = f"I{len(self.tables['intelligence']) + 1:07d}"
        self.add("intelligence", number, nominal, on, *grading, conditions, raw, sanitised, by)


def _plain(value: Value | date | bool) -> Value:
    if isinstance(value, bool):
        return "Y" if value else "N"
    return value.isoformat() if isinstance(value, date) else value
