"""Making an answer: sealed to the enquiry, bound to request and grant, with its release entry and both addenda.

Made once, committed whole, and from then on only carried. Draws random numbers and reads no clock. Refuses to know
where the outcomes come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from agents.runtime.answering.jobs import JobState, MadeAnswer
from agents.runtime.gatekeeping.outcomes import Decided, too_large
from agents.runtime.matching.weights import shipped_weights
from agents.runtime.own_log import KeptTold
from schemas.canonical import without_member
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.crypto.padding import LENGTH_BYTES, MAX_CONTENT_BYTES
from schemas.envelope import digest, signed
from schemas.messages.addendum import make_addendum
from schemas.messages.answer import BODY_DIGEST, AnswerBody, AnswerHeader, ReleaseTold, seal_answer, told_of
from schemas.messages.entry import (
    AcknowledgedEntry,
    CouldNotLookEntry,
    InReviewEntry,
    ReleaseEntry,
    nonce,
    sign_deed,
)
from schemas.messages.request import RequestHeader
from schemas.vocabulary import Outcome

_NO_KEY: Final = "0" * 64
PADDED_BYTES: Final = 32 * 1024
"""The bucket of every answer that could be a silent refusal: all of an agency's categories with a few facts each."""


AgencyDeed = TypeVar("AgencyDeed", bound=AcknowledgedEntry | InReviewEntry | ReleaseEntry | CouldNotLookEntry)


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who answers: the keys an answer is signed with, who may open its addendum, and how it is to be handled."""

    agency: str
    answer_key: SigningKey = field(repr=False)
    deed_key: SigningKey = field(repr=False)
    hub_lead: PublicKey
    own_lead: PublicKey
    handling: str

    def deed(
        self, model: type[AgencyDeed], header: RequestHeader, request_digest: str, now: int, **more: Any
    ) -> AgencyDeed:
        """A deed of this agency about a request, as it is before it is signed; `more` is what that kind says beside."""
        return model(
            log=header.log,
            hub=header.hub,
            t=now,
            n=nonce(),
            by=self.agency,
            deed_key=self.deed_key.id,
            sig="0" * 128,
            agency=self.agency,
            exchange=header.exchange,
            request_digest=request_digest,
            **more,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer is to: the request's header, and the digests that the log entry names."""

    header: RequestHeader
    request_digest: str
    grant_digest: str


@dataclass(frozen=True, slots=True)
class Written:
    """An answer ready to be committed."""

    made: MadeAnswer = field(repr=False)
    answer_digest: str
    entry_type: str
    kept: bytes | None = field(repr=False)
    """The addendum of this agency's own *kept-back* entry."""


def write_answer(
    signatory: Signatory, asked: Asked, decided: Sequence[Decided], *, policy: str, now: int, is_padded: bool = False
) -> Written:
    """Seal and sign an answer to `asked`, answered at `now` (milliseconds UTC).

    Args:
        is_padded: it must be as large as any other, since one that a rule is silent about is among them.

    Raises:
        KeyMalformed: the request's reply key is none.
    """
    header = asked.header
    fitting = _fitted(header.exchange, decided, signatory.handling)
    rows = [one.row for one in fitting]
    told = ReleaseTold(exchange=header.exchange, outcomes=[told_of(row) for row in rows])
    leads = [signatory.hub_lead, signatory.own_lead]
    addendum, addendum_key = make_addendum(header.hub, header.exchange, told.encode(), leads)
    body = AnswerBody(
        exchange=header.exchange,
        outcomes=rows,
        matcher=shipped_weights().digest,
        handling=signatory.handling,
        addendum_key=addendum_key.hex(),
    )
    if is_padded:
        body = _padded(body)
    recipient = header.recipient()
    bare = AnswerHeader(
        hub=header.hub,
        agency=signatory.agency,
        exchange=header.exchange,
        message_id=nonce(),
        answer_key=signatory.answer_key.id,
        request_digest=asked.request_digest,
        grant_digest=asked.grant_digest,
        reply_key=recipient.id,
        answered_at=now,
        expires_at=header.expires_at,
        body_digest=_NO_KEY,
    )
    sealed = seal_answer(without_member(bare.encode(), BODY_DIGEST), body, recipient)
    raw_header = bare.model_copy(update={"body_digest": digest(sealed)}).encode()
    answer_digest = digest(raw_header)
    entry = _entry(signatory, asked, fitting, answer_digest, digest(addendum), now)
    made = MadeAnswer(
        state=JobState.ANSWERED,
        expires_at=header.expires_at,
        envelope=signed(raw_header, [signatory.answer_key], [sealed]),
        addendum=addendum,
        leaf=sign_deed(entry, signatory.deed_key),
    )
    return Written(made, answer_digest, entry.type, _kept(signatory, header, fitting, policy))


def _entry(
    signatory: Signatory,
    asked: Asked,
    decided: Sequence[Decided],
    answer_digest: str,
    addendum_digest: str,
    now: int,
) -> ReleaseEntry | CouldNotLookEntry:
    nothing = all(one.row.outcome is Outcome.COULD_NOT_LOOK for one in decided)
    model: type[ReleaseEntry] | type[CouldNotLookEntry] = CouldNotLookEntry if nothing else ReleaseEntry
    return signatory.deed(
        model,
        asked.header,
        asked.request_digest,
        now,
        grant_digest=asked.grant_digest,
        answer_digest=answer_digest,
        addendum_digest=addendum_digest,
    )


def _fitted(exchange: str, decided: Sequence[Decided], handling: str) -> list[Decided]:
    """The outcomes that fit one sealed part: the largest are given up, visibly, until the rest does."""
    fitting = list(decided)
    sizes = (
        [len(one.row.model_dump_json().encode()) for one in fitting] if any(one.row.facts for one in fitting) else []
    )
    while sizes and sum(sizes) > MAX_CONTENT_BYTES // 2 and not _fits(exchange, fitting, handling):
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        fitting[largest] = too_large(fitting[largest].row)
        sizes[largest] = 0
    return fitting


def _fits(exchange: str, decided: Sequence[Decided], handling: str) -> bool:
    rows = [one.row for one in decided]
    body = AnswerBody(exchange=exchange, outcomes=rows, matcher=_NO_KEY, handling=handling, addendum_key=_NO_KEY)
    return len(body.encode()) <= MAX_CONTENT_BYTES


def _padded(body: AnswerBody) -> AnswerBody:
    """The body with spaces up to the one bucket; what is larger is an answer that says very much, and no refusal."""
    missing = PADDED_BYTES - LENGTH_BYTES - len(body.encode())
    return body.model_copy(update={"filler": " " * missing}) if missing > 0 else body


def _kept(signatory: Signatory, header: RequestHeader, decided: Sequence[Decided], policy: str) -> bytes | None:
    rows = [one.kept for one in decided if one.kept is not None]
    if not rows:
        return None
    told = KeptTold(exchange=header.exchange, policy=policy, rows=rows)
    addendum, _ = make_addendum(header.hub, header.exchange, told.encode(), [signatory.own_lead])
    return addendum
