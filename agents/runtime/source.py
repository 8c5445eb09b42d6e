"""The port to an agency's own system: who might be meant, what is held about them, who is specially protected.

Five methods, and one that a source may have, all synchronous and read-only. Owns the words a source and the runtime
share; refuses to know any system behind it. Who is meant is decided by `matching`, what may leave by `gatekeeper` and
`minimise`, never by a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from schemas.failures import Away, Rejected
from schemas.identifiers import Identifier
from schemas.records.record import Record
from schemas.vocabulary import Category

MAX_PEOPLE: Final = 200
"""Candidates looked at for one subject; a source that finds more has not used the query, and the look fails."""
MAX_FINDINGS: Final = 1000
"""Findings of one person and category; as many facts as an outcome may carry (`schemas.messages.answer`)."""


class SourceAway(Away):
    """The case system cannot be read just now: the same again later, until shortly before the deadline."""

    code = "source_away"


class RecordBroken(Rejected):
    """One record of the case system does not hold (a date that is none, a code nobody mapped).

    A source yields it in place of the finding, and goes on with the others. The local reference is for the agency's own
    sealed log; it is not in the text.
    """

    code = "record_broken"

    def __init__(self, category: Category, local_ref: str, field: str) -> None:
        super().__init__(f"{category.value}: field {field} of a record does not hold")
        self.category = category
        self.local_ref = local_ref
        self.field = field


class Label(StrEnum):
    """What protects a person, or a record, more than others. Policy decides by these; nothing here does."""

    LIMITED_ACCESS = "limited_access"
    """Restricted: only listed staff may see (DOMAIN section 6.4, R9 to R11)."""
    EXCLUDED = "excluded"
    """Excluded: listed staff may not see."""
    REFUGE = "refuge"
    """At a confidential address: victim of domestic abuse or resident of a refuge (R22)."""
    ADOPTED = "adopted"
    """An identity before or after adoption that must not be linked with the other (R18)."""
    SENSITIVE = "sensitive"
    """Marked sensitive in PDS or restricted in the case system (R23)."""
    UNBORN = "unborn"
    """A child expected, not a person born."""
    SEXUAL_HEALTH = "sexual_health"
    """A record of sexual health, whatever category it came in (R20)."""
    GENDER_RECOGNITION = "gender_recognition"
    """Protected by the Gender Recognition Act 2004 s22 (R19)."""
    NEEDS_REVIEW = "needs_review"
    """The agency wants a person to read this record before it leaves."""
    FERTILITY = "fertility"
    """Of treatment or donation under the Human Fertilisation and Embryology Act 1990, s33A (R21)."""
    ANONYMITY = "anonymity"
    """Anonymous for life by law: complainant in a sexual offence, young defendant (R24)."""
    SPENT = "spent"
    """A conviction that is spent, or an old caution (R25)."""


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name as it is written; comparing it is `matching`'s."""

    given: str = field(repr=False)
    family: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonAddress:
    """Where a person lives or lived."""

    line: str | None = field(default=None, repr=False)
    postcode: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LocalPerson:
    """A person as one local record has them. Nothing of it shows in a representation."""

    ref: str = field(repr=False)
    """The local reference; never leaves the agency."""
    names: tuple[PersonName, ...] = field(default=(), repr=False)
    """The current name first, earlier names and aliases after it."""
    birth_dates: tuple[date, ...] = field(default=(), repr=False)
    """The date of birth first; other dates the person has given after it."""
    expected_on: date | None = field(default=None, repr=False)
    """Expected date of delivery of an unborn child."""
    mother_ref: str | None = field(default=None, repr=False)
    """Local reference of an unborn child's mother."""
    sex: str | None = field(default=None, repr=False)
    identifiers: frozenset[Identifier] = field(default=frozenset(), repr=False)
    """Numbers the person has or had; a superseded number belongs here beside the one that replaced it."""
    addresses: tuple[PersonAddress, ...] = field(default=(), repr=False)
    labels: frozenset[Label] = frozenset()


