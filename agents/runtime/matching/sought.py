"""A name asked for, made ready once to be held against many: which of them agree, in one part or in both.

Says of every held name what `candidates.folded_share` and `folded_named` say (a test compares them) and nothing of how
far they agree: that is `names`'. What a look into a set does not settle, one call settles for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import extract

from agents.runtime.matching.candidates import family_keys
from agents.runtime.matching.levels import Family
from agents.runtime.matching.names import NEAR_FROM, FoldedName, Forms, Words, begins, compare_family

Row: TypeAlias = Sequence[Any]
"""Somebody held, as an index has them: a number, the words of the family name, and those of the given names, with a
space between. What follows is not looked at."""

_NEARLY_NEAR: Final = NEAR_FROM - 1e-6
"""The library rounds at its cut: what lies on the edge is kept, and told apart here."""


class SoughtName:
    """A folded name that is asked for."""

    __slots__ = ("_asked", "_families", "_family", "_forms", "_given", "_turned")

    def __init__(self, asked: FoldedName, forms: Forms) -> None:
        self._asked: Final = asked
        self._forms: Final = forms
        self._family: Final = "".join(asked.family)
        self._families: Final = frozenset(family_keys((asked,)))
        self._given: Final = _SoughtGiven(asked.given, forms)
        # A family name may stand where the given names do, first or in the middle.
        self._turned: Final = _SoughtGiven(asked.family, forms)

    def sharing(self, rows: Sequence[Row]) -> list[int]:
        """The numbers of those whose name agrees in one part, or who have the family name among their given names."""
        if not rows:
            return []
        firsts = _firsts(rows)
        agree = self._which_families(rows) | self._given.which(rows, firsts) | self._turned.which(rows, firsts)
        return [rows[at][0] for at in sorted(agree)]

    def named(self, rows: Sequence[Row]) -> list[int]:
        """The numbers of those whose name agrees in both parts."""
        if not rows:
            return []
        agree = self._which_families(rows) & self._given.which(rows, _firsts(rows))
        return [rows[at][0] for at in sorted(agree)]

    def _which_families(self, rows: Sequence[Row]) -> set[int]:
        """The places of those whose family name agrees."""
        agree = {
            at for at, row in enumerate(rows) if row[1] in self._families or (" " in row[1] and self._is_part(row[1]))
        }
        return agree if len(agree) == len(rows) else agree | _which_near(self._family, [row[1] for row in rows])

    def _is_part(self, family: str) -> bool:
        """Whether a family name of several words agrees."""
        level = compare_family(self._asked.family, tuple(family.split()), self._forms)
        return level is not None and level is not Family.OTHER


class _SoughtGiven:
    """Given names that are asked for."""

    __slots__ = ("_first", "_joined", "_outright", "_words")

    def __init__(self, words: Words, forms: Forms) -> None:
        self._first: Final = words[0] if words else ""
        self._joined: Final = "".join(words)
        self._words: Final = frozenset(words)
        self._outright: Final = self._words.union(forms.spellings.of(self._first), forms.nicknames.of(self._first))

    def which(self, rows: Sequence[Row], firsts: Sequence[str]) -> set[int]:
        """The places of those whose given names agree; `firsts` has the first of each."""
        asked = self._first
        if not asked:
            return set()
        agree = {
            at
            for at, first in enumerate(firsts)
            if first in self._outright or (first[:1] == asked[0] and (begins(asked, first) or begins(first, asked)))
        }
        agree.update([at for at, row in enumerate(rows) if " " in row[2] and self._is_among(row[2])])
        return agree if len(agree) == len(rows) else agree | _which_near(asked, firsts)

    def _is_among(self, given: str) -> bool:
        """Whether one of several given names agrees, or all of them in one word."""
        return given.replace(" ", "") == self._joined or not self._words.isdisjoint(given.split())


def _firsts(rows: Sequence[Row]) -> list[str]:
    return [row[2].partition(" ")[0] for row in rows]


def _which_near(asked: str, held: Sequence[str]) -> set[int]:
    """The places of words whose likeness is at least that of names which are near."""
    if not asked or not held:
        return set()
    found = extract(asked, held, scorer=JaroWinkler.similarity, score_cutoff=_NEARLY_NEAR, limit=None)
    return {at for _, likeness, at in found if likeness >= NEAR_FROM}
