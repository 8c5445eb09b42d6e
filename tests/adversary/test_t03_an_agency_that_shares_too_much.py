"""T03: a faulty or hostile agency answers with more than was granted: kept back, recorded, never shown."""

from __future__ import annotations

import pytest

from agents.runtime import minimise
from agents.runtime.agent import Agent
from tests.support.world import CASE_WORDS, World

EXCESS = "Told by the neighbour at number nine."


def too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the agency's programs put a field into every fact that no grant of this world names."""
    honest = minimise._reduced

    def reduced(*arguments: object) -> dict[str, object]:
        return {**honest(*arguments), "summary_text": EXCESS}  # type: ignore[arg-type]

    monkeypatch.setattr(minimise, "_reduced", reduced)


async def test_an_excess_field_is_cut_out_recorded_and_never_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_much(monkeypatch)
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    await world.settle()
    answers = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert EXCESS not in str(answers)
    assert [CASE_WORDS in line["text"] for line in answers["chronology"]] == [True]
    assert [cell["part_quarantined"] for cell in answers["outcomes"]] == [True]
    quarantined = [entry for entry in await world.entries() if entry["type"] == "quarantined"]
    assert [entry["exchange"] for entry in quarantined] == [exchange]
    assert await world.check() == {exchange: "answered"}


async def test_an_agency_cannot_answer_another_agencys_request(world: World) -> None:
    """Southshire holds every byte that was sent to northshire, and its own keys: nothing opens, nothing is entered."""
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry(), "northshire")
    await world.settle()
    north = world.home("northshire").own().token
    carried = [raw for subject, raw in world.hub.captured if subject == f"to.{north}.in"]
    assert carried
    south = world.running["southshire"]
    assert isinstance(south, Agent)
    for raw in carried:
        await south.ground.post._receive(f"to.{south.ground.me.token}.in", raw)
    await world.settle()
    assert world.sources["southshire"].calls == 0
    assert [entry["type"] for entry in await world.entries() if entry["type"] == "release"] == []
    await world.start_party("northshire")
    await world.turn(2 * 60_000)
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}
