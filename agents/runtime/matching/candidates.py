"""Whom a source has to name for a query: the words of `RecordSource.people`, for whoever looks a person up.

Pure, and wider than any match: naming somebody costs a comparison, missing them calls them unknown. Who of those named
is meant is `deciding`'s.
"""

from __future__ import annotations

from collections.abc import Iterable

from agents.runtime.matching.levels import Family, Given
from agents.runtime.matching.names import FoldedName, compare_family, compare_given, fold_name
from agents.runtime.matching.weights import shipped_weights
from agents.runtime.source import LocalPerson, PersonName, PersonQuery


def might_be(query: PersonQuery, person: LocalPerson) -> bool:
    """Whether a source has to name this person for the query: as wide as `RecordSource.people` promises."""
    if person.mother_ref is not None and person.mother_ref in query.mothers:
        return True
    if query.identifiers & person.identifiers:
        return True
    if any(_is_family(fold_name(a), fold_name(b)) for a in query.names for b in person.names):
        return True
    # A name turned round counts on the same date of birth alone, and whoever has that is named whatever the name.
    return query.birth_date is not None and query.birth_date in person.birth_dates


def shares_a_name(asked: PersonName, held: PersonName) -> bool:
    """Whether two names agree in one part: the element more that a date of birth is looked up with.

    A family name that stands where the given names do, first or in the middle, is a part too.
    """
    return folded_share(fold_name(asked), fold_name(held))


def is_named(asked: PersonName, held: PersonName) -> bool:
    """Whether two names agree in both parts."""
    return folded_named(fold_name(asked), fold_name(held))


def folded_share(asked: FoldedName, held: FoldedName) -> bool:
    """As `shares_a_name`, of names that are folded."""
    return _is_family(asked, held) or _is_given(asked, held) or _is_given(FoldedName(asked.family, ()), held)


def folded_named(asked: FoldedName, held: FoldedName) -> bool:
    """As `is_named`, of names that are folded."""
    return _is_family(asked, held) and _is_given(asked, held)


def family_keys(names: Iterable[FoldedName]) -> list[str]:
    """Every folded form of the family names asked for: joined, each of its words, other spellings, -ski for -ska."""
    spellings = shipped_weights().forms.spellings
    keys: set[str] = set()
    for name in names:
        joined = "".join(name.family)
        keys |= {joined, *name.family, *spellings.of(joined)}
        if joined.endswith(("ska", "cka", "dzka")):
            keys.add(f"{joined[:-1]}i")
        elif joined.endswith(("ski", "cki", "dzki")):
            keys.add(f"{joined[:-1]}a")
    return sorted(keys - {""})


def name_letters(names: Iterable[FoldedName]) -> tuple[list[str], list[str]]:
    """The letters that a family name, and a given name, begins with which agrees with one of these.

    Nicknames and spellings count; so does a name turned round, whose family name stands where given names do.
    """
    forms = shipped_weights().forms
    families: set[str] = set()
    givens: set[str] = set()
    for name in names:
        for word in {"".join(name.family), *name.family}:
            families.update(forms.spellings.initials(word))
        for word in name.given:
            givens.add(word[0])
        for word in name.given[:1]:
            givens.update(forms.spellings.initials(word), forms.nicknames.initials(word))
    return sorted(families), sorted(givens | families)


def _is_family(asked: FoldedName, held: FoldedName) -> bool:
    return compare_family(asked.family, held.family, shipped_weights().forms) not in (None, Family.OTHER)


def _is_given(asked: FoldedName, held: FoldedName) -> bool:
    return compare_given(asked.given, held.given, shipped_weights().forms) not in (None, Given.OTHER)
