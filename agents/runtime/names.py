"""When two written names are the same name: case, diacritics, punctuation, order and placeholders.

Pure text; knows no person and no rule of matching. Letters without a decomposition (Ł, ø, đ) are folded by a table,
titles and bracketed additions are dropped (DOMAIN section 5), and `Baby` or `Infant` is no name at all.
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Final

_FOLDED: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_BRACKETED: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_JOINED: Final = re.compile(r"['’ʼ`´.]")
_PLACEHOLDERS: Final = frozenset(
    {"baby", "infant", "twin", "triplet", "boy", "girl", "unborn", "unknown", "male", "female", "child", "of", "one"}
    | {"two", "a", "b", "1", "2", "3", "i", "ii", "iii", "not", "known", "nk", "un", "named", "unnamed", "newborn"}
)
_TITLES: Final = frozenset({"mr", "mrs", "miss", "ms", "mx", "dr", "master", "sir", "lady"})
_SHORTEST_SPELT_ALIKE: Final = 4
"""Shorter names one letter apart (Mia, Mya; Tom, Tim) are other names more often than misspellings."""
_SHORTEST_SHORTENED: Final = 3


class Likeness(IntEnum):
    """How alike two names are; `UNKNOWN` where one of them is missing or a placeholder."""

    OTHER = 0
    UNKNOWN = 1
    ALIKE = 2
    SAME = 3


@lru_cache(maxsize=65536)
def words_of(text: str) -> tuple[str, ...]:
    """The folded words of a written name; none for a placeholder."""
    plain = unicodedata.normalize("NFKD", _BRACKETED.sub(" ", text)).casefold().translate(_FOLDED)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    spaced = "".join(letter if letter.isalnum() else " " for letter in _JOINED.sub("", plain))
    words = tuple(word for word in spaced.split() if word not in _TITLES)
    return () if all(word in _PLACEHOLDERS for word in words) else words


def compare_given(first: str, second: str) -> Likeness:
    """Compare given names: the same if one is the beginning of the other, word by word (`Mary`, `Mary Ann`)."""
    one, other = words_of(first), words_of(second)
    if not one or not other:
        return Likeness.UNKNOWN
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter] or "".join(one) == "".join(other):
        return Likeness.SAME
    if one[0] == other[0] or _is_short_for(one[0], other[0]) or _is_spelt_alike(one[0], other[0]):
        return Likeness.ALIKE
    return Likeness.ALIKE if set(one) & set(other) else Likeness.OTHER


def compare_family(first: str, second: str) -> Likeness:
    """Compare family names: the same however hyphenated; alike if one is a part of the other (`Smith-Jones`)."""
    one, other = words_of(first), words_of(second)
    if not one or not other:
        return Likeness.UNKNOWN
    joined, other_joined = "".join(one), "".join(other)
    if joined == other_joined:
        return Likeness.SAME
    if set(one) & set(other) or _is_spelt_alike(joined, other_joined):
        return Likeness.ALIKE
    return Likeness.OTHER


def postcode_key(text: str | None) -> str:
    """A postcode in capitals without spaces; empty unless it is a whole one."""
    key = "".join((text or "").split()).upper()
    return key if re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}", key) else ""


def _is_short_for(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return (len(short) == 1 and long[0] == short) or (len(short) >= _SHORTEST_SHORTENED and long.startswith(short))


def _is_spelt_alike(one: str, other: str) -> bool:
    """One letter put in, left out or changed, or two neighbours swapped; in names of four letters and more."""
    if min(len(one), len(other)) < _SHORTEST_SPELT_ALIKE or abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        apart = [at for at, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
        if len(apart) == 1:
            return True
        return (
            len(apart) == 2
            and apart[1] == apart[0] + 1
            and one[apart[0]] == other[apart[1]]
            and one[apart[1]] == other[apart[0]]
        )
    short, long = sorted((one, other), key=len)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
