"""What an officer reads: every fact with whose it is, and on what terms."""

from __future__ import annotations

import pytest

from broker.cli.tables import ONWARD, answers_text
from broker.desk.chronology import compose
from broker.desk.reading import _cell_shown, _line_shown
from schemas.messages.answer import OutcomeRow
from schemas.vocabulary import Outcome, SubjectRole
from tests.support.desk_world import AGENCY, Story, row, tell_story
from tests.unit.broker.desk.test_chronology import source

TERMS = "For the enquiry only"


@pytest.fixture
def story() -> Story:
    """A request that was permitted."""
    return tell_story()


def read(story: Story, outcome: OutcomeRow) -> str:
    """The answers of an agency that said that."""
    told = compose([source(story, [outcome])])
    return answers_text(
        {
            "outcomes": [_cell_shown(cell) for cell in told.cells],
            "answers": [],
            "chronology": [_line_shown(line) for line in told.lines],
            "note": told.note,
        }
    )


def test_whatever_an_agency_told_is_shown_with_that_agencys_terms(story: Story) -> None:
    text = read(story, row(story, SubjectRole.INDEX_CHILD))
    assert f"{ONWARD}\n  {AGENCY:10} {TERMS}" in text


def test_an_agency_that_told_nothing_sets_no_terms(story: Story) -> None:
    text = read(story, row(story, SubjectRole.INDEX_CHILD, outcome=Outcome.WITHHELD, reason="by-rule"))
    assert ONWARD not in text
    assert TERMS not in text
