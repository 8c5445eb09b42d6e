"""One exchange between the parties of the vectors: its headers, bodies, addenda and frames.

The keys are `schemas.vectors.parties`', the sealed texts `schemas.vectors.kept`'s.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from schemas.canonical import without_member
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import ADDENDUM_KEY_BYTES
from schemas.envelope import Signature, digest, pack, signed
from schemas.identifiers import IdentifierKind
from schemas.messages.addendum import make_addendum, open_addendum
from schemas.messages.answer import (
    BODY_DIGEST,
    AnswerBody,
    AnswerHeader,
    OutcomeRow,
    ReleaseTold,
    open_answer,
    seal_answer,
    told_of,
)
from schemas.messages.fields import encode_base64
from schemas.messages.grant import Grant, Scope
from schemas.messages.request import (
    CategoryAsked,
    IdentifierGiven,
    NameGiven,
    OfficerNamed,
    RequestBody,
    RequestHeader,
    RequestTold,
    Subject,
    SubjectRef,
    Told,
    open_body,
    request_digest,
    seal_body,
    sign_as_officer,
)
from schemas.vectors.kept import keep
from schemas.vectors.parties import (
    AGENCY,
    COORDINATOR,
    DAY_MS,
    DESK,
    HUB,
    LOG,
    MINUTE_MS,
    OFFICER,
    T0,
    drawn_digest,
    drawn_id,
    identity,
    signed_by,
    signing_key,
)
from schemas.vocabulary import (
    AgencyRule,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Outcome,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)

SUBJECT_REF: Final = drawn_id("subject")
EXCHANGE: Final = drawn_id("exchange")
TOLD: Final = Told(
    subjects=[
        Subject(
            ref=SUBJECT_REF,
            role=SubjectRole.INDEX_CHILD,
            name=NameGiven(given="Test", family="Vector"),
            other_names=[],
            birth_date="2019-02-28",
            sex="unknown",
            identifiers=[IdentifierGiven(kind=IdentifierKind.NHS_NUMBER, value="9990000018")],
            addresses=[],
        )
    ],
    officer=OfficerNamed(id=OFFICER, name="An Officer", position="Social worker"),
    stage=Stage.ENQUIRY,
    reason="A made-up reason,\nin two lines.",
)


def request_header(**changes: object) -> RequestHeader:
    """The request's header; without changes its digests are those of the sealed body and of the addendum."""
    header = RequestHeader(
        hub=HUB,
        log=LOG,
        desk_key=signing_key(DESK, KeyPurpose.REQUEST).id,
        agency=AGENCY,
        seal_key=identity(AGENCY, KeyPurpose.SEAL).id,
        seal_epoch=47,
        enquiry=drawn_id("enquiry"),
        exchange=EXCHANGE,
        message_id=drawn_id("request"),
        received_at=T0,
        asked_at=T0 + 5 * MINUTE_MS,
        deadline_at=T0 + 240 * MINUTE_MS,
        expires_at=T0 + 3 * DAY_MS,
        purpose=Purpose.CHILD_PROTECTION,
        lawful_bases=[LawfulBasis.CA1989_47, LawfulBasis.UKGDPR_6_1_E],
        stage=Stage.ENQUIRY,
        rag=Rag.RED,
        consent=ConsentState.UNSAFE_TO_SEEK,
        officer=OFFICER,
        officer_key=signing_key(OFFICER, KeyPurpose.OFFICER).id,
        officer_role=OfficerRole.SOCIAL_WORKER,
        subjects=[SubjectRef(ref=SUBJECT_REF, role=SubjectRole.INDEX_CHILD)],
        categories=[
            CategoryAsked(category=Category.POLICE_MISSING, mode=Mode.CONTENT),
            CategoryAsked(category=Category.POLICE_INTELLIGENCE, mode=Mode.EXISTENCE),
        ],
        reply_key=encode_base64(identity("enquiry", KeyPurpose.REPLY).public.raw),
        addendum_digest=digest(request_addendum()[0]),
        body_digest="0" * 64,
    )
    return header.model_copy(update=changes)


def request_body() -> RequestBody:
    """What is sealed to the agency."""
    return RequestBody(exchange=EXCHANGE, told=TOLD, addendum_key=request_addendum()[1].hex())


def request_addendum() -> tuple[bytes, bytes]:
    """The addendum of the request's entry, and its key."""
    return keep_addendum("request-addendum", RequestTold(exchange=EXCHANGE, told=TOLD).encode())


@cache
def sealed_request_body() -> bytes:
    """The sealed body."""
    bare = without_member(request_header().encode(), BODY_DIGEST)
    opener = identity(AGENCY, KeyPurpose.SEAL)
    whole = request_header(body_digest="0" * 64).encode()
    return keep(
        "request-body",
        lambda: seal_body(bare, request_body(), opener.public),
        lambda raw: open_body(whole, raw, opener) == request_body(),
    )


