"""Questions to a hub's policy in few words: a request header by default, and what is changed in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from broker.node.policy import Policy, Verdict, make_policy
from broker.policy.expected import decided
from broker.policy.pack import Pack
from broker.policy.packs import ENGLAND, load_pack
from broker.policy.question import question_of
from broker.policy.vocabulary import schema_text
from schemas.messages.fields import encode_base64
from schemas.messages.request import CategoryAsked, RequestHeader, SubjectRef
from schemas.records.registry import kind_of
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)
from tests.support.clock import NOON

HOUR_MS = 3_600_000
PACK: Pack = load_pack(ENGLAND)
POLICY: Policy = PACK.cedar


def pack_of(*texts: str) -> Pack:
    """The pack for England with these rules in place of its own."""
    files = {f"{at}.cedar": text for at, text in enumerate(texts)}
    own = make_policy(("hub.cedarschema", schema_text()), files)
    return replace(PACK, cedar=own, digest=own.digest)


def header(**changes: Any) -> RequestHeader:
    """A Red child protection enquiry about an index child, asked by a social worker; less `changes`."""
    ids = dict.fromkeys(("desk_key", "seal_key", "enquiry", "exchange", "message_id", "officer_key"), "0" * 32)
    members: dict[str, Any] = {
        **ids,
        "hub": "testhub",
        "log": "coordinator.testhub.example/log",
        "agency": "northshire-police",
        "seal_epoch": 1,
        "received_at": NOON,
        "asked_at": NOON,
        "deadline_at": NOON + 4 * HOUR_MS,
        "expires_at": NOON + 48 * HOUR_MS,
        "purpose": Purpose.CHILD_PROTECTION,
        "lawful_bases": [LawfulBasis.CA1989_47],
        "stage": Stage.ENQUIRY,
        "rag": Rag.RED,
        "consent": ConsentState.NOT_SOUGHT,
        "officer": "o-4f2a9c",
        "officer_role": OfficerRole.SOCIAL_WORKER,
        "subjects": [SubjectRef(ref="1" * 32, role=SubjectRole.INDEX_CHILD)],
        "categories": [CategoryAsked(category=Category.POLICE_DA, mode=Mode.CONTENT)],
        "reply_key": encode_base64(b"key"),
        "addendum_digest": "0" * 64,
        "body_digest": "0" * 64,
    }
    return RequestHeader(**{**members, **changes})


def ask(
    category: Category,
    mode: Mode = Mode.CONTENT,
    *,
    about: SubjectRole = SubjectRole.INDEX_CHILD,
    by: OfficerRole = OfficerRole.SOCIAL_WORKER,
    agency: AgencyKind | None = None,
    pack: Pack = PACK,
    **changes: Any,
) -> Verdict:
    """The policy's answer; `agency` is by default of the kind that holds the category."""
    asked = header(officer_role=by, **changes)
    kind = agency or kind_of(category) or AgencyKind.SOCIAL_CARE
    return decided(pack, question_of(asked, kind), category, mode, about)


def fields(verdict: Verdict, category: Category, mode: Mode = Mode.CONTENT) -> frozenset[str]:
    """What the answer leaves of the category."""
    return POLICY.fields_left(verdict, category, mode)
