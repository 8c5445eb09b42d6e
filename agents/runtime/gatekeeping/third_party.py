"""People whom a request does not name, written over in the texts that leave (R8).

Pure. Who is masked is whoever the agency recognises from its own records: people that its system links to a subject,
and the names in the subject's own records that are marked as third parties'. Names are compared as matching compares
them, so that case, accents, look-alike letters and invisible marks do not help; addresses and numbers without their
spaces. What a subject shares with somebody else (a family name, an address) stays, unless it stands in the other's full
name. The work grows with the length of the text and the number of people, and with nothing else. Refuses to know which
text may leave at all, and finds nobody whom no record links.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from agents.runtime.matching.text import postcode_key, words_of
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.records.fields import FREE_TEXT_MAX_CHARACTERS

REDACTED: Final = "**REDACTED**"
"""What stands in place of a masked text (HMPPS External API)."""
MOST_OTHERS: Final = 2_000
"""Names looked for in a text. Whose records link more is no household: then no word of the text leaves."""
SHORTEST_WORD: Final = 2
_SHORTEST_NUMBER: Final = 5
_SHORTEST_WITHOUT_APOSTROPHE: Final = 5
_ORDINARY: Final = frozenset(
    {
        "will",
        "may",
        "mark",
        "hope",
        "grace",
        "joy",
        "rose",
        "art",
        "bill",
        "pat",
        "sue",
        "drew",
        "dawn",
        "june",
        "april",
    }
    | {"an", "do", "so", "my", "to", "me", "no", "in", "on", "he", "her", "is", "as", "at", "be", "by", "or", "and"}
    | {"young", "brown", "white", "black", "green", "grey", "king", "price", "day", "child", "best", "house", "street"}
    | {"love", "hall", "long", "little", "small", "good", "moody", "church", "wood", "field", "home", "park", "law"}
    | {"the", "for", "she", "his", "him", "they", "them", "you", "we", "it", "chance", "faith", "summer", "autumn"}
)
"""Names that are words of the language: a name only where they begin with a capital letter."""
_STREETS: Final = frozenset(
    {"street", "st", "road", "rd", "close", "cl", "lane", "ln", "terrace", "ter", "gardens", "gdns", "avenue", "ave"}
    | {"drive", "dr", "court", "ct", "place", "pl", "crescent", "cres", "way"}
)
_GENERIC: Final = _STREETS | {"flat", "apartment", "the"}
_APOSTROPHES: Final = frozenset("'’ʼ`´")
_POSSESSIVE: Final = re.compile(r"['’ʼ`´][sS]?$")
_WRITTEN_NAME_ENDS: Final = re.compile(r"[(\[,;:]| - ")


@dataclass(frozen=True, slots=True)
class Others:
    """Whom to mask: the words of each one's names, and their addresses and numbers without spaces."""

    words: Mapping[str, frozenset[int]] = field(default_factory=dict, repr=False)
    shared: frozenset[str] = field(default=frozenset(), repr=False)
    """Words of subjects' own names."""
    runs: tuple[str, ...] = field(default=(), repr=False)
    are_too_many: bool = False

    def __bool__(self) -> bool:
        return bool(self.words or self.runs or self.are_too_many)


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    keys: tuple[str, ...] = field(repr=False)
    """What it may be a name as, folded: as it stands, and without a plural or possessive s."""


def recognise(
    asked: Iterable[PersonQuery], held: Iterable[LocalPerson], linked: Iterable[LocalPerson], written: Iterable[str]
) -> Others:
    """Whom a text must not name.

    Args:
        asked, held: the subjects, as the request names them and as they are held here.
        linked: people whom the agency's system links to them.
        written: names of others as the subjects' records have them.
    """
    mine: list[LocalPerson | PersonQuery] = [*asked, *held]
    refs = {person.ref for person in mine if isinstance(person, LocalPerson)}
    others = [person for person in linked if person.ref not in refs]
    subjects = [frozenset(_words(name)) for person in mine for name in person.names]
    names = [[_words(name) for name in person.names] for person in others]
    names += [[words_of(_WRITTEN_NAME_ENDS.split(one, maxsplit=1)[0])] for one in dict.fromkeys(written)]
    words: dict[str, set[int]] = {}
    for number, forms in enumerate(names):
        for form in forms:
            if not any(subject.issuperset(form) for subject in subjects):
                for word in (*form, *(one + other for one, other in pairwise(form))):
                    if len(word) >= SHORTEST_WORD:
                        words.setdefault(word, set()).add(number)
    runs = dict.fromkeys(run for person in others for run in _runs(person))
    for person in mine:
        for run in _runs(person):
            runs.pop(run, None)
    return Others(
        {word: frozenset(whose) for word, whose in words.items()},
        frozenset().union(*subjects),
        tuple(runs),
        len(names) > MOST_OTHERS,
    )


