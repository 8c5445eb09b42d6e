"""A name asked for, made ready once to be held against many: whether each agrees, in one part or in both.

Says of every held name what `candidates.folded_share` and `folded_named` say (a test compares them) and nothing of how
far they agree: that is `names`'. Holds what is compared with, so a held name costs a look into a set, and a likeness
only where that does not settle it.
"""

from __future__ import annotations

from typing import Final

from rapidfuzz.distance import JaroWinkler

from agents.runtime.matching.candidates import family_keys
from agents.runtime.matching.levels import Family
from agents.runtime.matching.names import (
    NEAR_FROM,
    FoldedName,
    Forms,
    Words,
    begins,
    compare_family,
)

_likeness = JaroWinkler.similarity


class SoughtName:
    """A folded name that is asked for; what is held is given as text, the folded words with a space between."""

    __slots__ = ("_asked", "_families", "_family", "_forms", "_given", "_turned")

    def __init__(self, asked: FoldedName, forms: Forms) -> None:
        self._asked: Final = asked
        self._forms: Final = forms
        self._family: Final = "".join(asked.family)
        self._families: Final = frozenset(family_keys((asked,)))
        self._given: Final = _SoughtGiven(asked.given, forms)
        # A family name may stand where the given names do, first or in the middle.
        self._turned: Final = _SoughtGiven(asked.family, forms)

    def shares(self, family: str, given: str) -> bool:
        """Whether a held name agrees in one part, or has the family name among its given names."""
        return self._is_family(family) or self._given.agrees(given) or self._turned.agrees(given)

    def is_named(self, family: str, given: str) -> bool:
        """Whether a held name agrees in both parts."""
        return self._is_family(family) and self._given.agrees(given)

    def _is_family(self, family: str) -> bool:
        if " " in family:
            level = compare_family(self._asked.family, tuple(family.split()), self._forms)
            return level is not None and level is not Family.OTHER
        if family in self._families:
            return True
        return bool(family and self._family) and _likeness(self._family, family) >= NEAR_FROM


class _SoughtGiven:
    """Given names that are asked for."""

    __slots__ = ("_first", "_joined", "_outright", "_words")

    def __init__(self, words: Words, forms: Forms) -> None:
        self._first: Final = words[0] if words else ""
        self._joined: Final = "".join(words)
        self._words: Final = frozenset(words)
        self._outright: Final = self._words.union(forms.spellings.of(self._first), forms.nicknames.of(self._first))

    def agrees(self, given: str) -> bool:
        if not given or not self._first:
            return False
        asked, (first, _, others) = self._first, given.partition(" ")
        if first in self._outright or _likeness(asked, first) >= NEAR_FROM:
            return True
        if begins(asked, first) or begins(first, asked):
            return True
        return given.replace(" ", "") == self._joined or not self._words.isdisjoint(others.split())
