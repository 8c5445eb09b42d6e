"""How often one officer may describe one person differently, so that outcomes cannot be used to guess.

Whether a description matched, may match or does not is worth something to whoever guesses a date of birth or an
address. Two caps, over thirty days; repeating a description costs nothing.

* An officer may describe people of one name in `MAX_DESCRIPTIONS` ways. Beyond that the outcome is *could not look:
  too-many-tries*: a function of what the officer asked alone, the same whether somebody is held, matches, or is
  protected by silence. It tells least, and is no false *not known*.
* When `MAX_DOUBTS` different descriptions were a possible match for a local record, the next match of it is only
  possible, until the thirty days are over: writing the name in ever new ways does not lead to the certain answer.

Kept are codes under a key of the store, no names. Decides nothing about who is meant; what is over the cap is in the
agency's own sealed log with the reason, and counted.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from agents.runtime.matching.places import fold_place
from agents.runtime.matching.text import words_of
from agents.runtime.source import PersonQuery
from broker.node.store import Transaction

MAX_DESCRIPTIONS: Final = 20
"""A busy officer asks about a dozen people of the commonest name a month; a date of birth takes hundreds of guesses."""
MAX_DOUBTS: Final = 6
KEPT_FOR: Final = timedelta(days=30)
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Tries:
    """What one officer described, counted in one transaction."""

    tx: Transaction
    officer: str
    now: int
    _key: bytes = field(repr=False)

    @classmethod
    def of(cls, tx: Transaction, officer: str, now: int) -> Tries:
        """The tries of an officer at `now` (milliseconds UTC); what is too old to count is forgotten."""
        tx.execute("DELETE FROM tried WHERE first_at <= ?", (now - int(KEPT_FOR.total_seconds() * 1000),))
        row = tx.execute("SELECT key FROM tried_key").fetchone()
        if row is None:
            row = (secrets.token_bytes(_KEY_BYTES),)
            tx.execute("INSERT INTO tried_key (key) VALUES (?)", row)
        return cls(tx, officer, now, row[0])

    def may_describe(self, query: PersonQuery) -> bool:
        """Whether the officer may describe a person of that name in one more way; notes it where he may."""
        description = self._code("description", _described(query))
        about = [self._code("name", (self.officer, name)) for name in _names(query)]
        if any(self._others(one, description) >= MAX_DESCRIPTIONS for one in about if not self._has(one, description)):
            return False
        for one in about:
            self._note(one, description)
        return True

    def note_doubt(self, query: PersonQuery, refs: Iterable[str]) -> None:
        """A description was a possible match for these local records."""
        description = self._code("description", _described(query))
        for ref in refs:
            self._note(self._code("record", (self.officer, ref)), description)

    def has_doubted(self, query: PersonQuery, refs: Iterable[str]) -> bool:
        """Whether so many other descriptions were a possible match for one of these that a match is only possible."""
        description = self._code("description", _described(query))
        return any(self._others(self._code("record", (self.officer, ref)), description) >= MAX_DOUBTS for ref in refs)

    def _has(self, about: bytes, description: bytes) -> bool:
        found = self.tx.execute("SELECT 1 FROM tried WHERE about = ? AND description = ?", (about, description))
        return found.fetchone() is not None

    def _others(self, about: bytes, description: bytes) -> int:
        ((count,),) = self.tx.execute(
            "SELECT count(*) FROM tried WHERE about = ? AND description <> ?", (about, description)
        ).fetchall()
        return int(count)

    def _note(self, about: bytes, description: bytes) -> None:
        self.tx.execute("INSERT OR IGNORE INTO tried VALUES (?, ?, ?)", (about, description, self.now))

    def _code(self, purpose: str, parts: Sequence[str]) -> bytes:
        # Each part is preceded by its length, so that no two lists of parts are one text.
        text = "".join(f"{len(part)}:{part}" for part in (purpose, *parts))
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _names(query: PersonQuery) -> list[str]:
    """What a person is called, coarsely; a person without a name by the numbers, or by nothing."""
    names = {f"{' '.join(words_of(name.given)[:1])}|{''.join(words_of(name.family))}" for name in query.names} - {"|"}
    return sorted(names or {f"{one.kind.value} {one.value}" for one in query.identifiers} or {""})


def _described(query: PersonQuery) -> list[str]:
    """All that a query says of a person, in one order."""
    places = (fold_place(address) for address in query.addresses)
    said = {
        *(f"name {words_of(name.given)} {words_of(name.family)}" for name in query.names),
        *(f"number {one.kind.value} {one.value}" for one in query.identifiers),
        *(f"place {place.number} {sorted(place.street)} {place.postcode}" for place in places),
        f"born {query.birth_date} {query.expected_on} {query.sex}",
    }
    return sorted(said)