NOBODY: Final = LocalPerson("")
"""Whom the runtime asks about where nobody is meant; what is found of them is dropped.

Looking must fail for them where it would for everybody, and not else: so a system that is away is away whoever is asked
about, and *could not look* tells nothing of who is held.
"""


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """Who is asked about, as far as the hub knows. Made by the runtime from a `Subject`."""

    names: tuple[PersonName, ...] = field(default=(), repr=False)
    birth_date: date | None = field(default=None, repr=False)
    expected_on: date | None = field(default=None, repr=False)
    identifiers: frozenset[Identifier] = field(default=frozenset(), repr=False)
    """Only identifiers whose check digits hold."""
    addresses: tuple[PersonAddress, ...] = field(default=(), repr=False)
    sex: str | None = field(default=None, repr=False)
    mothers: frozenset[str] = field(default=frozenset(), repr=False)
    """For an unborn child: local references of the adults of the same request that were matched."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One record of one category in the contract's own words, whole: nothing is left out of it yet."""

    category: Category
    record: Record = field(repr=False)
    """The category's content model (`schemas.records`), every field that is held filled in."""
    happened_on: date | None = field(default=None, repr=False)
    labels: frozenset[Label] = frozenset()
    local_ref: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What protects a person, from wherever the agency keeps that; joined with the person's own labels.

    Officers are named by their ids at the hub (`RequestHeader.officer`).
    """

    labels: frozenset[Label] = frozenset()
    allowed_officers: frozenset[str] | None = field(default=None, repr=False)
    """The only officers who may be told of the person; None: there is no such list."""
    excluded_officers: frozenset[str] = field(default=frozenset(), repr=False)
    """Officers who must not be told of the person, nor that they must not."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How the source stands, for `doctor`. No personal datum: counts, and problems in words."""

    system: str
    """What is read, for example `sqlite case database` or `FHIR R4 server`."""
    is_read_only: bool
    """Whether it was *tried* that writing is refused (or is impossible by the kind of source)."""
    counts: Mapping[str, int]
    """Records of each kind that could be read; the keys are table, resource or file-kind names."""
    problems: tuple[str, ...] = ()


@runtime_checkable
class LinkingSource(Protocol):
    """A source that can also say whom its system links to a person. Every source may be one."""

    def linked(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """People linked to that person: the household, relatives, associates. Called as the methods of `RecordSource`.

        Their names, addresses and identifiers are masked in free text that leaves, unless the request names them. If
        it fails, nothing about the person leaves.
        """
        ...


class RecordSource(Protocol):
    """An agency's case system, as the runtime reads it.

    Every method is called in a worker thread and may be slow; the runtime sets the time limit and never waits for one
    call before it makes another, so several calls may be under way at once, each in a thread of its own. A source never
    writes to the system behind it. Every method but `close` raises `SourceAway` when the system cannot be read; what
    else it raises counts as *could not look*.
    """

    def people(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Everybody who might be meant: the runtime decides who is.

        Finds at least: whoever holds one of the identifiers (also as a superseded number); whoever is born on the birth
        date, or on it with day and month swapped, and shares a name; whoever has family and given name, and a date of
        birth that may be a misreading of it or none; whoever has the family name and an address; whoever is expected
        (unborn) by one of `query.mothers`. Several local records of one person are several
        results. At most `MAX_PEOPLE`.
        """
        ...

    def findings(self, person: LocalPerson, category: Category) -> Iterator[Finding | RecordBroken]:
        """All that is held of that category about that person, in any order; nothing if the category is not kept here.

        A record that does not hold is yielded as `RecordBroken` and the others still follow. The runtime then says
        *could not look* for this category (part of a picture must not look like the whole) and answers the others.
        The iterator is read to its end, or dropped, in the thread that asked for it. About `NOBODY` it reads what it
        would read about anybody, and fails only if it would fail about everybody.
        """
        ...

    def restrictions(self, person: LocalPerson) -> Restrictions:
        """What protects that person just now. Failing means that nothing about the person is looked at.

        About `NOBODY` it fails only if it would fail about everybody.
        """
        ...

    def check(self) -> SourceReport:
        """Try the system, prove that this access cannot write, count what can be read."""
        ...

    def close(self) -> None:
        """Let go of connections; nothing is called afterwards."""
        ...
