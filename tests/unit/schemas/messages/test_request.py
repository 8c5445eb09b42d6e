"""A request: what its header binds, and what only the agency reads."""

from __future__ import annotations

import json

import pytest

from schemas import canonical
from schemas.canonical import without_member
from schemas.crypto.failures import KeyMalformed, SealBroken, SignatureInvalid, SignatureMissing, WrongPurpose
from schemas.crypto.keys import Identity
from schemas.crypto.padding import ContentTooLarge
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import PartMismatch, check_parts, digest, pack, unpack, verify_header
from schemas.messages.addendum import open_addendum
from schemas.messages.model import FieldInvalid, read
from schemas.messages.request import (
    BODY_DIGEST,
    RequestBody,
    RequestHeader,
    RequestTold,
    open_body,
    request_digest,
    seal_body,
    sign_as_officer,
    verify_officer,
)
from schemas.vectors.broken_glass import BROKEN
from schemas.vectors.parties import AGENCY, DESK, HUB, OFFICER, identity, signed_by, signing_key
from schemas.vectors.samples import (
    EXCHANGE,
    TOLD,
    request_addendum,
    request_body,
    request_frame,
    request_header,
    request_header_bytes,
    request_signatures,
    sealed_request_body,
)

DESK_KEY = signing_key(DESK, KeyPurpose.REQUEST)
OFFICER_KEY = signing_key(OFFICER, KeyPurpose.OFFICER)
OPENER = identity(AGENCY, KeyPurpose.SEAL)
HEADER = request_header_bytes()
BOUND = [name for name in RequestHeader.model_fields if name not in {"v", "kind", "suite", "part", "parts"}]


def with_other(field: str) -> bytes:
    """The header with one field other than it was, still canonical."""
    members = json.loads(HEADER)
    value = members.get(field)
    if field == "break_glass":
        members[field] = json.loads(BROKEN.model_dump_json())
    elif field == "policy":
        members[field] = {"number": 3, "statement_digest": "ab" * 32}
    elif isinstance(value, int):
        members[field] = value + 1
    elif isinstance(value, list):
        members[field] = []
    else:
        members[field] = ("1" if value[0] == "0" else "0") + value[1:]
    return canonical.encode(members)


@pytest.mark.parametrize("field", BOUND)
def test_every_field_of_the_header_is_bound_by_both_signatures(field: str) -> None:
    envelope = unpack(pack(with_other(field), request_signatures(HEADER)))
    with pytest.raises(SignatureInvalid):
        verify_header(envelope, DESK_KEY.public, KeyPurpose.REQUEST)
    with pytest.raises(SignatureInvalid):
        verify_officer(envelope, OFFICER_KEY.public)


@pytest.mark.parametrize("field", [name for name in BOUND if name != BODY_DIGEST])
def test_a_sealed_body_opens_under_no_header_but_its_own(field: str) -> None:
    with pytest.raises(SealBroken):
        open_body(with_other(field), sealed_request_body(), OPENER)


def test_the_sample_holds_from_frame_to_addendum() -> None:
    envelope = unpack(request_frame())
    header = read(RequestHeader, envelope.header)
    assert verify_header(envelope, DESK_KEY.public, KeyPurpose.REQUEST).raw == envelope.header
    assert verify_officer(envelope, OFFICER_KEY.public).value == request_digest(envelope.header)
    check_parts(envelope, [header.body_digest, header.addendum_digest])
    body = open_body(envelope.header, envelope.parts[0], OPENER)
    content = open_addendum(envelope.parts[1], bytes.fromhex(body.addendum_key), hub=HUB, about=EXCHANGE)
    assert read(RequestTold, content).told.model_dump() == body.told.model_dump() == TOLD.model_dump()
    assert header.recipient() == identity("enquiry", KeyPurpose.REPLY).public


def test_parts_in_another_order_are_not_those_the_header_names() -> None:
    envelope = unpack(pack(HEADER, (), [request_addendum()[0], sealed_request_body()]))
    header = read(RequestHeader, HEADER)
    with pytest.raises(PartMismatch):
        check_parts(envelope, [header.body_digest, header.addendum_digest])


def test_the_officer_signs_the_digest_and_the_desk_cannot_sign_it_for_him() -> None:
    word = sign_as_officer(OFFICER_KEY, request_digest(HEADER))
    assert verify_officer(unpack(pack(HEADER, [word])), OFFICER_KEY.public).raw == request_digest(HEADER).encode()
    with pytest.raises(WrongPurpose):
        sign_as_officer(DESK_KEY, request_digest(HEADER))
    with pytest.raises(SignatureMissing):
        verify_officer(unpack(pack(HEADER, [signed_by(DESK_KEY, HEADER)])), OFFICER_KEY.public)
    with pytest.raises(SignatureMissing):
        verify_officer(unpack(pack(HEADER, [word, word])), OFFICER_KEY.public)


def test_an_officers_signature_of_a_command_is_no_word_for_a_request() -> None:
    command = signing_key(OFFICER, KeyPurpose.COMMAND)
    with pytest.raises(WrongPurpose):
        sign_as_officer(command, request_digest(HEADER))


def test_another_agencys_key_does_not_open_a_body() -> None:
    with pytest.raises(SealBroken):
        open_body(HEADER, sealed_request_body(), Identity.generate(KeyPurpose.SEAL))


def test_a_sealed_text_that_is_no_body_is_refused_by_its_field() -> None:
    bare = without_member(HEADER, BODY_DIGEST)
    broken = request_body().model_copy(update={"addendum_key": "00"})
    with pytest.raises(FieldInvalid, match="addendum_key"):
        open_body(HEADER, seal_body(bare, broken, OPENER.public), OPENER)


def test_a_body_that_would_not_fit_a_delivery_is_not_sealed() -> None:
    subject = TOLD.subjects[0]
    names = [subject.name.model_copy(update={"given": "家" * 200, "family": "家" * 200})] * 8 if subject.name else []
    many = [subject.model_copy(update={"ref": f"{n:032x}", "other_names": names}) for n in range(16)]
    body = request_body().model_copy(update={"told": TOLD.model_copy(update={"subjects": many * 2})})
    with pytest.raises(ContentTooLarge):
        seal_body(HEADER, body, OPENER.public)


def test_a_reply_key_that_is_none_is_refused_when_it_is_used() -> None:
    with pytest.raises(KeyMalformed):
        request_header(reply_key="AAAA").recipient()


def test_a_body_tells_of_every_subject_once() -> None:
    twice = TOLD.model_copy(update={"subjects": [TOLD.subjects[0]] * 2})
    body = request_body().model_copy(update={"told": twice})
    with pytest.raises(FieldInvalid, match="two subjects"):
        read(RequestBody, body.encode())


def test_the_digest_of_a_request_is_that_of_its_transmitted_header() -> None:
    assert request_digest(HEADER) == digest(HEADER) == unpack(request_frame()).digest
