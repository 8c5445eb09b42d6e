"""A pupil as a local person, read from a transfer file whatever else of it is broken: what can be read is looked for.

The record of who they are says what is broken. Refuses to know who is asked about, and what is held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date

from agents.education.node import FieldBroken, Node
from agents.runtime.source import LocalPerson, PersonAddress, PersonName
from schemas.identifiers import Identifier, IdentifierInvalid, IdentifierKind, parse_identifier

_UPNS = ("UPN", "FormerUPN", "BasicDetails/FormerUPN")


def read_person(school: str, pupil: Node) -> LocalPerson:
    """The person of a Pupil element."""
    birth_date = _birth_date(pupil)
    gender = {"F": "female", "M": "male"}.get(pupil.line("Gender") or "")
    return LocalPerson(
        ref=_ref(school, pupil),
        names=tuple(dict.fromkeys(_names(pupil))),
        birth_dates=() if birth_date is None else (birth_date,),
        sex=gender,
        identifiers=frozenset(_numbers(pupil)),
        addresses=tuple(_addresses(pupil)),
    )


def read_contacts(ref: str, pupil: Node) -> Iterator[LocalPerson]:
    """The contacts of a Pupil element: parents, carers and whom else the school may ring."""
    for number, contact in enumerate(pupil.nodes("Contacts/Contact")):
        name = PersonName(contact.line("Forename") or "", contact.line("Surname") or "")
        yield LocalPerson(f"{ref}/contact/{number}", names=(name,), addresses=tuple(_addresses(contact)))


def keys_of(pupil: Node) -> frozenset[str]:
    """The pupil numbers that other files may name the pupil by, as they are written: they need not hold."""
    written = (pupil.line(path) for path in _UPNS)
    return frozenset(key_of(one) for one in written if one is not None)


def key_of(written: str) -> str:
    """A pupil number as it is compared."""
    return written.strip().upper()


def _ref(school: str, pupil: Node) -> str:
    """The same for the same child in the next export, so that no look leads to another child."""
    names = "\n".join(pupil.line(path) or "" for path in ("Surname", "Forename", "DOB"))
    digest = hashlib.sha256(names.encode("utf-8")).hexdigest()[:12]
    return f"{school}/{pupil.line('UPN') or 'no UPN'}/{digest}"


def _names(pupil: Node) -> Iterator[PersonName]:
    given = pupil.line("Forename") or ""
    middle = pupil.line("BasicDetails/MiddleNames") or pupil.line("MiddleNames") or ""
    family = pupil.line("Surname") or ""
    yield PersonName(f"{given} {middle}".strip(), family)
    preferred = pupil.line("BasicDetails/PreferredForename") or given, pupil.line("BasicDetails/PreferredSurname")
    yield PersonName(preferred[0], preferred[1] or family)
    if former := pupil.line("BasicDetails/FormerSurname"):
        yield PersonName(given, former)


def _numbers(pupil: Node) -> Iterator[Identifier]:
    for key in keys_of(pupil):
        try:
            yield parse_identifier(IdentifierKind.UPN, key)
        except IdentifierInvalid:
            continue


def _addresses(pupil: Node) -> Iterator[PersonAddress]:
    for address in pupil.nodes("Address"):
        yield PersonAddress(address.line("AddressLines/AddressLine1"), address.line("PostCode"))


def _birth_date(pupil: Node) -> date | None:
    try:
        return pupil.day("DOB")
    except FieldBroken:
        return None
