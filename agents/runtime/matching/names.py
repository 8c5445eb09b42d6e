"""How far two names agree. Pure; what an agreement is worth is the weights'.

Compares folded words (`text.words_of`). Which words are spellings or short forms of one name is in the weights file, so
that its digest says all of what was compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rapidfuzz.distance import JaroWinkler

from agents.runtime.matching.levels import Family, Given
from agents.runtime.matching.text import words_of
from agents.runtime.source import PersonName

ALIKE_FROM: Final = 0.92
NEAR_FROM: Final = 0.85
_SHORTEST_SHORTENED: Final = 3

Words: TypeAlias = tuple[str, ...]
_NONE: Final[frozenset[int]] = frozenset()


class FormGroups:
    """Which words are forms of one name: groups of words; a word may be in several."""

    __slots__ = ("_forms", "_groups", "_initials")

    def __init__(self, groups: Iterable[Sequence[str]]) -> None:
        found: dict[str, set[int]] = {}
        forms: dict[str, set[str]] = {}
        for number, group in enumerate(groups):
            for word in group:
                found.setdefault(word, set()).add(number)
                forms.setdefault(word, set()).update(group)
        self._groups: Final[Mapping[str, frozenset[int]]] = {word: frozenset(at) for word, at in found.items()}
        self._forms: Final[Mapping[str, frozenset[str]]] = {word: frozenset(those) for word, those in forms.items()}
        self._initials: Final = {word: "".join({one[:1] for one in those}) for word, those in forms.items()}

    def are_one(self, one: str, other: str) -> bool:
        """Whether both are forms of a name."""
        mine = self._groups.get(one)
        return mine is not None and not mine.isdisjoint(self._groups.get(other, _NONE))

    def of(self, word: str) -> frozenset[str]:
        """Every form of whatever the word is a form of, itself included."""
        return self._forms.get(word) or frozenset((word,))

    def initials(self, word: str) -> str:
        """The letters that the forms of a word begin with, in any order."""
        return self._initials.get(word) or word[:1]

    def groups_of(self, word: str) -> list[int]:
        """The numbers of the groups a word is in."""
        return sorted(self._groups.get(word, _NONE))


@dataclass(frozen=True, slots=True)
class Forms:
    """Both kinds of forms."""

    spellings: FormGroups
    nicknames: FormGroups


@dataclass(frozen=True, slots=True)
class FoldedName:
    """A name as it is compared: the folded words of both parts; none where a part is missing or a placeholder."""

    given: Words = field(repr=False)
    family: Words = field(repr=False)

    def turned(self) -> FoldedName:
        """Given and family name in each other's place."""
        return FoldedName(self.family, self.given)


def fold_name(name: PersonName) -> FoldedName:
    """A name as it is compared."""
    return FoldedName(words_of(name.given), words_of(name.family))


def compare_given(one: Words, other: Words, forms: Forms) -> Given | None:
    """The level two given names agree on; None where one is missing."""
    if not one or not other:
        return None
    first, second = one[0], other[0]
    if first == second or "".join(one) == "".join(other):
        # Middle names may be left out, never contradicted: brothers are called Mohammed Ali and Mohammed Hassan.
        differ = len(one) > 1 and len(other) > 1 and first == second and one[1][0] != other[1][0]
        return Given.FIRST if differ else Given.SAME
    if forms.spellings.are_one(first, second):
        return Given.SPELLING
    if forms.nicknames.are_one(first, second):
        return Given.NICKNAME
    likeness = JaroWinkler.similarity(first, second)
    if likeness >= ALIKE_FROM:
        return Given.ALIKE
    if not set(one).isdisjoint(other):
        return Given.AMONG
    if begins(first, second) or begins(second, first):
        return Given.INITIAL
    return Given.NEAR if likeness >= NEAR_FROM else Given.OTHER


def compare_family(one: Words, other: Words, forms: Forms) -> Family | None:
    """The level two family names agree on, however they are hyphenated; None where one is missing."""
    if not one or not other:
        return None
    joined, second = "".join(one), "".join(other)
    if joined == second:
        return Family.SAME
    if forms.spellings.are_one(joined, second) or masculine(joined) == masculine(second):
        return Family.SPELLING
    if not set(one).isdisjoint(other):
        return Family.PART
    likeness = JaroWinkler.similarity(joined, second)
    if likeness >= ALIKE_FROM:
        return Family.ALIKE
    return Family.NEAR if likeness >= NEAR_FROM else Family.OTHER


def masculine(family: str) -> str:
    """The form in which a brother bears the name: Polish and other Slavic names of a woman end in -ska, -cka, -dzka."""
    return f"{family[:-1]}i" if family.endswith(("ska", "cka", "dzka")) else family


def begins(short: str, long: str) -> bool:
    """Whether one first name is the other's initial, or its first letters."""
    return (len(short) == 1 or len(short) >= _SHORTEST_SHORTENED) and long.startswith(short)
