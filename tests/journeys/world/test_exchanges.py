"""The life of a request, as stories: the whole way through the real programs, time turned by hand."""

from __future__ import annotations

import pytest

from agents.runtime.source import PersonName
from schemas.failures import Failure
from tests.support.world import CASE_WORDS, HOUR_MS, World


async def test_a_request_is_asked_permitted_answered_and_opened(world: World) -> None:
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert [CASE_WORDS in line["text"] for line in answers["chronology"]] == [True]
    await world.settle()
    assert await world.check() == {exchange: "answered"}
    kinds = [entry["type"] for entry in await world.entries() if entry.get("exchange") == exchange]
    assert kinds == ["request", "acknowledged", "release", "opened"]


async def test_looking_at_answers_is_itself_an_entry(world: World) -> None:
    enquiry = await world.open_enquiry()
    await world.opened(await world.ask(enquiry))
    await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    await world.settle()
    assert "consulted" in [entry["type"] for entry in await world.entries()]


async def test_content_asked_while_screening_a_green_contact_is_refused_with_the_rule(world: World) -> None:
    enquiry = await world.open_enquiry(
        stage="screening", rag="green", purpose="screening", lawful_bases=["ca2004-11"], consent="not_sought"
    )
    exchange = await world.ask(enquiry)
    await world.settle()
    shown = await world.tell_desk("GET", f"/requests/{exchange}")
    assert shown["progress"] == "refused"
    assert "R4-below-threshold-content" in {reason["rule"] for reason in shown["reasons"]}
    assert await world.check() == {exchange: "refused"}
    assert world.sources["northshire"].calls == 0


async def test_a_contact_whose_worker_is_allocated_already_is_routed_and_not_asked(world: World) -> None:
    enquiry = await world.open_enquiry(
        stage="contact", rag="amber", purpose="screening", lawful_bases=["ca2004-11"], allocated=True
    )
    exchange = await world.ask(enquiry)
    await world.settle()
    shown = await world.tell_desk("GET", f"/requests/{exchange}")
    assert "R36-allocated" in {reason["rule"] for reason in shown["reasons"]}
    assert await world.check() == {exchange: "refused"}
    assert world.sources["northshire"].calls == 0


async def test_a_basis_that_is_law_in_another_nation_only_is_refused_with_its_dates(world: World) -> None:
    exchange = await world.ask(await world.open_enquiry(lawful_bases=["ca1989-47", "sswba-130"]))
    await world.settle()
    (reason,) = (await world.tell_desk("GET", f"/requests/{exchange}"))["reasons"]
    assert (reason["rule"], reason["basis"]) == ("R2-basis-of-another-nation", "sswba-130")
    assert (reason["in_force_from"], reason["in_force_until"]) == ("2016-04-06", None)
    assert await world.check() == {exchange: "refused"}


