"""An answer: what its header binds, and what an outcome may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from schemas import canonical
from schemas.crypto.failures import SealBroken, SignatureInvalid
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, unpack, verify_header
from schemas.messages.answer import MAX_FIELDS, AnswerHeader, OutcomeRow, OutcomeTold, open_answer, told_of
from schemas.messages.model import FieldInvalid, read
from schemas.vectors.parties import AGENCY, identity, signing_key
from schemas.vectors.samples import answer_body, answer_frame, answer_header, sealed_answer_body
from schemas.vocabulary import AgencyReason, Category, Mode, Outcome

OPENER = identity("enquiry", KeyPurpose.REPLY)
ENVELOPE = unpack(answer_frame())
ROW = answer_body().outcomes[0]
BOUND = [name for name in AnswerHeader.model_fields if name not in {"v", "kind", "suite", "part", "parts"}]


def with_other(field: str) -> bytes:
    members = json.loads(ENVELOPE.header)
    value = members[field]
    members[field] = value + 1 if isinstance(value, int) else ("1" if value[0] == "0" else "0") + value[1:]
    return canonical.encode(members)


@pytest.mark.parametrize("field", BOUND)
def test_every_field_of_the_header_is_bound_by_the_signature(field: str) -> None:
    key = signing_key(AGENCY, KeyPurpose.ANSWER).public
    verify_header(ENVELOPE, key, KeyPurpose.ANSWER)
    with pytest.raises(SignatureInvalid):
        verify_header(unpack(pack(with_other(field), ENVELOPE.signatures)), key, KeyPurpose.ANSWER)


@pytest.mark.parametrize("field", [name for name in BOUND if name != "body_digest"])
def test_a_sealed_answer_opens_under_no_header_but_its_own(field: str) -> None:
    """So an answer cannot be moved to another request, grant, exchange or agency, even by who may sign."""
    with pytest.raises(SealBroken):
        open_answer(with_other(field), sealed_answer_body(), OPENER)


def test_only_the_enquirys_key_opens_an_answer() -> None:
    assert open_answer(ENVELOPE.header, ENVELOPE.parts[0], OPENER) == answer_body()
    with pytest.raises(SealBroken):
        open_answer(ENVELOPE.header, ENVELOPE.parts[0], Identity.generate(KeyPurpose.REPLY))


def row(outcome: Outcome, **changes: Any) -> OutcomeRow:
    values: dict[str, Any] = {"subject": ROW.subject, "category": Category.POLICE_MISSING, "mode": Mode.CONTENT}
    members = {**values, "outcome": outcome, "confirm": [], "facts": [], **changes}
    return OutcomeRow.model_validate(members, strict=False)


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        (Outcome.ANSWERED, {"facts": [{"Date": "2026-01-01"}], "rule": "permit-enquiry-content"}),
        (Outcome.NOT_KNOWN, {}),
        (Outcome.KNOWN_NOTHING_RELEVANT, {}),
        (Outcome.WITHHELD, {"reason": "by-rule", "rule": "permit-enquiry-content"}),
        (Outcome.COULD_NOT_LOOK, {"reason": "source-away"}),
        (Outcome.POSSIBLE_MATCH, {"confirm": ["birth_date"]}),
    ],
)
def test_an_outcome_says_what_it_may(outcome: Outcome, changes: dict[str, Any]) -> None:
    assert row(outcome, **changes).outcome is outcome


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        (Outcome.ANSWERED, {}),
        (Outcome.NOT_KNOWN, {"facts": [{"Date": "2026-01-01"}]}),
        (Outcome.NOT_KNOWN, {"written": "Words."}),
        (Outcome.WITHHELD, {"reason": AgencyReason.BY_RULE, "written": "Words."}),
        (Outcome.NOT_KNOWN, {"rule": "own-rule"}),
        (Outcome.NOT_KNOWN, {"reason": "by-rule"}),
        (Outcome.KNOWN_NOTHING_RELEVANT, {"rule": "jane-example"}),
        (Outcome.WITHHELD, {"reason": "jane-example"}),
        (Outcome.POSSIBLE_MATCH, {"confirm": ["jane-example"]}),
        (Outcome.NOT_KNOWN, {"confirm": ["birth_date"]}),
        (Outcome.WITHHELD, {}),
        (Outcome.COULD_NOT_LOOK, {}),
        (Outcome.KNOWN_NOTHING_RELEVANT, {"confirm": ["birth_date"]}),
        (Outcome.ANSWERED, {"facts": [{f"f{n}": 1 for n in range(MAX_FIELDS + 1)}]}),
        (Outcome.ANSWERED, {"facts": [{"two words": 1}]}),
    ],
)
def test_an_outcome_says_nothing_else(outcome: Outcome, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        row(outcome, **changes)


def test_a_silent_refusal_has_no_room_to_differ_from_not_known() -> None:
    plain = row(Outcome.NOT_KNOWN)
    free = {name for name in OutcomeRow.model_fields if getattr(plain, name) in (None, [])}
    assert free == {"rule", "reason", "written", "confirm", "facts"}  # each of them refused above


def test_the_log_is_told_names_and_counts_and_never_a_fact() -> None:
    many = row(
        Outcome.ANSWERED, facts=[{"Date": "2026-01-01", "RiskGrade": "high"}, {"Date": "2026-01-02"}], rule="own-rule"
    )
    told = told_of(many)
    assert (told.facts, told.fields, told.rule, told.outcome) == (
        2,
        ["Date", "RiskGrade"],
        "own-rule",
        Outcome.ANSWERED,
    )
    assert "2026-01-01" not in told.model_dump_json()
    assert "high" not in told.model_dump_json()


def test_the_log_is_told_no_name_that_is_no_field_of_the_record() -> None:
    told = told_of(row(Outcome.ANSWERED, facts=[{"Date": "2026-01-01", "Jane.Example": 1}]))
    assert told.fields == ["Date"]
    with pytest.raises(ValidationError):
        OutcomeTold.model_validate({**told.model_dump(), "fields": ["Date", "Jane.Example"]})


def test_an_answer_does_not_expire_before_it_is_given() -> None:
    header = answer_header()
    with pytest.raises(FieldInvalid):
        read(AnswerHeader, header.model_copy(update={"expires_at": header.answered_at}).encode())


def declined(subject: int, written: str, outcome: Outcome = Outcome.WITHHELD) -> dict[str, Any]:
    return {
        "subject": f"{subject:032x}",
        "category": Category.POLICE_INCIDENT,
        "mode": Mode.CONTENT,
        "outcome": outcome,
        "reason": AgencyReason.DECLINED_NOT_RELEVANT,
        "written": written,
        "facts": [{"date": "2026-01-01"}] if outcome is Outcome.ANSWERED else [],
    }


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.WITHHELD])
def test_words_of_a_person_stand_with_what_is_withheld_and_with_nothing_else(outcome: Outcome) -> None:
    assert OutcomeRow(**declined(1, "Not ours to tell.")).written
    with pytest.raises(ValidationError):
        OutcomeRow(**declined(1, "Not ours to tell.", outcome))


def test_the_reasons_in_words_of_one_answer_are_bounded_together() -> None:
    body = answer_body()
    told = {name: getattr(body, name) for name in type(body).model_fields}
    longest = [OutcomeRow(**declined(number, "x" * 3_999 + "ab"[number])) for number in range(2)]
    same = [OutcomeRow(**declined(number, longest[0].written or "")) for number in range(2, 9)]
    type(body)(**{**told, "outcomes": [*longest, *same]})
    with pytest.raises(ValidationError):
        type(body)(**{**told, "outcomes": [*longest, OutcomeRow(**declined(2, "c"))]})
