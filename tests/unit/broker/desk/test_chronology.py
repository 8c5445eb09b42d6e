"""One chronology in order of date, and a state for every question asked; silence is never nothing known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from broker.desk.chronology import (
    NOT_KNOWN_PROVES_NOTHING,
    SAYS,
    Cell,
    Source,
    State,
    compose,
    name_of,
    text_of,
)
from broker.desk.excess import judge
from broker.desk.kept import KeptAnswer
from broker.desk.progress import Progress
from schemas.messages.answer import OutcomeRow
from schemas.messages.grant import Grant
from schemas.messages.model import read
from schemas.messages.request import Subject
from schemas.vocabulary import Category, Mode, Outcome, SubjectRole
from tests.support.desk_world import AGENCY, Story, row

CHILD, MOTHER = SubjectRole.INDEX_CHILD, SubjectRole.PARENT_CARER


def source(
    story: Story, rows: Sequence[OutcomeRow] | None, progress: Progress = Progress.OPENED, *, late: bool = False
) -> Source:
    subjects = {ref: story.enquiry.subject(local) for ref, local in story.prepared.references.items()}
    roles = {subject.ref: subject.role for subject in story.header.subjects}
    assert story.asked.grant is not None
    grant = read(Grant, story.asked.grant)
    answer = None
    if rows is not None:
        judged = judge(rows, roles, grant)
        answer = KeptAnswer(outcomes=judged.kept, cuts=judged.cuts, handling="For the enquiry only")
    return Source(story.asked.exchange, AGENCY, progress, late, story.header.categories, subjects, grant.scope, answer)


def cell(story: Story, of: Source, role: SubjectRole, category: Category = Category.POLICE_MISSING) -> Cell:
    local = story.prepared.references[story.ref(role)]
    return next(one for one in compose([of]).cells if (one.subject, one.category) == (local, category))


def test_facts_stand_in_order_of_date_and_undated_ones_last(story: Story) -> None:
    facts = [{"RiskGrade": "low"}, {"Date": "2026-05-01"}, {"Date": "2025-01-31"}]
    lines = compose([source(story, [row(story, CHILD, facts=facts)])]).lines
    assert [line.on for line in lines] == ["2025-01-31", "2026-05-01", None]
    assert {(line.name, line.agency, line.rule, line.handling) for line in lines} == {
        ("Adalgisa Lovelace", AGENCY, "permit-enquiry-content", "For the enquiry only")
    }


def test_a_line_says_the_summary_fields_in_their_order() -> None:
    fact = {"RiskGrade": "high", "Date": "2026-03-04", "ReturnedHomeInterviewAttended": False}
    text = text_of(Category.POLICE_MISSING, Mode.CONTENT, fact)
    assert text == "Date 2026-03-04; RiskGrade high; ReturnedHomeInterviewAttended no"


def test_a_line_without_summary_fields_says_what_there_is() -> None:
    fact = {"earliest_on": "2024-02"}
    assert text_of(Category.POLICE_MISSING, Mode.EXISTENCE, fact) == "earliest_on 2024-02"


def test_every_question_asked_has_a_state(story: Story) -> None:
    cells = compose([source(story, [row(story, CHILD)])]).cells
    assert len(cells) == len(story.header.subjects) * len(story.header.categories)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_is_a_state_of_its_own(story: Story, outcome: Outcome) -> None:
    reason = "detriment" if outcome in (Outcome.WITHHELD, Outcome.COULD_NOT_LOOK) else None
    found = cell(story, source(story, [row(story, CHILD, outcome=outcome, reason=reason)]), CHILD)
    assert found.state.value == outcome.value


def test_what_an_answer_leaves_out_is_no_answer_and_not_nothing_known(story: Story) -> None:
    found = cell(story, source(story, [row(story, CHILD)]), MOTHER)
    assert found.state is State.NO_ANSWER


@pytest.mark.parametrize(
    ("progress", "state"),
    [
        (Progress.ASKED, State.NO_ANSWER_YET),
        (Progress.PERMITTED, State.NO_ANSWER_YET),
        (Progress.DELIVERED, State.NO_ANSWER_YET),
        (Progress.ANSWERED, State.NO_ANSWER_YET),
        (Progress.EXPIRED, State.NO_ANSWER),
        (Progress.WITHDRAWN, State.NO_ANSWER),
        (Progress.REFUSED, State.NOT_PERMITTED),
        (Progress.NOT_ACCEPTED, State.NOT_PERMITTED),
    ],
)
def test_an_unanswered_question_says_why_there_is_nothing(story: Story, progress: Progress, state: State) -> None:
    assert cell(story, source(story, None, progress), CHILD).state is state


def test_a_category_that_the_grant_left_out_was_not_permitted(story: Story) -> None:
    of = source(story, [row(story, CHILD)])
    narrowed = Source(
        of.exchange, of.agency, of.progress, False, of.categories, of.subjects, list(of.scope or ())[:1], of.answer
    )
    assert cell(story, narrowed, CHILD, Category.POLICE_INVOLVEMENT).state is State.NOT_PERMITTED


def test_an_outcome_kept_back_whole_shows_nothing_of_itself(story: Story) -> None:
    of = source(story, [row(story, CHILD, facts=[{"ReturnedHomeInterviewAttended": True}])])
    assert cell(story, of, CHILD).state is State.QUARANTINED
    assert compose([of]).lines == ()


def test_an_outcome_kept_back_in_part_says_so(story: Story) -> None:
    facts = [{"Date": "2026-03-04", "ReturnedHomeInterviewAttended": True}]
    of = source(story, [row(story, CHILD, facts=facts)])
    found = cell(story, of, CHILD)
    assert (found.state, found.is_part_quarantined) == (State.ANSWERED, True)
    assert "ReturnedHomeInterviewAttended" not in compose([of]).lines[0].fact


def test_a_possible_match_elsewhere_marks_the_facts_about_that_subject(story: Story) -> None:
    unsure = row(story, CHILD, Category.POLICE_INVOLVEMENT, outcome=Outcome.POSSIBLE_MATCH, confirm=["birth_date"])
    lines = compose([source(story, [row(story, CHILD), unsure, row(story, MOTHER)])]).lines
    assert {(line.name, line.is_possible) for line in lines} == {
        ("Adalgisa Lovelace", True),
        ("Marigold Lovelace", False),
    }


def test_a_late_answer_is_marked_in_every_line_and_cell(story: Story) -> None:
    found = compose([source(story, [row(story, CHILD)], late=True)])
    assert all(line.is_late for line in found.lines)
    assert all(one.is_late for one in found.cells)


def test_not_known_always_says_that_it_proves_nothing(story: Story) -> None:
    assert NOT_KNOWN_PROVES_NOTHING in SAYS[State.NOT_KNOWN]
    assert set(SAYS) == set(State)
    assert compose([]).note == NOT_KNOWN_PROVES_NOTHING
    assert (
        NOT_KNOWN_PROVES_NOTHING
        in cell(story, source(story, [row(story, CHILD, outcome=Outcome.NOT_KNOWN)]), CHILD).says
    )


def test_an_unborn_child_is_named_by_the_expected_date() -> None:
    unborn = Subject.model_validate({"ref": "0" * 32, "role": SubjectRole.UNBORN_CHILD, "expected_on": "2027-01-15"})
    assert name_of(unborn) == "unborn child, expected 2027-01-15"


def test_no_representation_of_a_chronology_shows_content(story: Story) -> None:
    found = compose([source(story, [row(story, CHILD)])])
    assert "Lovelace" not in repr(found)
    assert "2026-03-04" not in repr(found)
