"""What the coordinator gives notice of is believed as far as the log and the parties' own signatures prove it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.desk.notices import MEANS, Noticed, read_notice
from broker.desk.progress import Event, NotRuledYet, Progress
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.entry import (
    AcknowledgedEntry,
    Entry,
    EscalatedEntry,
    ExpiredEntry,
    InReviewEntry,
    OverdueEntry,
    ReleaseEntry,
    WithdrawnEntry,
)
from tests.support.clock import NOON
from tests.support.desk_world import Story, notice_of

OTHER = "0123456789abcdef" * 2


def noticed(story: Story, receipt: bytes) -> Noticed:
    return read_notice((receipt,), story.asked, trust=story.cast.trust, now=NOON + 5000)


@pytest.mark.parametrize(
    ("model", "event"),
    [
        (AcknowledgedEntry, Event.ACKNOWLEDGED),
        (InReviewEntry, Event.IN_REVIEW),
        (ReleaseEntry, Event.RELEASED),
        (OverdueEntry, Event.OVERDUE),
        (EscalatedEntry, Event.ESCALATED),
        (ExpiredEntry, Event.EXPIRED),
        (WithdrawnEntry, Event.WITHDRAWN),
    ],
)
def test_each_entry_that_is_notified_means_one_event(story: Story, model: type[Entry], event: Event) -> None:
    assert MEANS[model] is event
    assert noticed(story, notice_of(story, model)).event is event


@pytest.mark.parametrize(
    ("model", "change", "code"),
    [
        (AcknowledgedEntry, {"hub": "otherhub"}, "entry_foreign"),
        (AcknowledgedEntry, {"log": "other.example/log"}, "entry_foreign"),
        (AcknowledgedEntry, {"exchange": OTHER}, "entry_foreign"),
        (AcknowledgedEntry, {"agency": "gwent-health"}, "entry_foreign"),
        (AcknowledgedEntry, {"by": "gwent-health"}, "entry_foreign"),
        (AcknowledgedEntry, {"request_digest": OTHER * 2}, "request_differs"),
        (AcknowledgedEntry, {"t": NOON - 3_600_000}, "untimely"),
        (InReviewEntry, {"by": "gwent-health"}, "entry_foreign"),
        (InReviewEntry, {"request_digest": OTHER * 2}, "request_differs"),
        (ReleaseEntry, {"request_digest": OTHER * 2}, "request_differs"),
        (ReleaseEntry, {"grant_digest": OTHER * 2}, "grant_differs"),
        (ReleaseEntry, {"by": "gwent-health"}, "entry_foreign"),
        (OverdueEntry, {"deadline_at": NOON + 1}, "times_differ"),
        (OverdueEntry, {"exchange": OTHER}, "entry_foreign"),
        (ExpiredEntry, {"expires_at": NOON + 1}, "times_differ"),
        (WithdrawnEntry, {"agency": "gwent-health"}, "entry_foreign"),
    ],
)
def test_an_entry_about_something_else_is_rejected(
    story: Story, model: type[Entry], change: dict[str, Any], code: str
) -> None:
    with pytest.raises(Rejected) as failed:
        noticed(story, notice_of(story, model, **change))
    assert failed.value.code == code


@pytest.mark.parametrize("model", [AcknowledgedEntry, InReviewEntry, ReleaseEntry])
def test_an_agencys_deed_needs_that_agencys_signature(story: Story, model: type[Entry]) -> None:
    key = story.cast.other_agency.keys[KeyPurpose.DEED]
    with pytest.raises(Rejected) as failed:
        noticed(story, notice_of(story, model, deed_key=key))
    assert failed.value.code == "key_unknown"


def test_an_entry_that_is_not_notified_is_rejected(story: Story) -> None:
    with pytest.raises(Rejected) as failed:
        noticed(story, story.ruled[1])
    assert failed.value.code == "entry_foreign"


def test_a_notice_without_a_receipt_is_rejected(story: Story) -> None:
    with pytest.raises(Rejected) as failed:
        read_notice((), story.asked, trust=story.cast.trust, now=NOON)
    assert failed.value.code == "parts_unexpected"


def test_a_notice_that_overtakes_the_ruling_is_left_for_later(story: Story) -> None:
    asked = replace(story.asked, progress=Progress.ASKED, grant=None, grant_digest=None)
    with pytest.raises(NotRuledYet):
        read_notice((notice_of(story, ReleaseEntry),), asked, trust=story.cast.trust, now=NOON + 5000)


def test_an_outage_of_the_hub_is_carried_with_the_overdue_entry(story: Story) -> None:
    assert noticed(story, notice_of(story, OverdueEntry, undecided=True)).is_undecided