@cache
def request_header_bytes() -> bytes:
    """The complete header."""
    return request_header(body_digest=digest(sealed_request_body())).encode()


@cache
def request_frame() -> bytes:
    """The request as the desk submits it: header, two signatures, sealed body, addendum."""
    header = request_header_bytes()
    return pack(header, request_signatures(header), [sealed_request_body(), request_addendum()[0]])


def request_signatures(header: bytes) -> list[Signature]:
    """The desk's and the officer's signature of a request header."""
    by_desk = signed_by(signing_key(DESK, KeyPurpose.REQUEST), header)
    return [by_desk, sign_as_officer(signing_key(OFFICER, KeyPurpose.OFFICER), request_digest(header))]


def grant() -> Grant:
    """The coordinator's grant of the first category asked."""
    return Grant(
        hub=HUB,
        agency=AGENCY,
        exchange=EXCHANGE,
        grant_key=signing_key(COORDINATOR, KeyPurpose.GRANT).id,
        request_digest=request_digest(request_header_bytes()),
        policy_digest=drawn_digest("policy"),
        rules=["missing-s47"],
        scope=[
            Scope(
                category=Category.POLICE_MISSING,
                mode=Mode.CONTENT,
                roles=[SubjectRole.INDEX_CHILD],
                fields=["Date", "RiskGrade"],
                rule="missing-s47",
            )
        ],
        not_before=T0 + 5 * MINUTE_MS,
        expires_at=T0 + 3 * DAY_MS,
    )


def grant_frame() -> bytes:
    """The signed grant."""
    return signed(grant().encode(), [signing_key(COORDINATOR, KeyPurpose.GRANT)])


def answer_body() -> AnswerBody:
    """What is sealed to the enquiry."""
    row = OutcomeRow(
        subject=SUBJECT_REF,
        category=Category.POLICE_MISSING,
        mode=Mode.CONTENT,
        outcome=Outcome.ANSWERED,
        rule=AgencyRule.PERMIT_ENQUIRY_CONTENT,
        confirm=[],
        facts=[{"Date": "2026-10-03", "RiskGrade": "high"}],
    )
    return AnswerBody(
        exchange=EXCHANGE,
        outcomes=[row],
        matcher=digest(b"weights"),
        handling="For this enquiry only.",
        addendum_key=release_addendum_of([row])[1].hex(),
    )


def release_addendum_of(rows: list[OutcomeRow]) -> tuple[bytes, bytes]:
    """The addendum of the release, and its key."""
    told = ReleaseTold(exchange=EXCHANGE, outcomes=[told_of(row) for row in rows])
    return keep_addendum("release-addendum", told.encode())


def answer_header(**changes: object) -> AnswerHeader:
    """The answer's header, its body's digest still zero."""
    header = AnswerHeader(
        hub=HUB,
        agency=AGENCY,
        exchange=EXCHANGE,
        message_id=drawn_id("answer"),
        answer_key=signing_key(AGENCY, KeyPurpose.ANSWER).id,
        request_digest=request_digest(request_header_bytes()),
        grant_digest=digest(grant().encode()),
        reply_key=identity("enquiry", KeyPurpose.REPLY).id,
        answered_at=T0 + 60 * MINUTE_MS,
        expires_at=T0 + 3 * DAY_MS,
        body_digest="0" * 64,
    )
    return header.model_copy(update=changes)


@cache
def sealed_answer_body() -> bytes:
    """The sealed answer."""
    whole = answer_header().encode()
    opener = identity("enquiry", KeyPurpose.REPLY)
    return keep(
        "answer-body",
        lambda: seal_answer(without_member(whole, BODY_DIGEST), answer_body(), opener.public),
        lambda raw: open_answer(whole, raw, opener) == answer_body(),
    )


def answer_frame() -> bytes:
    """The answer as it leaves the agency."""
    header = answer_header(body_digest=digest(sealed_answer_body())).encode()
    return signed(header, [signing_key(AGENCY, KeyPurpose.ANSWER)], [sealed_answer_body()])


def keep_addendum(name: str, content: bytes) -> tuple[bytes, bytes]:
    readers = [identity(DESK, KeyPurpose.ADDENDUM).public, identity(AGENCY, KeyPurpose.ADDENDUM).public]

    def make() -> bytes:
        frame, key = make_addendum(HUB, EXCHANGE, content, readers)
        return key + frame

    def opens(raw: bytes) -> bool:
        key, frame = raw[:ADDENDUM_KEY_BYTES], raw[ADDENDUM_KEY_BYTES:]
        return open_addendum(frame, key, hub=HUB, about=EXCHANGE) == content

    raw = keep(name, make, opens)
    return raw[ADDENDUM_KEY_BYTES:], raw[:ADDENDUM_KEY_BYTES]
