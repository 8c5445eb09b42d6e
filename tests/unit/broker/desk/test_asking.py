"""A request binds all that DESIGN section 5 names, and leaves only with the officer's own signature."""

from __future__ import annotations

import pytest

from broker.desk.asking import complete, prepare
from schemas.crypto.failures import SignatureInvalid
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import check_parts, digest, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.addendum import key_for_reader, open_addendum
from schemas.messages.entry import nonce
from schemas.messages.fields import decode_base64
from schemas.messages.model import read
from schemas.messages.request import RequestTold, open_body, sign_as_officer, verify_officer
from schemas.vocabulary import OfficerRole
from tests.support.desk_world import AGENCY, CHILD, HUB, MOTHER, OFFICER, REASON, Story, issuing, make_question


def test_the_header_names_everything_that_is_bound(story: Story) -> None:
    header, cast = story.header, story.cast
    assert (header.hub, header.log, header.agency) == (HUB, cast.log.origin, AGENCY)
    assert header.desk_key == cast.desk.keys[KeyPurpose.REQUEST].id
    assert (header.seal_key, header.seal_epoch) == (cast.agency.identities[KeyPurpose.SEAL].id, 1)
    assert (header.officer, header.officer_role) == (OFFICER, OfficerRole.SOCIAL_WORKER)
    assert header.officer_key == cast.officer.keys[KeyPurpose.OFFICER].id
    assert header.received_at < header.asked_at < header.deadline_at < header.expires_at
    assert decode_base64(header.reply_key) == story.reply.public.raw
    envelope = unpack(story.envelope)
    check_parts(envelope, [header.body_digest, header.addendum_digest])


def test_desk_and_officer_have_both_signed_the_header(story: Story) -> None:
    envelope, cast = unpack(story.envelope), story.cast
    verify_header(envelope, cast.desk.keys[KeyPurpose.REQUEST].public, KeyPurpose.REQUEST)
    signed = verify_officer(envelope, cast.officer.keys[KeyPurpose.OFFICER].public)
    assert signed.value == digest(story.prepared.header)
    assert len(envelope.signatures) == 2


def test_the_header_holds_no_name_no_reason_and_no_identifier(story: Story) -> None:
    for personal in (CHILD, MOTHER, "Lovelace", "9990000018", "2015-12-10", REASON, "Okoro", "M-2026-0142"):
        assert personal.encode() not in story.prepared.header


def test_body_and_addendum_tell_the_same_byte_for_byte(story: Story) -> None:
    envelope, cast = unpack(story.envelope), story.cast
    body = open_body(envelope.header, envelope.parts[0], cast.agency.identities[KeyPurpose.SEAL])
    told = open_addendum(envelope.parts[1], bytes.fromhex(body.addendum_key), hub=HUB, about=story.asked.exchange)
    assert told == RequestTold(exchange=body.exchange, told=body.told).encode()
    assert {subject.ref for subject in body.told.subjects} == {subject.ref for subject in story.header.subjects}
    assert not {subject.ref for subject in body.told.subjects} & {one.ref for one in story.enquiry.content.subjects}


def test_the_leads_of_both_sides_can_read_the_addendum_and_nobody_else(story: Story) -> None:
    addendum, cast = unpack(story.envelope).parts[1], story.cast
    for member in (cast.desk, cast.agency):
        key = key_for_reader(addendum, member.identities[KeyPurpose.ADDENDUM])
        told = read(RequestTold, open_addendum(addendum, key, hub=HUB, about=story.asked.exchange))
        assert told.told.reason == REASON
    with pytest.raises(Rejected):
        key_for_reader(addendum, Identity.generate(KeyPurpose.ADDENDUM))


def test_a_body_opens_under_its_own_header_only(story: Story) -> None:
    envelope, cast = unpack(story.envelope), story.cast
    moved = envelope.header.replace(b'"rag":"red"', b'"rag":"blue"')
    with pytest.raises(Rejected):
        open_body(moved, envelope.parts[0], cast.agency.identities[KeyPurpose.SEAL])


def test_a_request_with_another_officers_signature_never_leaves(story: Story) -> None:
    other = sign_as_officer(SigningKey.generate(KeyPurpose.OFFICER), story.prepared.digest)
    elsewhere = sign_as_officer(story.cast.officer.keys[KeyPurpose.OFFICER], "0" * 64)
    for signature in (other, elsewhere):
        with pytest.raises(SignatureInvalid):
            complete(
                story.prepared.header,
                story.prepared.sealed_body,
                story.prepared.addendum,
                signature.raw,
                officer_key=story.cast.officer.keys[KeyPurpose.OFFICER].public,
                desk_key=story.cast.desk.keys[KeyPurpose.REQUEST],
            )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agency": "nobody"}, "field agency"),
        ({"agency": OFFICER}, "field agency"),
        ({"categories": [{"category": "edu.enrolment", "mode": "content"}]}, "field categories.0"),
        ({"categories": [{"category": "police.missing", "mode": "content"}] * 2}, "field categories"),
        ({"subjects": ["0" * 32]}, "field subjects"),
    ],
)
def test_a_request_for_what_there_is_not_is_refused_with_its_field(
    story: Story, change: dict[str, object], field: str
) -> None:
    question = make_question(story.enquiry, story.reply, command=issuing(**change))
    desk_key = story.cast.desk.keys[KeyPurpose.REQUEST]
    with pytest.raises(Rejected) as failed:
        prepare(question, trust=story.cast.trust, desk_key=desk_key, draw=nonce)
    assert field in failed.value.detail


def test_a_request_may_be_about_some_of_the_subjects_only(story: Story) -> None:
    mother = story.enquiry.content.subjects[1]
    question = make_question(story.enquiry, story.reply, command=issuing(subjects=[mother.ref]))
    desk_key = story.cast.desk.keys[KeyPurpose.REQUEST]
    prepared = prepare(question, trust=story.cast.trust, desk_key=desk_key, draw=nonce)
    assert list(prepared.references.values()) == [mother.ref]
