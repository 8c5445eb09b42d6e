"""Opening an answer: every binding attacked once, in the order of the checks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.desk.asked import Asked
from broker.desk.opening import OpenedAnswer, open_released
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, unpack
from schemas.failures import Rejected
from schemas.messages.entry import AcknowledgedEntry, CouldNotLookEntry, OverdueEntry
from schemas.vocabulary import Category, Outcome, SubjectRole
from tests.support.clock import NOON
from tests.support.desk_world import AGENCY, HUB, HandLog, Story, notice_of, release, row

NOW = NOON + 120_000
OTHER = "0123456789abcdef" * 2
OTHER_DIGEST = OTHER * 2
Parts = tuple[bytes, ...]


def opened(story: Story, parts: Parts, *, sender: str = AGENCY, asked: Asked | None = None) -> OpenedAnswer:
    return open_released(
        parts, asked or story.asked, sender=sender, identity=story.reply, trust=story.cast.trust, now=NOW
    )


def child(story: Story) -> Parts:
    return release(story, [row(story, SubjectRole.INDEX_CHILD)])


def test_an_answer_whose_every_check_holds_is_opened(story: Story) -> None:
    found = opened(story, child(story))
    assert [one.outcome for one in found.judged.kept] == [Outcome.ANSWERED]
    assert found.judged.cuts == []
    assert found.header.agency == AGENCY


def test_an_answer_to_nothing_that_was_asked_is_unknown(story: Story) -> None:
    with pytest.raises(Rejected) as failed:
        open_released(child(story), None, sender=AGENCY, identity=story.reply, trust=story.cast.trust, now=NOW)
    assert failed.value.code == "exchange_unknown"


def test_another_agency_cannot_answer_for_the_one_asked(story: Story) -> None:
    with pytest.raises(Rejected) as failed:
        opened(story, child(story), sender="gwent-health")
    assert failed.value.code == "not_the_one_asked"


def another_log(story: Story) -> Parts:
    log = HandLog(story.cast.log.origin, SigningKey.generate(KeyPurpose.LOG))
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], log=log)


def another_entry(story: Story) -> Parts:
    answer, _, addendum = child(story)
    return answer, notice_of(story, OverdueEntry), addendum


def another_deed(story: Story) -> Parts:
    answer, _, addendum = child(story)
    return answer, notice_of(story, AcknowledgedEntry), addendum


def another_receipt(story: Story) -> Parts:
    answer, _, addendum = child(story)
    return answer, child(story)[1], addendum


def another_addendum(story: Story) -> Parts:
    answer, receipt, _ = child(story)
    return answer, receipt, child(story)[2]


def entry_with(**changes: object) -> Callable[[Story], Parts]:
    return lambda story: release(story, [row(story, SubjectRole.INDEX_CHILD)], entry=changes)


def header_with(**changes: object) -> Callable[[Story], Parts]:
    return lambda story: release(story, [row(story, SubjectRole.INDEX_CHILD)], header=changes)


def signed_as_health(story: Story) -> Parts:
    key = story.cast.other_agency.keys[KeyPurpose.DEED]
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], deed_key=key)


def answered_as_health(story: Story) -> Parts:
    key = story.cast.other_agency.keys[KeyPurpose.ANSWER]
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], answer_key=key)


def forged_signature(story: Story) -> Parts:
    answer, receipt, addendum = child(story)
    envelope = unpack(answer)
    signature = envelope.signatures[0]
    wrong = type(signature)(signature.key_id, bytes(63) + b"\x01")
    return pack(envelope.header, [wrong], envelope.parts), receipt, addendum


def two_signatures(story: Story) -> Parts:
    answer, receipt, addendum = child(story)
    envelope = unpack(answer)
    return pack(envelope.header, envelope.signatures * 2, envelope.parts), receipt, addendum


def another_body(story: Story) -> Parts:
    (answer, receipt, addendum), other = child(story), unpack(child(story)[0])
    envelope = unpack(answer)
    return pack(envelope.header, envelope.signatures, other.parts), receipt, addendum


def sealed_to_another(story: Story) -> Parts:
    identity = Identity.generate(KeyPurpose.REPLY)
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], sealed_to=identity)


def another_exchange_inside(story: Story) -> Parts:
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], body={"exchange": OTHER})


def uncommitted_key(story: Story) -> Parts:
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], addendum_key=bytes(32))


def log_told_otherwise(story: Story) -> Parts:
    told = [row(story, SubjectRole.INDEX_CHILD, outcome=Outcome.NOT_KNOWN)]
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], told=told)


def log_told_of_fewer(story: Story) -> Parts:
    rows = [row(story, SubjectRole.INDEX_CHILD), row(story, SubjectRole.PARENT_CARER)]
    return release(story, rows, told=rows[:1])


def facts_behind_could_not_look(story: Story) -> Parts:
    return release(story, [row(story, SubjectRole.INDEX_CHILD)], model=CouldNotLookEntry)


ATTACKS = [
    (lambda story: child(story)[:2], "parts_unexpected"),  # 1
    (another_log, "note_not_signed"),  # 3
    (another_deed, "entry_foreign"),  # 4
    (another_entry, "entry_foreign"),
    (entry_with(hub="otherhub"), "entry_foreign"),  # 5
    (entry_with(log="other.example/log"), "entry_foreign"),
    (entry_with(agency="gwent-health"), "entry_foreign"),
    (entry_with(by="gwent-health"), "entry_foreign"),
    (entry_with(exchange=OTHER), "entry_foreign"),
    (signed_as_health, "key_unknown"),  # 6
    (entry_with(t=NOON - 3_600_000), "untimely"),
    (entry_with(t=NOW + 3_600_000), "untimely"),
    (entry_with(request_digest=OTHER_DIGEST), "request_differs"),  # 7
    (entry_with(grant_digest=OTHER_DIGEST), "grant_differs"),  # 8
    (another_receipt, "answer_differs"),  # 9
    (entry_with(answer_digest=OTHER_DIGEST), "answer_differs"),
    (another_addendum, "addendum_differs"),  # 10
    (two_signatures, "answer_malformed"),  # 11
    (header_with(hub="otherhub"), "answer_foreign"),  # 12
    (header_with(agency="gwent-health"), "answer_foreign"),
    (header_with(exchange=OTHER), "answer_foreign"),
    (header_with(request_digest=OTHER_DIGEST), "answer_foreign"),
    (header_with(grant_digest=OTHER_DIGEST), "answer_foreign"),
    (header_with(reply_key=OTHER), "reply_key_differs"),  # 13
    (header_with(answered_at=NOON - 3_600_000), "untimely"),  # 14
    (answered_as_health, "key_unknown"),
    (forged_signature, "signature_invalid"),
    (another_body, "part_mismatch"),  # 15
    (sealed_to_another, "seal_broken"),  # 16
    (another_exchange_inside, "answer_foreign"),  # 17
    (uncommitted_key, "key_not_committed"),  # 18
    (log_told_otherwise, "told_differs"),  # 19
    (log_told_of_fewer, "told_differs"),
    (facts_behind_could_not_look, "told_differs"),  # 20
]


@pytest.mark.parametrize(("attack", "code"), ATTACKS, ids=[f"{n}-{code}" for n, (_, code) in enumerate(ATTACKS)])
def test_an_answer_with_one_broken_binding_fails_at_its_check(
    story: Story, attack: Callable[[Story], Parts], code: str
) -> None:
    with pytest.raises(Rejected) as failed:
        opened(story, attack(story))
    assert failed.value.code == code


def test_an_agency_that_could_not_look_is_opened_as_such(story: Story) -> None:
    rows = [row(story, SubjectRole.INDEX_CHILD, outcome=Outcome.COULD_NOT_LOOK, reason="source-away")]
    found = opened(story, release(story, rows, model=CouldNotLookEntry))
    assert found.judged.kept[0].outcome is Outcome.COULD_NOT_LOOK


def test_no_failure_of_opening_repeats_what_an_answer_says(story: Story) -> None:
    rows = [row(story, SubjectRole.INDEX_CHILD, facts=[{"Date": "2026-03-04", "RiskGrade": "SECRETWORD"}])]
    found = opened(story, release(story, rows))
    assert found.judged.kept == []
    assert "SECRETWORD" not in repr(found)
    assert HUB in story.cast.trust.hub


def test_a_fact_beyond_its_grant_does_not_reject_the_answer(story: Story) -> None:
    facts = [{"Date": "2026-03-04", "ReturnedHomeInterviewAttended": True}]
    rows = [row(story, SubjectRole.INDEX_CHILD, facts=facts), row(story, SubjectRole.PARENT_CARER, Category.POLICE_DA)]
    found = opened(story, release(story, rows))
    assert [one.facts for one in found.judged.kept] == [[{"Date": "2026-03-04"}]]
    assert [(cut.category, cut.whole, cut.fields) for cut in found.judged.cuts] == [
        (Category.POLICE_MISSING, False, ["ReturnedHomeInterviewAttended"]),
        (Category.POLICE_DA, True, ["held"]),
    ]