async def test_an_agency_that_was_offline_answers_late_when_it_returns(world: World) -> None:
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    await world.turn(5 * HOUR_MS, step_ms=HOUR_MS // 2)
    shown = await world.tell_desk("GET", f"/requests/{exchange}")
    assert shown["overdue"]
    await world.start_party("northshire")
    await world.opened(exchange)
    shown = await world.tell_desk("GET", f"/requests/{exchange}")
    assert shown["late"]
    assert await world.check() == {exchange: "answered"}
    assert "overdue" in [entry["type"] for entry in await world.entries()]


async def test_an_agency_that_never_answers_lets_the_exchange_expire_and_is_refused_afterwards(world: World) -> None:
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    await world.turn(25 * HOUR_MS, step_ms=HOUR_MS)
    assert await world.progress(exchange) == "expired"
    await world.start_party("northshire")
    await world.settle()
    assert await world.check() == {exchange: "expired"}
    assert world.sources["northshire"].calls == 0


async def test_a_request_withdrawn_before_it_was_delivered_is_never_answered(world: World) -> None:
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    await world.tell_desk("POST", f"/requests/{exchange}/withdraw")
    await world.settle()
    assert await world.progress(exchange) == "withdrawn"
    await world.start_party("northshire")
    await world.turn(HOUR_MS)
    assert await world.check() == {exchange: "withdrawn"}
    assert [entry["type"] for entry in await world.entries() if entry["type"] == "release"] == []


async def test_closing_an_enquiry_withdraws_what_is_outstanding(world: World) -> None:
    await world.stop_party("northshire")
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.settle()
    await world.tell_desk(
        "POST", f"/enquiries/{enquiry}/decision", {"decision": "no_further_action", "reason": "Explained."}
    )
    await world.tell_desk("POST", f"/enquiries/{enquiry}/close")
    await world.settle()
    assert await world.check() == {exchange: "withdrawn"}
    assert "closed" in [entry["type"] for entry in await world.entries()]


async def test_nothing_of_an_erased_enquiry_opens_and_the_log_still_verifies(world: World) -> None:
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    await world.tell_desk(
        "POST", f"/enquiries/{enquiry}/decision", {"decision": "no_further_action", "reason": "Explained."}
    )
    await world.tell_desk("POST", f"/enquiries/{enquiry}/close")
    await world.settle()
    await world.tell_desk("POST", f"/enquiries/{enquiry}/erase")
    with pytest.raises(Failure):
        await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert world.home("desk").keys_to_read().names("reply") == []
    assert world.home("desk").keys_to_read().names("storage") == []
    assert await world.check() == {exchange: "answered"}


async def test_a_system_that_is_away_is_tried_again_and_then_answered(world: World) -> None:
    world.sources["northshire"].is_away = True
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    assert await world.progress(exchange) == "delivered"
    world.sources["northshire"].is_away = False
    await world.turn(HOUR_MS // 2)
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}


async def test_a_system_that_stays_away_is_said_to_be_shortly_before_the_deadline(world: World) -> None:
    world.sources["northshire"].is_away = True
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.turn(4 * HOUR_MS - 60_000, step_ms=5 * 60_000)
    await world.opened(exchange)
    answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert [cell["state"] for cell in answers["outcomes"]] == ["could_not_look"]
    assert "could-not-look" in [entry["type"] for entry in await world.entries()]
    assert not (await world.tell_desk("GET", f"/requests/{exchange}"))["late"]


async def test_a_possible_match_releases_nothing_and_says_only_what_would_settle_it(world: World) -> None:
    enquiry = await world.open_enquiry(
        subjects=[
            {
                "role": "index_child",
                "name": {"given": "Wilhelmina", "family": "Quillfeather"},
                "birth_date": "2019-03-15",
            }
        ]
    )
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert [cell["state"] for cell in answers["outcomes"]] == ["possible_match"]
    assert answers["chronology"] == []
    assert "2019-03-14" not in str(answers["outcomes"])


async def test_somebody_nobody_holds_is_not_known_and_the_screen_says_what_that_is_worth(world: World) -> None:
    world.sources["northshire"].persons[0] = type(world.sources["northshire"].persons[0])(
        ref="nominal/2", names=(PersonName("Someone", "Else"),)
    )
    enquiry = await world.open_enquiry()
    await world.opened(await world.ask(enquiry))
    answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert [cell["state"] for cell in answers["outcomes"]] == ["not_known"]
    assert "does not prove absence" in answers["outcomes"][0]["says"]


async def test_every_party_restarted_in_between_loses_nothing(world: World) -> None:
    exchange = await world.ask(await world.open_enquiry())
    for name in ("coordinator", "desk", "northshire"):
        await world.kill_party(name)
        await world.start_party(name)
        await world.settle()
    await world.turn(2 * 60_000)
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}


async def test_an_agency_back_after_an_expiry_answers_what_is_still_open_at_once(world: World) -> None:
    """What an expired request leaves behind must not hold up the others until the next sweep of the outbox."""
    await world.stop_party("northshire")
    enquiry = await world.open_enquiry()
    await world.ask(enquiry)
    await world.turn(20 * HOUR_MS, step_ms=HOUR_MS)
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(4 * HOUR_MS - 5_000, step_ms=HOUR_MS)
    world.clock.turn(10_000)  # the first one expires, and nobody has swept yet
    await world.settle()
    await world.start_party("northshire")
    for _ in range(20):
        await world.settle()
    assert await world.progress(exchange) == "opened"