def mask_others(text: str, others: Others) -> str:
    """The text with everybody else's names, addresses and numbers written over."""
    if not others:
        return text
    if others.are_too_many:
        return REDACTED
    tokens = list(_tokens(text))
    spans = sorted([*_name_spans(text, tokens, others), *_run_spans(text, tokens, others.runs)])
    masked, at = [], 0
    for start, end in _joined(text, spans):
        masked += [text[at:start], REDACTED]
        at = end
    masked.append(text[at:])
    # A mask may be longer than the name under it.
    return "".join(masked)[: max(len(text), FREE_TEXT_MAX_CHARACTERS)] if spans else text


def _words(name: PersonName) -> tuple[str, ...]:
    return words_of(name.given) + words_of(name.family)


def _runs(person: LocalPerson | PersonQuery) -> Iterator[str]:
    for identifier in person.identifiers:
        if len(run := _squeezed(identifier.value)) >= _SHORTEST_NUMBER:
            yield run
    for address in person.addresses:
        yield from _address_runs(address)


def _address_runs(address: PersonAddress) -> Iterator[str]:
    if postcode := postcode_key(address.postcode):
        yield postcode.casefold()
    for part in (address.line or "").split(","):
        words = [_squeezed(word) for word in part.split()]
        numbers = [at for at, word in enumerate(words) if any(letter.isdigit() for letter in word)]
        streets = [at for at, word in enumerate(words) if word and word not in _GENERIC and at not in numbers]
        if numbers and (after := [at for at in streets if at > numbers[0]]):
            yield "".join(words[numbers[0] : after[0] + 1])
            return
        if not numbers and len(streets) > 1:
            yield "".join(words)
            return


def _tokens(text: str) -> Iterator[_Token]:
    start = None
    for at, letter in enumerate(f"{text} "):
        if letter.isalnum():
            start = at if start is None else start
        elif start is not None and not (letter in _APOSTROPHES or _is_unseen(letter)):
            yield _Token(start, at, _keys(text[start:at]))
            start = None


def _keys(word: str) -> tuple[str, ...]:
    visible = "".join(letter for letter in word if letter.isascii() or not _is_unseen(letter))
    key = "".join(words_of(_POSSESSIVE.sub("", visible)))
    if key in _ORDINARY and not visible[:1].isupper():
        return ()
    plural = key.endswith("s") and len(key) >= _SHORTEST_WITHOUT_APOSTROPHE
    return (key, key[:-1]) if plural else (key,) if key else ()


def _name_spans(text: str, tokens: Sequence[_Token], others: Others) -> list[tuple[int, int]]:
    whose: list[frozenset[int]] = [
        frozenset().union(*(others.words.get(key, ()) for key in one.keys)) for one in tokens
    ]
    is_masked = [bool(ids) and others.shared.isdisjoint(one.keys) for one, ids in zip(tokens, whose, strict=True)]
    # A word that a subject has too is masked where it stands in somebody else's name; both ways, from word to word.
    for order in (range(1, len(tokens)), range(len(tokens) - 2, -1, -1)):
        for at in order:
            before = at - 1 if order.step > 0 else at + 1
            if is_masked[before] and not is_masked[at] and whose[at] & whose[before]:
                is_masked[at] = _is_gap(
                    text[min(tokens[at].end, tokens[before].end) : max(tokens[at].start, tokens[before].start)]
                )
    return [(one.start, one.end) for one, masked in zip(tokens, is_masked, strict=True) if masked]


def _run_spans(text: str, tokens: Sequence[_Token], runs: Sequence[str]) -> Iterator[tuple[int, int]]:
    if not runs:
        return
    letters = [(folded, at) for at, letter in enumerate(text) for folded in _squeezed(letter)]
    view = "".join(letter for letter, _ in letters)
    following = {one.start: one for one in tokens}
    for run in runs:
        found = view.find(run)
        while found >= 0:
            start, end = letters[found][1], letters[found + len(run) - 1][1] + 1
            is_whole = not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())
            if is_whole:
                yield start, _over_street(text, end, following)
            found = view.find(run, found + (len(run) if is_whole else 1))


def _over_street(text: str, end: int, following: Mapping[int, _Token]) -> int:
    """Where an address ends: with the word for a street, if that comes next."""
    next_at = end + len(text[end : end + 3]) - len(text[end : end + 3].lstrip())
    token = following.get(next_at)
    return token.end if token is not None and any(key in _STREETS for key in token.keys) else end


def _joined(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that overlap or have nothing but spaces or hyphens between them, as one."""
    current: tuple[int, int] | None = None
    for start, end in spans:
        if current is not None and (start <= current[1] or _is_gap(text[current[1] : start])):
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


def _is_gap(between: str) -> bool:
    return all(letter in " \t-‐‑" or _is_unseen(letter) for letter in between)


def _squeezed(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())


def _is_unseen(letter: str) -> bool:
    return not letter.isascii() and unicodedata.category(letter) in ("Mn", "Me", "Mc", "Cf")
