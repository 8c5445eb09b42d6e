"""Conflicts of interest that the agency knows: which officers of the hub must not ask about whom (R29).

A file of the agency, read again for every request, so that a line holds from when it is written. A file that cannot be
read, or does not hold, fails the look. Refuses to know what a conflict leads to: that is a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator

from agents.runtime.matching.text import words_of
from agents.runtime.source import LocalPerson, PersonName
from broker.node.settings import Section
from broker.node.toml_table import SettingsInvalid, read_table
from schemas.failures import Rejected


class ConflictsInvalid(Rejected):
    """The list of conflicts cannot be relied on; the text names the file and the key, never a person."""

    code = "conflicts_invalid"


_Lines = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=1000)]


class _Concerned(Section):
    people: _Lines = Field(default_factory=list)
    names: _Lines = Field(default_factory=list)

    @field_validator("names")
    @classmethod
    def _are_names(cls, names: list[str]) -> list[str]:
        if not all(words_of(name) for name in names):
            raise ValueError("one of them is no name")
        return names


class _File(Section):
    officer: dict[str, _Concerned] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What one officer must not ask about: local references, and names by their words."""

    refs: frozenset[str] = field(default=frozenset(), repr=False)
    names: tuple[frozenset[str], ...] = field(default=(), repr=False)

    def touch(self, named: Iterable[PersonName], people: Iterable[LocalPerson]) -> bool:
        """Whether somebody asked about, as the hub names them or as they are held here, is one of these."""
        held = tuple(people)
        if any(person.ref in self.refs for person in held):
            return True
        names = [*named, *(name for person in held for name in person.names)]
        words = [frozenset(words_of(name.given)).union(words_of(name.family)) for name in names]
        return any(listed <= one for listed in self.names for one in words)


def read_conflicts(file: Path | None, officer: str) -> Conflicts:
    """The conflicts of an officer; none where the agency keeps no such file.

    Raises:
        ConflictsInvalid: the file is not there, or does not hold.
    """
    if file is None:
        return Conflicts()
    listed = _read(file).get(officer, _Concerned())
    return Conflicts(frozenset(listed.people), tuple(frozenset(words_of(name)) for name in listed.names))


def check_conflicts(file: Path | None) -> None:
    """Say now what every request would otherwise be the first to meet.

    Raises:
        ConflictsInvalid: as `read_conflicts`.
    """
    if file is not None:
        _read(file)


def _read(file: Path) -> Mapping[str, _Concerned]:
    try:
        return _File.model_validate(read_table(file)).officer
    except SettingsInvalid:
        raise ConflictsInvalid(f"{file.name} cannot be read, or is not TOML") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # The officer's id is part of the place and is left out, as is all that was written there.
        place = [str(step) for number, step in enumerate(first["loc"]) if number != 1]
        raise ConflictsInvalid(f"{file.name}: {'.'.join(place)}: {first['type']}") from None
