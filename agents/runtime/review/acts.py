"""What a person may say about a request in review, and what that makes of the ruling on it. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from agents.runtime.gatekeeping.ruling import RecordName, Redaction, Refusal, Ruling
from agents.runtime.own_log import FieldName
from agents.runtime.review.case import CHILDREN, IN_WRITING, Case
from broker.node.command_arguments import Arguments
from broker.node.policy import MARKED
from schemas.failures import Rejected
from schemas.messages.answer import MAX_WRITTEN
from schemas.messages.fields import Hex16, Prose
from schemas.records.fields import Marker
from schemas.records.registry import fields_of
from schemas.vocabulary import Category, DeclineReason, ReviewAct

_ENTERED: Final[dict[str, ReviewAct]] = {
    "redact": ReviewAct.REDACTED,
    "narrow": ReviewAct.NARROWED,
    "decline": ReviewAct.DECLINED,
    "confirm": ReviewAct.CONFIRM_ASKED,
    "clear": ReviewAct.CLEARED,
}
_MOST: Final = 512
"""Redactions, refusals and records in one ruling: more than one answer has of categories, subjects and fields."""


class ReviewRefused(Rejected):
    """What a person wanted cannot be; the text says why and what to do."""

    code = "review_refused"


class Acting(Arguments):
    """One thing that a person says about a request."""

    exchange: Hex16
    act: Literal["redact", "narrow", "decline", "confirm", "clear"]
    category: Category | None = None
    subject: Hex16 | None = None
    words: Annotated[list[FieldName], Field(max_length=64, default_factory=list)]
    masked: bool = False
    records: Annotated[list[RecordName], Field(max_length=_MOST, default_factory=list)]
    reason: DeclineReason | None = None
    written: Prose | None = None

    @property
    def act_entered(self) -> ReviewAct:
        """What the agency's own log calls it."""
        return _ENTERED[self.act]


def apply_act(ruling: Ruling, acting: Acting, case: Case) -> Ruling:
    """The ruling after somebody said something more.

    Raises:
        ReviewRefused: it cannot be said of this request.
    """
    if acting.category is not None and acting.category not in case.categories():
        raise ReviewRefused(f"{acting.category.value} is not asked about in this request")
    if acting.subject is not None and acting.subject not in {one.ref for one in case.header.subjects}:
        raise ReviewRefused("there is no subject of that reference in this request; agent review show names them")
    match acting.act:
        case "redact":
            after = _redacted(ruling, acting, case)
        case "narrow":
            after = _narrowed(ruling, acting)
        case "decline":
            after = _declined(ruling, acting, case)
        case "confirm":
            after = _to_confirm(ruling, acting, case)
        case "clear":
            after = Ruling()
    if sum(map(len, {one.written for one in after.refusals if one.written is not None})) > MAX_WRITTEN:
        raise ReviewRefused(f"all that is written in one answer is at most {MAX_WRITTEN} letters: say it more shortly")
    if max(len(after.redactions), len(after.refusals), len(after.records)) > _MOST:
        raise ReviewRefused("more than one answer has: clear it and decline the categories as a whole")
    return after


def _redacted(ruling: Ruling, acting: Acting, case: Case) -> Ruling:
    if acting.category is None or not acting.words:
        raise ReviewRefused("say of which category, and which fields (or marked:third_party, marked:free_text ...)")
    modes = {one.mode for one in case.grant.scope if one.category is acting.category}
    known = {name for mode in modes for name in fields_of(acting.category, mode)} | {MARKED + one for one in Marker}
    if unknown := [word for word in acting.words if word not in known]:
        raise ReviewRefused(f"{unknown[0]} is not a field of {acting.category.value}")
    more = tuple(Redaction(category=acting.category, word=word, is_masked=acting.masked) for word in acting.words)
    return ruling.model_copy(update={"redactions": tuple(dict.fromkeys((*ruling.redactions, *more)))})


def _narrowed(ruling: Ruling, acting: Acting) -> Ruling:
    if acting.records:
        return ruling.model_copy(update={"records": tuple(dict.fromkeys((*ruling.records, *acting.records)))})
    if acting.category is None and acting.subject is None:
        raise ReviewRefused("say which records, which category or which subject is left out")
    return _refusing(ruling, Refusal(category=acting.category, subject=acting.subject))


def _declined(ruling: Ruling, acting: Acting, case: Case) -> Ruling:
    if acting.reason is None:
        raise ReviewRefused(f"say for which reason: {', '.join(DeclineReason)}")
    if acting.reason is DeclineReason.DETRIMENT and CHILDREN.isdisjoint(one.role for one in case.header.subjects):
        raise ReviewRefused("detriment is detriment to a child, and this request is about none: give another reason")
    if acting.written is None and not IN_WRITING.isdisjoint(case.header.lawful_bases):
        raise ReviewRefused(
            "asked under the Social Services and Well-being (Wales) Act: say in writing why (--written)"
        )
    refusal = Refusal(category=acting.category, subject=acting.subject, reason=acting.reason, written=acting.written)
    return _refusing(ruling, refusal)


def _refusing(ruling: Ruling, refusal: Refusal) -> Ruling:
    about = (refusal.category, refusal.subject)
    others = tuple(one for one in ruling.refusals if (one.category, one.subject) != about)
    return ruling.model_copy(update={"refusals": (*others, refusal)})


def _to_confirm(ruling: Ruling, acting: Acting, case: Case) -> Ruling:
    refs = [one.ref for one in case.header.subjects]
    if acting.subject is None and len(refs) > 1:
        raise ReviewRefused("the request is about several people: say whose identity the hub is to confirm (--subject)")
    asked = acting.subject or refs[0]
    return ruling.model_copy(update={"confirm": tuple(dict.fromkeys((*ruling.confirm, asked)))})
