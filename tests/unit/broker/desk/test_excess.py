"""What exceeds a grant is cut out where it can be, and the whole outcome where it cannot."""

from __future__ import annotations

from broker.desk.excess import Judged, judge
from schemas.messages.answer import OutcomeRow
from schemas.messages.grant import Grant
from schemas.messages.model import read
from schemas.vocabulary import Category, Mode, Outcome, SubjectRole
from tests.support.desk_world import FACT, Story, row

CHILD = SubjectRole.INDEX_CHILD


def judged(story: Story, *rows: OutcomeRow) -> Judged:
    assert story.asked.grant is not None
    roles = {subject.ref: subject.role for subject in story.header.subjects}
    return judge(rows, roles, read(Grant, story.asked.grant))


def test_what_was_granted_is_kept_as_it_came(story: Story) -> None:
    outcome = row(story, CHILD)
    found = judged(story, outcome)
    assert found.kept == [outcome]
    assert found.cuts == []
    assert found.quarantined == []


def test_a_field_beyond_the_grant_is_cut_out_of_every_fact(story: Story) -> None:
    outcome = row(story, CHILD, facts=[FACT, {**FACT, "ReturnedHomeInterviewAttended": True}])
    found = judged(story, outcome)
    assert found.kept[0].facts == [FACT, FACT]
    assert found.quarantined == [outcome]
    cut = found.cuts[0]
    assert (cut.whole, cut.facts, cut.fields, cut.unknown_fields) == (
        False,
        1,
        ["ReturnedHomeInterviewAttended"],
        0,
    )


def test_a_name_that_is_no_field_is_counted_and_not_repeated(story: Story) -> None:
    found = judged(story, row(story, CHILD, facts=[{**FACT, "AdaLovelaceLivesAt": "1 Mill Lane"}]))
    assert found.kept[0].facts == [FACT]
    assert found.cuts[0].unknown_fields == 1
    assert "Ada" not in found.cuts[0].model_dump_json()


def test_a_fact_that_does_not_hold_takes_its_whole_outcome_with_it(story: Story) -> None:
    found = judged(story, row(story, CHILD, facts=[FACT, {"Date": "yesterday"}]))
    assert found.kept == []
    assert (found.cuts[0].whole, found.cuts[0].fields) == (True, ["Date"])


def test_an_outcome_of_nothing_but_excess_is_cut_whole(story: Story) -> None:
    found = judged(story, row(story, CHILD, facts=[{"ReturnedHomeInterviewAttended": True}]))
    assert found.kept == []
    assert found.cuts[0].whole


def test_a_category_that_was_not_granted_is_cut_whole(story: Story) -> None:
    found = judged(story, row(story, CHILD, Category.POLICE_DA))
    assert found.kept == []
    assert found.cuts[0].category is Category.POLICE_DA


def test_a_mode_that_was_not_granted_is_cut_whole(story: Story) -> None:
    found = judged(story, row(story, CHILD, mode=Mode.EXISTENCE, facts=[{"held": True}]))
    assert found.kept == []
    assert found.cuts[0].whole


def test_a_subject_that_was_not_asked_about_is_cut_whole(story: Story) -> None:
    found = judged(story, row(story, CHILD, subject="ab" * 16))
    assert found.kept == []
    assert found.cuts[0].whole


def test_even_an_empty_outcome_of_something_not_granted_is_cut(story: Story) -> None:
    found = judged(story, row(story, CHILD, Category.POLICE_DA, outcome=Outcome.WITHHELD, reason="detriment"))
    assert found.kept == []
    assert found.cuts[0].facts == 0


def test_an_outcome_without_facts_is_kept(story: Story) -> None:
    outcome = row(story, CHILD, outcome=Outcome.NOT_KNOWN)
    assert judged(story, outcome).kept == [outcome]
