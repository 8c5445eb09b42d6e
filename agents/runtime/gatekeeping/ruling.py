"""What a person at the agency has said about a request: what is taken away, declined, narrowed, or to be confirmed.

Pure, and codes throughout but for the words of a declined one. A person only ever takes away: what the agency's rules
refuse stays refused, and a rule that is silent stays silent, whatever a person says. Refuses to know who said it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

from agents.runtime.gatekeeping.gatekeeper import Effect, Passage
from agents.runtime.own_log import FieldName
from agents.runtime.source import Finding
from broker.node.policy import MARKED
from schemas.messages.answer import DECLINED
from schemas.messages.fields import Hex16, Prose
from schemas.records.fields import Marker
from schemas.vocabulary import AgencyReason, Category, DeclineReason

BY_PERSON: Final = "review-desk"
"""The rule by which a person at the agency withheld something."""
RecordName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
"""What a record is called at the review desk: a code under the agency's own key, for one request."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class Redaction(_Said):
    """A field, or every field of a kind, that is taken away, or a text that is written over."""

    category: Category
    word: FieldName
    is_masked: bool = False


class Refusal(_Said):
    """What is not told of a category, about one subject or about everybody: declined, or left out as not needed."""

    category: Category | None = None
    subject: Hex16 | None = None
    reason: DeclineReason | None = None
    """None: left out, not declined."""
    written: Prose | None = None

    def covers(self, subject: str, category: Category) -> bool:
        """Whether it is about that."""
        return self.category in (None, category) and self.subject in (None, subject)

    def passage(self) -> Passage:
        """The decision it is."""
        reason = AgencyReason.NARROWED if self.reason is None else AgencyReason(DECLINED + self.reason.value)
        return Passage(Effect.DENY_VISIBLE, BY_PERSON, reason)


class Ruling(_Said):
    """All that people have said about one request so far."""

    redactions: tuple[Redaction, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    records: tuple[RecordName, ...] = ()
    """Records that are left out."""
    confirm: tuple[Hex16, ...] = ()
    """Subjects whose identity the hub is to confirm; nothing is told of them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A ruling as it stands when an answer is made."""

    ruling: Ruling = field(default_factory=Ruling)
    is_read: bool = False
    """Whoever had to has read it and lets it leave."""
    is_over: bool = False
    """Nobody has, and there is no time left."""
    name: Callable[[str, Finding], str] = field(default=lambda _subject, _finding: "", repr=False)
    """What a record about a subject is called."""

    def about(self, subject: str, category: Category) -> Say:
        """What was said about one subject and category."""
        said = [one for one in self.ruling.refusals if one.covers(subject, category)]
        words = [one for one in self.ruling.redactions if one.category is category]
        return Say(
            heard=self,
            subject=subject,
            # A reason to decline is said before the word that it was not needed.
            refusal=max(said, key=lambda one: one.reason is not None, default=None),
            removed=frozenset(one.word for one in words if not one.is_masked),
            masked=frozenset(one.word for one in words if one.is_masked),
        )


NOBODY_SAID: Final = Heard()


@dataclass(frozen=True, slots=True)
class Say:
    """What a person has said about one subject and category."""

    heard: Heard
    subject: str
    refusal: Refusal | None = None
    removed: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()

    @property
    def is_read(self) -> bool:
        """Whether a person has read it and lets it leave."""
        return self.heard.is_read

    @property
    def written(self) -> str | None:
        """Why it was declined, in words."""
        return None if self.refusal is None else self.refusal.written

    def over(self, passage: Passage, finding: Finding | None = None) -> Passage:
        """What becomes of a decision of the rules; stricter, or as it was."""
        if passage.effect is Effect.REVIEW:
            if self.refusal is not None:
                return self.refusal.passage()
            return replace(passage, reason=AgencyReason.NOT_REVIEWED) if self.heard.is_over else passage
        if passage.effect is not Effect.ALLOW:
            return passage
        if self.refusal is not None:
            return self.refusal.passage()
        left_out = self.heard.ruling.records
        if finding is not None and left_out and self.heard.name(self.subject, finding) in left_out:
            return Passage(Effect.DENY_VISIBLE, BY_PERSON, AgencyReason.NARROWED)
        return replace(
            passage,
            fields=passage.fields | _names(self.removed),
            markers=passage.markers | _markers(self.removed),
            masked_fields=passage.masked_fields | _names(self.masked),
            masked_markers=passage.masked_markers | _markers(self.masked),
        )


def _names(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if not word.startswith(MARKED))


def _markers(words: frozenset[str]) -> frozenset[Marker]:
    return frozenset(Marker(word.removeprefix(MARKED)) for word in words if word.startswith(MARKED))
