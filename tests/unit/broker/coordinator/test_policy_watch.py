"""A policy whose files go away, or change, while the coordinator decides by it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from broker.coordinator.decide import Permit, Refuse, decide
from broker.coordinator.policy_watch import Found, PolicyWatch
from broker.node.policy import POLICY_ERROR
from broker.policy.packs import ENGLAND, folder_of, gather, load
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import Verified, sign, verify
from schemas.messages.request import RequestHeader
from schemas.vocabulary import AgencyKind
from tests.support.clock import NOON
from tests.unit.broker.coordinator.scene import Scene
from tests.unit.broker.policy.asking import header

KEY = SigningKey.generate(KeyPurpose.REQUEST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hub's own copy of the pack for England."""
    shutil.copytree(str(folder_of(ENGLAND)), tmp_path / "rules")
    return tmp_path / "rules"


@pytest.fixture
async def watch(scene: Scene, folder: Path) -> PolicyWatch:
    """The watch of a coordinator that decides by that folder."""
    scene.coordinator.room.policy = load(gather(folder))
    return PolicyWatch(scene.coordinator.room, lambda: gather(folder))


def checked() -> Verified[RequestHeader]:
    asked = header()
    raw = asked.encode()
    return verify(KEY.public, KeyPurpose.REQUEST, raw, sign(KEY, KeyPurpose.REQUEST, raw), asked)


def decision(scene: Scene) -> Permit | Refuse:
    return decide(checked(), agency_kind=AgencyKind.POLICE, policy=scene.coordinator.room.policy, now=NOON)


def gauges(scene: Scene) -> tuple[float, float]:
    metrics = scene.coordinator.room.metrics
    return metrics.policy_lost._value.get(), metrics.policy_changed._value.get()


async def test_a_policy_that_is_there_decides(scene: Scene, watch: PolicyWatch) -> None:
    assert await watch.look() is Found.INTACT
    assert await watch.is_there()
    assert isinstance(decision(scene), Permit)
    assert gauges(scene) == (0, 0)


@pytest.mark.parametrize("gone", ["", "20-enquiry.cedar", "pack.toml", "agreements.toml", "expected.toml"])
async def test_a_policy_that_disappears_refuses_everything_until_the_same_is_back(
    scene: Scene, watch: PolicyWatch, folder: Path, gone: str
) -> None:
    digest = scene.coordinator.room.policy.digest
    aside = folder.parent / "aside"
    shutil.move(folder / gone, aside)
    assert await watch.look() is Found.MISSING
    assert not await watch.is_there()
    refused = decision(scene)
    assert isinstance(refused, Refuse)
    assert refused.rules == (POLICY_ERROR,)
    assert gauges(scene) == (1, 0)
    assert scene.coordinator.room.policy.digest == digest
    shutil.move(aside, folder / gone)
    assert await watch.look() is Found.INTACT
    assert isinstance(decision(scene), Permit)
    assert gauges(scene) == (0, 0)


async def test_a_file_that_changes_changes_nothing_that_is_decided_and_is_told(
    scene: Scene, watch: PolicyWatch, folder: Path
) -> None:
    before = decision(scene)
    with (folder / "00-bounds.cedar").open("a") as file:
        file.write('@id("nothing") @sentence("x") forbid (principal, action, resource);\n')
    assert await watch.look() is Found.CHANGED
    assert await watch.is_there()
    assert decision(scene) == before
    assert gauges(scene) == (0, 1)


async def test_another_version_that_comes_in_place_of_a_lost_one_decides_nothing(
    scene: Scene, watch: PolicyWatch, folder: Path
) -> None:
    kept = (folder / "00-bounds.cedar").read_text()
    (folder / "00-bounds.cedar").unlink()
    assert await watch.look() is Found.MISSING
    (folder / "00-bounds.cedar").write_text(kept + "// Another.\n")
    assert await watch.look() is Found.MISSING
    assert isinstance(decision(scene), Refuse)


async def test_a_policy_that_disappears_refuses_what_is_submitted(
    scene: Scene, watch: PolicyWatch, folder: Path
) -> None:
    shutil.rmtree(folder)
    await watch.look()
    await scene.submit(scene.request())
    assert (await scene.entries())[-1].model_dump()["rules"] == [POLICY_ERROR]
