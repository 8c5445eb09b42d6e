"""One agent, from a delivery to the desk's acknowledgement, with everything real but the hub's decisions."""

from __future__ import annotations

from schemas.vocabulary import Category, Outcome
from tests.unit.agents.runtime.conftest import octavia, stranger
from tests.unit.agents.runtime.hub import Ask, World


async def test_a_request_is_answered_and_released_only_after_its_entry(world: World) -> None:
    asked = await world.ask(Ask([octavia(), stranger()]))
    await world.until(lambda: len(world.answers) == 1)
    rows = {(row.subject[0], row.category): row for row in world.open(asked).outcomes}
    assert rows["a", Category.POLICE_INCIDENT].outcome is Outcome.ANSWERED
    assert rows["a", Category.POLICE_INCIDENT].facts == [{"date": "2026-03-01", "type": "Domestic incident"}]
    assert rows["a", Category.POLICE_NOTICE].outcome is Outcome.NOT_KNOWN
    assert rows["a", Category.POLICE_INTELLIGENCE].outcome is Outcome.WITHHELD
    assert rows["a", Category.POLICE_INTELLIGENCE].reason == "needs-review"
    assert rows["b", Category.POLICE_INCIDENT].outcome is Outcome.NOT_KNOWN
    assert len(world.deeds) == 1
    await world.settle()
    status = await world.agent.inspection.status()
    assert status["jobs"] == {"waiting": 0, "answered": 0, "released": 0, "done": 1, "ended": 0}
    assert status["discrepancies"] == []
    await world.agent.inspection.verify()
