"""Written names and postcodes folded to what people mean by them, in any script and of any length.

Pure text; knows no person. Case, combining marks, invisible letters, titles and bracketed additions fall away (DOMAIN
section 5), letters without a decomposition (Ł, ø) and look-alikes of other scripts are folded by tables, and `Baby` or
`Infant` is no name at all. Nothing is refused: a text that is too long to be a name is no name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST_NAME: Final = 200
"""Characters of a written name that are looked at; longer is no name. A line of a request holds as many."""

_FOLDED: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
    # Arabic letters that are written one for the other.
    | {"ى": "ي", "ة": "ه", "ـ": "", "ک": "ك", "ی": "ي"}
)
_LOOKALIKES: Final = str.maketrans(
    # Cyrillic, then Greek, small letters as they stand after case folding; from Unicode's confusables (UTS 39).
    dict(zip("авекмнорстухіѕјԁӏһԛԝ", "abekmhopctyxisjdlhqw", strict=True))
    | dict(zip("αβεικνορτυχηγ", "abeiknoptuxny", strict=True))
)
"""Letters that look Latin, folded in words that have Latin letters too: nobody writes half a name in another script."""
_CYRILLIC: Final = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэіјґ", "abvgdeziiklmnoprstufyeijg", strict=True))
    | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"}
    | {"є": "ye", "ђ": "dj", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ѕ": "dz"}
)
"""Whole words of Cyrillic as passports write them, simplified (ICAO 9303 part 3)."""
_GREEK: Final = str.maketrans(
    dict(zip("αβγδεζηικλμνξοπρστυφω", "avgdeziiklmnxoprstyfo", strict=True))
    | {"θ": "th", "χ": "ch", "ψ": "ps", "ς": "s"}
)
"""Whole words of Greek (ELOT 743, simplified)."""
_BRACKETED: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_JOINED: Final = re.compile(r"['’ʼ`´.]")
_PLACEHOLDERS: Final = frozenset(
    {"baby", "infant", "twin", "triplet", "boy", "girl", "unborn", "unknown", "male", "female", "child", "of", "one"}
    | {"two", "a", "b", "1", "2", "3", "i", "ii", "iii", "not", "known", "nk", "un", "named", "unnamed", "newborn"}
)
_TITLES: Final = frozenset({"mr", "mrs", "miss", "ms", "mx", "dr", "master", "sir", "lady"})
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}")
_LONGEST_POSTCODE: Final = 16


def words_of(text: str) -> tuple[str, ...]:
    """The folded words of a written name; none for a placeholder, and none for what is too long to be a name."""
    return _words_of(text) if len(text) <= LONGEST_NAME else ()


def postcode_key(text: str | None) -> str:
    """A postcode in capitals without spaces; empty unless it is a whole one."""
    if text is None or len(text) > _LONGEST_POSTCODE:
        return ""
    if not text.isascii():
        # Wide digits, unbreakable spaces; and what cannot be seen falls away, as in a name.
        text = "".join(sign for sign in unicodedata.normalize("NFKC", text) if not _is_unseen(sign))
    key = "".join(text.split()).upper()
    return key if _POSTCODE.fullmatch(key) else ""


@lru_cache(maxsize=65536)
def _words_of(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", _BRACKETED.sub(" ", text)).casefold()
    plain = unicodedata.normalize("NFKD", plain)
    seen = "".join(letter for letter in _JOINED.sub("", plain) if not _is_unseen(letter)).translate(_FOLDED)
    spaced = "".join(letter if letter.isalnum() else " " for letter in seen)
    words = tuple(folded for word in spaced.split() if (folded := _in_latin(word)) and folded not in _TITLES)
    return () if all(word in _PLACEHOLDERS for word in words) else words


def _is_unseen(letter: str) -> bool:
    """Combining marks, and format characters: directions, joiners, soft hyphens."""
    return not letter.isascii() and unicodedata.category(letter) in ("Mn", "Me", "Cf", "Cc", "Co", "Cn")


def _in_latin(word: str) -> str:
    if word.isascii():
        return word
    if any(letter.isascii() and letter.isalpha() for letter in word):
        return word.translate(_LOOKALIKES)
    return word.translate(_CYRILLIC).translate(_GREEK)
