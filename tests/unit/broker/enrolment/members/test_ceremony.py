"""The ceremony between a hub and an agency: what each step puts in effect, and what it does not."""

from __future__ import annotations

import pytest

from agents.runtime.home.enrolling import finish
from broker.node.confirming import NotConfirmed
from schemas.failures import Rejected
from tests.unit.broker.enrolment.hall import ADDRESS, Hall


async def test_a_hub_and_an_agency_see_the_same_ten_words_and_then_each_knows_the_other(hall: Hall) -> None:
    home = hall.agency()
    offered = await hall.offer(hall.ask(home))
    seen: list[str] = []

    def compare(words: object) -> bool:
        seen.extend(words)  # type: ignore[arg-type]
        return True

    enrolled = hall.take(home, offered["reply"], says=compare)
    assert " ".join(seen) == offered["words"]
    assert len(seen) == 10
    assert enrolled.pinned == ("coordinator", "desk", "admission")
    assert set(home.directory().parties) == {"northshire", "coordinator", "desk", "admission"}
    assert (home.path / "bus" / "addresses").read_text() == f"{ADDRESS}\n"
    admitted = await hall.command("admit", agency="northshire", words=offered["words"])
    assert admitted["servers"] == ["n1"]
    assert (await hall.member())["state"] == "admitted"
    assert hall.connections_of(home.own()) == 4


async def test_nothing_is_in_effect_before_the_yes(hall: Hall) -> None:
    home = hall.agency()
    await hall.offer(hall.ask(home))
    assert hall.connections_of(home.own()) is None
    assert "northshire" not in hall.admission.room.register.directory.parties
    assert (await hall.member())["state"] == "offered"
    assert await hall.steps() == [("offered", "northshire", None)]


async def test_each_step_is_an_entry_and_the_directory_names_the_agency_once_it_is_in_the_log(hall: Hall) -> None:
    await hall.enrol(hall.agency())
    assert await hall.steps() == [("offered", "northshire", None), ("admitted", "northshire", None)]
    assert await hall.versions() == [1, 2]
    assert (await hall.command("status"))["directory"] == 2
    assert (await hall.coordinator.commands["log-verify"]({}))["holds"] is True


async def test_other_words_admit_nobody_and_are_entered(hall: Hall) -> None:
    home = hall.agency()
    await hall.offer(hall.ask(home))
    with pytest.raises(Rejected, match="words_differ"):
        await hall.command("admit", agency="northshire", words="abandon " * 9 + "ability")
    assert (await hall.member())["state"] == "offered"
    assert hall.connections_of(home.own()) is None
    await hall.settle()
    assert (await hall.steps())[-1] == ("refused", None, "words_differ")


async def test_an_agency_whose_person_says_no_has_changed_nothing(hall: Hall) -> None:
    home = hall.agency()
    offered = await hall.offer(hall.ask(home))
    with pytest.raises(NotConfirmed):
        hall.take(home, offered["reply"], says=lambda words: False)
    assert not (home.path / "bus" / "account.jwt").exists()
    assert set(home.directory().parties) == {"northshire"}
    assert finish(home) is None


async def test_the_same_request_is_given_the_same_reply_until_the_person_decides(hall: Hall) -> None:
    home = hall.agency()
    first = await hall.offer(hall.ask(home))
    again = await hall.offer(hall.ask(home))
    assert first == again
    assert await hall.steps() == [("offered", "northshire", None)]


async def test_an_offer_that_was_withdrawn_admits_nobody_and_the_agency_may_ask_again(hall: Hall) -> None:
    home = hall.agency()
    first = await hall.offer(hall.ask(home))
    hall.take(home, first["reply"])
    await hall.command("withdraw", agency="northshire")
    assert (await hall.command("agencies"))["agencies"] == []
    with pytest.raises(Rejected, match="offer_gone"):
        await hall.command("admit", agency="northshire", words=first["words"])
    assert hall.connections_of(home.own()) is None
    assert (await hall.steps())[-1] == ("refused", None, "offer_withdrawn")
    again = await hall.offer(hall.ask(home))
    assert again["words"] != first["words"]
    hall.take(home, again["reply"])
    await hall.command("admit", agency="northshire", words=again["words"])
    assert (await hall.member())["state"] == "admitted"


@pytest.mark.parametrize("is_admitted", [True, False])
async def test_nothing_is_withdrawn_where_nothing_is_offered(hall: Hall, is_admitted: bool) -> None:
    if is_admitted:
        await hall.enrol(hall.agency())
    before = await hall.steps()
    with pytest.raises(Rejected, match="offer_gone"):
        await hall.command("withdraw", agency="northshire")
    await hall.settle()
    assert await hall.steps() == before
