"""What officers may say: closed words, valid identifiers, and an error that names the field and never its value."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from broker.desk.enquiry import (
    Decide,
    Enquiry,
    EnquiryNotOpen,
    EnquiryState,
    IssueRequest,
    OpenEnquiry,
    fresh_references,
    open_enquiry,
    read_command,
)
from schemas.failures import Rejected
from schemas.messages.entry import nonce
from schemas.vocabulary import Decision, LawfulBasis, Stage
from tests.support.clock import NOON
from tests.support.desk_world import CHILD, OFFICER, issuing, opening


def opened(**changes: object) -> Enquiry:
    command = read_command(OpenEnquiry, opening(**changes))
    return open_enquiry(command, by=OFFICER, reply_key="0" * 32, enquiry=nonce(), draw=nonce, now=NOON)


def test_an_enquiry_keeps_identifiers_in_their_canonical_form() -> None:
    assert opened().content.subjects[0].identifiers[0].value == "9990000018"


def test_lawful_bases_are_kept_sorted_and_once() -> None:
    bases = opened(lawful_bases=["ukgdpr-6-1-e", "ca1989-47", "ukgdpr-6-1-e"]).content.lawful_bases
    assert bases == [LawfulBasis.CA1989_47, LawfulBasis.UKGDPR_6_1_E]


def test_an_enquiry_shows_no_subject_and_no_reason_in_its_representation() -> None:
    shown = repr(opened())
    assert CHILD not in shown
    assert "Bruising" not in shown


def test_whoever_opens_an_enquiry_works_on_it() -> None:
    assert opened(officers=["o-1111aa"]).officers == {OFFICER, "o-1111aa"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": "curiosity"}, "purpose"),
        ({"rag": "purple"}, "rag"),
        ({"stage": "later"}, "stage"),
        ({"consent": "maybe"}, "consent"),
        ({"lawful_bases": []}, "lawful_bases"),
        ({"lawful_bases": ["because"]}, "lawful_bases.0"),
        ({"subjects": []}, "subjects"),
        ({"subjects": [{"role": "suspect"}]}, "subjects.0.role"),
        ({"subjects": [{"role": "victim", "shoe_size": 7}]}, "subjects.0"),
        ({"reason": ""}, "reason"),
        ({"received_at": "yesterday"}, "received_at"),
        ({"received_at": NOON + 3_600_000}, "received_at"),
        ({"officers": ["Not A Slug"]}, "officers.0"),
    ],
)
def test_a_wrong_field_of_an_enquiry_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(Rejected) as failed:
        opened(**change)
    assert field in failed.value.detail


def test_an_invalid_identifier_is_named_by_its_place_and_never_repeated() -> None:
    subjects = [{"role": "victim", "identifiers": [{"kind": "nhs_number", "value": "999 000 0019"}]}]
    with pytest.raises(Rejected) as failed:
        opened(subjects=subjects)
    assert "subjects.0.identifiers.0.value" in failed.value.detail
    assert "0019" not in str(failed.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agency": "The Police"}, "agency"),
        ({"categories": []}, "categories"),
        ({"categories": [{"category": "police.gossip", "mode": "content"}]}, "categories.0.category"),
        ({"categories": [{"category": "police.missing", "mode": "everything"}]}, "categories.0.mode"),
        ({"subjects": ["somebody"]}, "subjects.0"),
        ({"deadline_at": True}, "deadline_at"),
        ({"priority": "high"}, "?"),
    ],
)
def test_a_wrong_field_of_a_request_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(Rejected) as failed:
        read_command(IssueRequest, issuing(**change))
    assert field in failed.value.detail


def test_what_is_no_json_is_refused_without_being_repeated() -> None:
    with pytest.raises(Rejected) as failed:
        read_command(IssueRequest, b"Ada Lovelace")
    assert "Ada" not in str(failed.value)


def test_a_command_larger_than_any_request_is_refused() -> None:
    with pytest.raises(Rejected):
        read_command(Decide, json.dumps({"decision": "s47", "reason": "x" * 300_000}).encode())


def test_two_requests_about_one_subject_name_it_differently() -> None:
    subjects = opened().content.subjects
    first, second = fresh_references(subjects, nonce), fresh_references(subjects, nonce)
    assert set(first.values()) == set(second.values()) == {subject.ref for subject in subjects}
    assert not set(first) & set(second)
    assert not set(first) & set(first.values())


def test_a_decision_moves_the_enquiry_to_decided() -> None:
    decided = opened().decided(Decide(decision=Decision.S47, reason="threshold met"), by=OFFICER, now=NOON)
    assert (decided.state, decided.stage) == (EnquiryState.DECIDED, Stage.DECIDED)
    assert decided.decision is not None
    assert decided.decision.by == OFFICER


def test_nothing_is_decided_in_a_closed_enquiry() -> None:

    with pytest.raises(EnquiryNotOpen):
        replace(opened(), state=EnquiryState.CLOSED).decided(
            Decide(decision=Decision.S47, reason="threshold met"), by=OFFICER, now=NOON
        )


@pytest.mark.parametrize(("said", "kept"), [({}, None), ({"allocated": False}, None), ({"allocated": True}, True)])
def test_an_enquiry_keeps_whether_somebody_has_an_allocated_worker(said: dict[str, object], kept: bool | None) -> None:
    assert opened(**said).content.allocated is kept
