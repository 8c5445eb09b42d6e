"""What a person has to read leaves when a person has read it: as it was read, and never what the rules refuse."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from agents.runtime.review.acts import ReviewRefused
from agents.runtime.review.reviewers import remove_reviewer
from agents.runtime.review.room import ChangedSinceRead, NotInReview
from agents.runtime.source import Finding, Label, Restrictions
from broker.node.keyfile import read_key_file
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.addendum import key_for_reader, open_addendum
from schemas.messages.entry import InReviewEntry, ReleaseEntry, WithdrawnEntry, nonce
from schemas.records.police import Incident, Intelligence
from schemas.vocabulary import AgencyReason, Category, LawfulBasis, Outcome, ReviewRole, SubjectRole
from tests.support.source import MemorySource
from tests.unit.agents.runtime.hub import AGENCY, HOUR, LOG, Ask
from tests.unit.agents.runtime.review.conftest import ANN, BEN, INCIDENT, INTELLIGENCE, Desk, octavia, stranger

TENTH = 10 * 60_000
"""What is left of four hours when the review is over: ten minutes."""


async def test_a_request_waits_for_a_person_and_leaves_as_it_was_read(desk: Desk) -> None:
    asked = await desk.wait()
    shown = await desk.shown(asked)
    said = {one["category"]: one for one in shown["outcomes"]}
    assert said[INTELLIGENCE]["outcome"] == "answered"
    assert said[INTELLIGENCE]["records"][0]["waits_by"] == "forbid-intelligence-unread"
    assert shown["subjects"][0]["names"] == ["Octavia Chislett"]
    assert desk.world.answers == []
    assert await desk.release(asked) == 0
    rows = await desk.rows(asked)
    assert rows["a", INTELLIGENCE].outcome is Outcome.ANSWERED
    assert rows["a", INTELLIGENCE].facts == [{"date": "2026-02-01"}]
    assert rows["a", INCIDENT].outcome is Outcome.ANSWERED
    assert (await desk.world.agent.inspection.status())["discrepancies"] == []


async def test_the_hub_is_told_that_it_waits_by_a_role_and_by_no_name(desk: Desk) -> None:
    asked = await desk.wait()
    await desk.world.until(lambda: len(desk.world.deeds) == 1)
    deed = desk.deeds()[0]
    assert isinstance(deed, InReviewEntry)
    assert (deed.exchange, deed.reviewer) == (asked.exchange, ReviewRole.INTELLIGENCE_OFFICER)
    assert b"Ann" not in desk.world.deeds[0]


async def test_that_it_waits_does_not_tell_whether_anything_is_held(desk: Desk) -> None:
    known = await desk.wait()
    unknown = await desk.wait(Ask([stranger()]))
    await desk.world.until(lambda: len(desk.world.deeds) == 2)
    assert {type(one) for one in desk.deeds()} == {InReviewEntry}
    assert {len(leaf) for leaf in desk.world.deeds} == {len(desk.world.deeds[0])}
    assert desk.world.answers == []
    assert await desk.release(unknown) == 0
    await desk.world.until_answered(1)
    assert {row.outcome for row in desk.world.open(unknown).outcomes} == {Outcome.NOT_KNOWN}
    assert [one["exchange"] for one in desk.room.listed()] == [known.exchange]


async def test_a_request_that_nobody_has_to_read_does_not_wait(desk: Desk) -> None:
    asked = await desk.world.ask(Ask([octavia()], categories=(INCIDENT,)))
    assert (await desk.rows(asked))["a", INCIDENT].outcome is Outcome.ANSWERED
    assert [type(one) for one in desk.deeds()] == [ReleaseEntry]


async def test_a_record_marked_for_review_makes_no_request_wait_by_being_held(desk: Desk, source: MemorySource) -> None:
    marked = Finding(INCIDENT, Incident(date="2026-03-02"), date(2026, 3, 2), frozenset({Label.NEEDS_REVIEW}), "I2")
    source.held["POLE-1"] = [marked]
    asked = await desk.world.ask(Ask([octavia()], categories=(INCIDENT,)))
    row = (await desk.rows(asked))["a", INCIDENT]
    assert (row.outcome, row.reason) == (Outcome.WITHHELD, AgencyReason.NEEDS_REVIEW)
    assert [type(one) for one in desk.deeds()] == [ReleaseEntry]


async def test_waiting_holds_up_no_other_request(desk: Desk) -> None:
    await desk.wait()
    other = await desk.world.ask(Ask([octavia()], categories=(INCIDENT,)))
    assert (await desk.rows(other))["a", INCIDENT].outcome is Outcome.ANSWERED


async def test_what_nobody_read_in_time_is_withheld_and_the_rest_leaves_before_the_deadline(desk: Desk) -> None:
    asked = await desk.wait()
    until = desk.room.listed()[0]["until"]
    assert until == asked.entry.deadline_at - TENTH
    await desk.world.until_awaited([until])
    desk.world.clock.set(until)
    rows = await desk.rows(asked)
    assert (rows["a", INTELLIGENCE].outcome, rows["a", INTELLIGENCE].reason) == (
        Outcome.WITHHELD,
        AgencyReason.NOT_REVIEWED,
    )
    assert rows["a", INCIDENT].outcome is Outcome.ANSWERED
    assert [one["act"] for one in await desk.own_log() if one["type"] == "reviewed"] == ["lapsed"]
    with pytest.raises(NotInReview):
        await desk.shown(asked)


async def test_what_changed_since_it_was_read_does_not_leave(desk: Desk, source: MemorySource) -> None:
    asked = await desk.wait()
    shown = await desk.shown(asked)
    source.held["POLE-1"].append(
        Finding(INTELLIGENCE, Intelligence(date="2026-02-09"), date(2026, 2, 9), local_ref="2")
    )
    with pytest.raises(ChangedSinceRead):
        await desk.room.release(ANN, asked.exchange, shown["shown"])
    assert desk.world.answers == []
    assert await desk.release(asked) == 0
    assert len((await desk.rows(asked))["a", INTELLIGENCE].facts) == 2


async def test_a_denial_that_came_meanwhile_outweighs_whoever_released(desk: Desk, source: MemorySource) -> None:
    asked = await desk.wait()
    source.protected["POLE-1"] = Restrictions(labels=frozenset({Label.ADOPTED}))
    assert await desk.release(asked) == 0
    assert {row.outcome for row in (await desk.rows(asked)).values()} == {Outcome.NOT_KNOWN}


async def test_a_silent_denial_and_not_known_pass_the_desk_alike(desk: Desk, source: MemorySource) -> None:
    source.protected["POLE-1"] = Restrictions(labels=frozenset({Label.ADOPTED}))
    silent, unknown = await desk.wait(), await desk.wait(Ask([stranger("a" * 32)]))
    for asked in (silent, unknown):
        await desk.act(asked, act="decline", category=INTELLIGENCE, reason="not_relevant")
        assert await desk.release(asked) == 0
    await desk.world.until_answered(2)
    await desk.world.until(lambda: len(desk.world.deeds) == 4)
    for asked in (silent, unknown):
        rows = [row.model_dump(exclude={"subject"}) for row in desk.world.open(asked).outcomes]
        assert {row["outcome"] for row in rows} == {Outcome.NOT_KNOWN}
        kinds = [type(one) for one in desk.deeds() if getattr(one, "exchange", None) == asked.exchange]
        assert kinds == [InReviewEntry, ReleaseEntry]
    assert len({tuple(map(len, parts[:1])) for parts in desk.world.answers}) == 1


async def test_what_changes_between_the_word_and_the_sending_waits_again(desk: Desk, source: MemorySource) -> None:
    asked = await desk.wait()
    held = source.held["POLE-1"]
    looks = 0

    def findings(*_: Any) -> Any:
        nonlocal looks
        looks += 1
        return iter([one for one in held if one.category is _[1]] if looks <= 8 else [])

    source.findings = findings  # type: ignore[method-assign, assignment]
    assert await desk.release(asked) == 0
    await desk.world.until(lambda: looks > 8)

    async def acts() -> list[str]:
        return [one["act"] for one in await desk.own_log() if one["type"] == "reviewed"]

    await desk.world.until_is(["released", "changed"], acts)
    assert desk.world.answers == []
    assert (await desk.shown(asked))["pressed"] == []


async def test_a_restart_loses_neither_what_was_said_nor_who_waits(desk: Desk) -> None:
    asked = await desk.wait()
    await desk.act(asked, act="redact", category=INTELLIGENCE, words=["date"])
    await desk.world.agent.stop()
    await desk.world.start_agent()
    await desk.world.until(lambda: len(desk.room.listed()) == 1)
    assert await desk.release(asked) == 0
    assert (await desk.rows(asked))["a", INTELLIGENCE].facts == []
    assert [type(one) for one in desk.deeds()] == [InReviewEntry, ReleaseEntry]


async def test_a_withdrawal_ends_the_review_and_what_was_said_goes(desk: Desk) -> None:
    asked = await desk.wait()
    await desk.act(asked, act="narrow", category=INCIDENT)
    entry = WithdrawnEntry(
        log=LOG,
        hub="testhub",
        t=desk.world.clock.now(),
        n=nonce(),
        agency=AGENCY,
        exchange=asked.exchange,
        seq=asked.entry.seq + 1,
        desk_deed="0" * 64,
    )
    await desk.world.notice(entry)
    await desk.world.until(lambda: desk.room.listed() == [])
    await desk.world.until_jobs({"ended": 1})
    kept = await desk.world.agent.ground.store.read(
        lambda tx: tx.execute(
            "SELECT (SELECT count(*) FROM review_ruling) + (SELECT count(*) FROM review_press)"
        ).fetchone()
    )
    assert kept == (0,)
    assert desk.world.answers == []


async def test_fields_are_taken_away_and_texts_written_over(desk: Desk, source: MemorySource) -> None:
    said = Incident(date="2026-03-01", type="Domestic incident", outcome="No further action")
    source.held["POLE-1"] = [Finding(INCIDENT, said, date(2026, 3, 1), local_ref="I1")]
    asked = await desk.wait()
    await desk.act(asked, act="redact", category=INCIDENT, words=["outcome"])
    shown = await desk.act(asked, act="redact", category=INCIDENT, words=["type"], masked=True)
    assert [one["facts"] for one in shown["outcomes"] if one["category"] == INCIDENT] == [
        [{"date": "2026-03-01", "type": "**REDACTED**"}]
    ]
    assert await desk.release(asked) == 0
    assert (await desk.rows(asked))["a", INCIDENT].facts == [{"date": "2026-03-01", "type": "**REDACTED**"}]


async def test_a_record_that_is_left_out_is_said_to_be(desk: Desk, source: MemorySource) -> None:
    more = Finding(INTELLIGENCE, Intelligence(date="2026-02-09"), date(2026, 2, 9), local_ref="INT-2")
    source.held["POLE-1"].append(more)
    asked = await desk.wait()
    shown = await desk.shown(asked)
    records = next(one["records"] for one in shown["outcomes"] if one["category"] == INTELLIGENCE)
    await desk.act(asked, act="narrow", records=[records[0]["record"]])
    assert await desk.release(asked) == 0
    row = (await desk.rows(asked))["a", INTELLIGENCE]
    assert (row.facts, row.reason) == ([{"date": "2026-02-09"}], AgencyReason.PART_WITHHELD)


async def test_whose_identity_is_to_be_confirmed_of_them_nothing_is_told(desk: Desk) -> None:
    asked = await desk.wait(Ask([octavia(), stranger()]))
    with pytest.raises(ReviewRefused):
        await desk.act(asked, act="confirm")
    await desk.act(asked, act="confirm", subject=octavia().ref)
    assert await desk.release(asked) == 0
    rows = await desk.rows(asked)
    assert {row.outcome for (who, _), row in rows.items() if who == "a"} == {Outcome.POSSIBLE_MATCH}
    assert rows["a", INTELLIGENCE].confirm == ["identifier", "full_name", "birth_date", "address"]
    assert {row.outcome for (who, _), row in rows.items() if who == "b"} == {Outcome.NOT_KNOWN}


async def test_an_agency_declines_what_would_be_more_detrimental_to_the_child_and_says_so(desk: Desk) -> None:
    asked = await desk.wait()
    await desk.act(asked, act="decline", category=INTELLIGENCE, reason="detriment", written="It would reach him.")
    assert await desk.release(asked) == 0
    rows = await desk.rows(asked)
    declined = rows["a", INTELLIGENCE]
    assert (declined.outcome, declined.reason) == (Outcome.WITHHELD, AgencyReason.DECLINED_DETRIMENT)
    assert declined.written == "It would reach him."
    assert rows["a", INCIDENT].outcome is Outcome.ANSWERED
    assert "declined" in [one["act"] for one in await desk.own_log() if one["type"] == "reviewed"]


async def test_detriment_to_a_child_is_no_reason_where_no_child_is_asked_about(desk: Desk) -> None:
    asked = await desk.wait(Ask([octavia(role=SubjectRole.PARENT_CARER)]))
    with pytest.raises(ReviewRefused):
        await desk.act(asked, act="decline", reason="detriment")
    await desk.act(asked, act="decline", reason="not_relevant")


async def test_a_relevant_partner_in_wales_declines_in_writing_only(desk: Desk) -> None:
    asked = await desk.wait(Ask([octavia()], header={"lawful_bases": [LawfulBasis.SSWBA_164]}))
    with pytest.raises(ReviewRefused):
        await desk.act(asked, act="decline", reason="own_duties")
    await desk.act(asked, act="decline", reason="own_duties", written="Our duty to the other child.")
    assert await desk.release(asked) == 0
    assert {row.written for row in (await desk.rows(asked)).values() if row.outcome is Outcome.WITHHELD} == {
        "Our duty to the other child."
    }


async def test_more_words_than_an_answer_takes_are_refused_before_anything_is_said(desk: Desk) -> None:
    asked = await desk.wait()
    for category, letter in ((INTELLIGENCE, "a"), (INCIDENT, "b")):
        await desk.act(asked, act="decline", category=category, reason="own_duties", written=letter * 4_000)
    with pytest.raises(ReviewRefused, match="at most 8000 letters"):
        await desk.act(asked, act="decline", category=Category.POLICE_NOTICE, reason="own_duties", written="c")
    assert await desk.release(asked) == 0
    assert len((await desk.rows(asked))["a", INCIDENT].written or "") == 4_000


async def test_asked_on_another_basis_a_reason_without_words_is_enough(desk: Desk) -> None:
    asked = await desk.wait()
    shown = await desk.act(asked, act="decline", reason="own_duties")
    assert {one["reason"] for one in shown["outcomes"] if one["outcome"] == "withheld"} == {"declined.own_duties"}


async def test_declining_what_is_not_held_does_not_make_it_differ_from_not_known(desk: Desk) -> None:
    asked = await desk.wait(Ask([stranger()]))
    await desk.act(asked, act="decline", reason="not_relevant")
    assert await desk.release(asked) == 0
    await desk.world.until_answered(1)
    assert {row.outcome for row in desk.world.open(asked).outcomes} == {Outcome.NOT_KNOWN}


async def test_who_did_what_is_in_the_agencys_own_log_for_its_lead_alone(desk: Desk) -> None:
    asked = await desk.wait()
    await desk.act(asked, act="decline", reason="investigation", written="Because.")
    entry = [one for one in await desk.own_log() if one["type"] == "reviewed"][-1]
    assert (entry["act"], entry["reviewer"]) == ("declined", "intelligence_officer")
    assert "Ann" not in str(entry)
    lead = read_key_file(desk.world.folder / "lead.key").identity(KeyPurpose.ADDENDUM)
    raw = await desk.world.agent.ground.store.read(
        lambda tx: tx.execute("SELECT raw FROM own_addendum WHERE digest = ?", (entry["addendum_digest"],)).fetchone()
    )
    told = open_addendum(raw[0], key_for_reader(raw[0], lead), hub="testhub", about=asked.exchange)
    assert b"Ann Lloyd" in told
    assert b"Because." in told


async def test_a_late_request_waits_for_a_person_too(desk: Desk) -> None:
    built, request, grant = desk.world.build(Ask([octavia()]))
    desk.world.clock.turn(5 * HOUR)
    desk.world.seq = built.entry.seq
    await desk.world.deliver(built, built.entry.encode(), (request, grant))
    await desk.world.until(lambda: len(desk.room.listed()) == 1)
    assert desk.room.listed()[0]["until"] > desk.world.clock.now()


class TestTwoPeople:
    @pytest.fixture
    def review(self) -> dict[str, Any]:
        return {"role": ReviewRole.INTELLIGENCE_OFFICER, "two_person": [INTELLIGENCE]}

    async def test_it_takes_two_different_people(self, desk: Desk) -> None:
        asked = await desk.wait()
        assert await desk.release(asked, ANN) == 1
        assert await desk.release(asked, ANN) == 1
        assert desk.world.answers == []
        assert await desk.release(asked, BEN) == 0
        assert (await desk.rows(asked))["a", INTELLIGENCE].outcome is Outcome.ANSWERED

    async def test_a_change_takes_the_first_persons_word_away(self, desk: Desk) -> None:
        asked = await desk.wait()
        assert await desk.release(asked, ANN) == 1
        assert (await desk.act(asked, BEN, act="redact", category=INTELLIGENCE, words=["date"]))["pressed"] == []
        assert await desk.release(asked, BEN) == 1

    async def test_the_word_of_somebody_who_reviews_no_more_does_not_count(self, desk: Desk) -> None:
        asked = await desk.wait()
        assert await desk.release(asked, ANN) == 1
        remove_reviewer(desk.world.home, "ann")
        assert await desk.release(asked, BEN) == 1

    async def test_one_is_enough_where_the_rest_takes_one(self, desk: Desk) -> None:
        asked = await desk.wait()
        await desk.act(asked, act="decline", category=INTELLIGENCE, reason="investigation")
        assert await desk.release(asked, ANN) == 0
        await desk.world.until_answered(1)


class TestByCategory:
    @pytest.fixture
    def review(self) -> dict[str, Any]:
        return {"role": ReviewRole.DUTY_REVIEWER, "categories": [INCIDENT]}

    async def test_a_category_that_the_settings_name_waits_whoever_is_asked_about(self, desk: Desk) -> None:
        asked = await desk.wait(Ask([stranger()], categories=(INCIDENT,)))
        assert await desk.release(asked) == 0
        await desk.world.until_answered(1)

    async def test_there_a_record_marked_for_review_is_read_too(self, desk: Desk, source: MemorySource) -> None:
        marked = Finding(INCIDENT, Incident(date="2026-03-02"), date(2026, 3, 2), frozenset({Label.NEEDS_REVIEW}), "2")
        source.held["POLE-1"] = [marked]
        asked = await desk.wait(Ask([octavia()], categories=(INCIDENT,)))
        assert await desk.release(asked) == 0
        assert (await desk.rows(asked))["a", Category.POLICE_INCIDENT].outcome is Outcome.ANSWERED
