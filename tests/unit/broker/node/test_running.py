"""What a program insists on before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.coordinator.records import MIGRATIONS
from broker.enrolment.at_rest.founding import found
from broker.node.ground import Ground
from broker.node.home import Home, PartyPlan
from broker.node.journal import configure_journal
from broker.node.running import EXPLAINED, Program, run
from broker.node.settings import NodeSettings
from schemas.messages.party import PartyKind
from tests.support.clock import NOON


@pytest.fixture(autouse=True)
def journal() -> Iterator[None]:
    """A program writes to the standard error of its test, which ends with the test: made before, undone after it."""
    yield
    configure_journal("tests")


async def never_built(ground: Ground) -> Program:
    raise AssertionError("it was built all the same")


def test_a_program_without_a_pinned_admission_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = {}
    for kind in (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION):
        homes[kind] = Home(tmp_path / kind.value)
        log = "testhub.example/log" if kind is PartyKind.COORDINATOR else None
        lead = tmp_path / "lead.key" if kind is PartyKind.DESK else None
        homes[kind].create(PartyPlan("testhub", kind.value, kind, "The hub", log=log), now=NOON, ig_lead_key=lead)
    hub = [homes[PartyKind.COORDINATOR], homes[PartyKind.DESK]]
    for one in homes.values():
        for other in homes.values():
            if one is not other:
                one.pin(other.own().raw)
    found(homes[PartyKind.ADMISSION], hub, hosts=["127.0.0.1"], addresses=["tls://127.0.0.1:9"], now=NOON)
    coordinator = homes[PartyKind.COORDINATOR]
    (coordinator.path / "parties" / "admission.party").unlink()
    status = run("coordinator", coordinator, NodeSettings(), never_built, migrations=MIGRATIONS)
    assert status == EXPLAINED
    assert "the hub's admission is not pinned" in capsys.readouterr().err
