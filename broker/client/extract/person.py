"""Whom an extract is for, from a file, and whether somebody named in a request is that person.

Compares strictly: what is told to the wrong person cannot be taken back, and what another spelling hides can be asked
for again with that spelling. Knows no log. No error says what a file says of anybody.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, model_validator

from broker.node.owner_only import read_owner_only
from schemas.failures import Failure
from schemas.identifiers import IdentifierInvalid, IdentifierKind, canonical_identifier
from schemas.messages.fields import IsoDate
from schemas.messages.model import Part, RuleBroken, failure_of
from schemas.messages.request import IdentifierGiven, NameGiven, Subject

MAX_NAMES: Final = 32
"""Every name and spelling that a person gives, twice over."""
BY_NAME: Final = "name and date of birth"


class SubjectInvalid(Failure):
    """A file that does not say for whom an extract is; the text names the field."""

    code = "subject_invalid"


class Person(Part):
    """Whom an extract is for: every name to be looked for, the date of birth, identifiers."""

    names: Annotated[list[NameGiven], Field(max_length=MAX_NAMES, default_factory=list)]
    birth_date: IsoDate | None = None
    identifiers: Annotated[list[IdentifierGiven], Field(max_length=8, default_factory=list)]

    @model_validator(mode="after")
    def _can_be_found(self) -> Person:
        if not self.identifiers and not (self.names and self.birth_date):
            raise RuleBroken("an identifier, or a name and the date of birth, is needed")
        return self


def read_person(path: Path) -> Person:
    """The person in a JSON file that nobody but its owner can read.

    Raises:
        SubjectInvalid: it says no such thing.
        KeyStoreUnsafe: it is missing, or open to others.
    """
    raw = read_owner_only(path)
    try:
        members = json.loads(raw)
    except (ValueError, UnicodeDecodeError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise SubjectInvalid(f"{path} is not JSON{line}") from None
    return person_of(members)


def person_of(members: Any) -> Person:
    """The person that these members describe; identifiers may be in any of their written forms.

    Raises:
        SubjectInvalid: a field does not hold; the text names it.
    """
    if not isinstance(members, dict):
        raise SubjectInvalid("whom the extract is for is no object with names, birth_date and identifiers")
    try:
        return Person.model_validate_json(json.dumps({**members, **_canonical(members.get("identifiers"))}))
    except IdentifierInvalid as invalid:
        raise SubjectInvalid(invalid.detail) from None
    except ValidationError as error:
        raise SubjectInvalid(failure_of(Person, error).detail) from None


def how_it_is(person: Person, named: Subject) -> str | None:
    """By what the two are one person, in words for the lead; nothing if they are not known to be."""
    given = {(one.kind, one.value) for one in person.identifiers}
    other = {(one.kind, one.value) for one in named.identifiers}
    equal = sorted(str(kind) for kind, _ in given & other)
    if equal:
        born = {person.birth_date, named.birth_date} - {None}
        return ", ".join(equal) + ("; ANOTHER DATE OF BIRTH stands in the request" if len(born) > 1 else "")
    return BY_NAME if _is_alike(person, named) and not _is_contradicted(person, named) else None


def is_contradicted(person: Person, named: Subject) -> bool:
    """Whether name and date of birth are equal and an identifier of one kind is not: perhaps another person."""
    return how_it_is(person, named) is None and _is_alike(person, named)


def _is_alike(person: Person, named: Subject) -> bool:
    if person.birth_date is None or person.birth_date != named.birth_date:
        return False
    theirs = [*([named.name] if named.name else []), *named.other_names]
    return not _folded(person.names).isdisjoint(_folded(theirs))


def _is_contradicted(person: Person, named: Subject) -> bool:
    return bool({one.kind for one in person.identifiers} & {one.kind for one in named.identifiers})


def _folded(names: list[NameGiven]) -> set[tuple[str, str]]:
    folded = {(_fold(name.given), _fold(name.family)) for name in names}
    return {name for name in folded if all(name)}


def _fold(text: str) -> str:
    """Letters and digits alone: without case, accents and apostrophes, hyphens and spaces alike."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign) and sign not in "'’ʼ")
    return " ".join("".join(sign if sign.isalnum() else " " for sign in plain).split())


def _canonical(written: Any) -> dict[str, Any]:
    if not isinstance(written, list):
        return {}
    return {"identifiers": [_one(each) for each in written]}


def _one(written: Any) -> Any:
    if not isinstance(written, dict) or written.get("kind") not in set(IdentifierKind):
        return written
    if not isinstance(written.get("value"), str):
        return written
    return {**written, "value": canonical_identifier(IdentifierKind(written["kind"]), written["value"])}
