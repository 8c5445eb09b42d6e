"""One request at the review desk: what would leave of it, how that is known again, and how many people it takes.

Pure but for one random key that is handed in. Everything is made of what was just looked up: nothing of it is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.runtime.answering.jobs import Job
from agents.runtime.gatekeeping.outcomes import Decided, Looked
from agents.runtime.gatekeeping.ruling import Heard, Ruling
from agents.runtime.source import Finding
from schemas.messages.grant import Grant
from schemas.messages.request import RequestHeader, Told
from schemas.vocabulary import Category, LawfulBasis, SubjectRole

_NAME_DIGITS: Final = 12
CHILDREN: Final = frozenset({SubjectRole.INDEX_CHILD, SubjectRole.OTHER_CHILD, SubjectRole.UNBORN_CHILD})
IN_WRITING: Final = frozenset({LawfulBasis.SSWBA_162, LawfulBasis.SSWBA_164})
"""Asked on these, a relevant partner in Wales declines in writing only (R35)."""


@dataclass(slots=True)
class Case:
    """A request that waits for a person, opened."""

    job: Job = field(repr=False)
    header: RequestHeader
    grant: Grant
    told: Told = field(repr=False)
    stir: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something happened to it: a person acted, or the hub ended it."""
    is_over: bool = False
    """Nobody acted in time; what nobody read is withheld."""

    @property
    def exchange(self) -> str:
        """The exchange it is about."""
        return self.job.exchange

    def categories(self) -> tuple[Category, ...]:
        """What is granted, each once."""
        return tuple(dict.fromkeys(one.category for one in self.grant.scope))

    def people_needed(self, ruling: Ruling, two_person: frozenset[Category]) -> int:
        """How many different people must let it leave: by what is granted and not declined, never by what is held."""
        refused = {one.category for one in ruling.refusals if one.subject is None}
        left = () if None in refused else (one for one in self.categories() if one not in refused)
        return 2 if any(one in two_person for one in left) else 1


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was found, and what people have said of it."""

    heard: Heard
    looked: tuple[Looked, ...] = field(repr=False)
    said_at: int = 0
    """When they had said it, or their time was over, milliseconds UTC; 0: nobody had to."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names for records and for what was shown, under this agency's own key."""

    key: bytes = field(repr=False)
    exchange: str

    def of(self, subject: str, finding: Finding) -> str:
        """What a record is called: the same while it says the same."""
        said = [finding.category.value, finding.local_ref, str(finding.happened_on), repr(finding.record.as_fact())]
        return self._digest("record", [subject, *said])[:_NAME_DIGITS]

    def shown(self, decided: Sequence[Decided], ruling: Ruling) -> str:
        """What would leave, as a digest: another as soon as anything of it is another."""
        return self._digest("shown", [ruling.model_dump_json(), *(one.row.model_dump_json() for one in decided)])

    def heard(self, ruling: Ruling, *, is_read: bool, is_over: bool = False) -> Heard:
        """The ruling as answers are made by it."""
        return Heard(ruling, is_read=is_read, is_over=is_over, name=self.of)

    def _digest(self, kind: str, said: Sequence[str]) -> str:
        mac = hmac.new(self.key, digestmod=hashlib.sha256)
        for one in (kind, self.exchange, *said):
            raw = one.encode()
            mac.update(len(raw).to_bytes(8, "big") + raw)
        return mac.hexdigest()
