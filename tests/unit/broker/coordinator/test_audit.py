"""The whole log checked again: it holds as it was written, and whatever is changed in it is named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from broker.coordinator.audit import Audit
from schemas.messages.entry import Entry, PolicyEntry, ReleaseEntry, ShardOpenEntry, nonce
from schemas.messages.party import Directory
from tests.unit.broker.coordinator.scene import HOUR_MS, ORIGIN, POLICE, Scene
from tests.unit.broker.coordinator.test_correspondent import released


async def test_a_log_of_every_kind_of_story_holds(scene: Scene) -> None:
    await scene.turn(15_000)
    await released(scene)
    await scene.submit(scene.request())
    await scene.submit(scene.request(hub="elsewhere"))
    await scene.turn(100 * HOUR_MS)
    await scene.turn(5_000)
    report = await scene.command("log-verify")
    assert report == {
        "holds": True,
        "entries": len(await scene.entries()),
        "unknown_signers": 0,
        "findings": [],
    }


async def test_deeds_of_a_party_that_was_unpinned_are_counted_and_no_finding(scene: Scene) -> None:
    await released(scene)
    scene.home.unpin(POLICE.party.id)
    await scene.command("repin")
    report = await scene.command("log-verify")
    assert (report["holds"], report["unknown_signers"]) == (True, 2)


async def test_a_leaf_changed_on_disk_is_found(scene: Scene) -> None:
    await released(scene)
    await scene.coordinator.stop()
    _change(scene.home.store_path, "request")
    await scene.start_coordinator()
    report = await scene.command("log-verify")
    assert {"index": 0, "what": "hashes_do_not_hold"} in report["findings"]


def _change(path: Path, entry_type: str) -> None:
    connection = sqlite3.connect(path)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    index, leaf = connection.execute(
        "SELECT idx, leaf FROM log_entry WHERE CAST(leaf AS TEXT) LIKE ?", (f'%"type":"{entry_type}"%',)
    ).fetchone()
    connection.execute("UPDATE log_entry SET leaf = ? WHERE idx = ?", (leaf.replace(b'"seq":1,', b'"seq":2,'), index))
    connection.commit()
    connection.close()


async def _story(scene: Scene) -> list[Entry]:
    await released(scene)
    return await scene.entries()


async def _audited(scene: Scene, entries: list[Entry]) -> list[str]:
    audit = Audit(scene.home.directory(), ORIGIN)
    audit.read([entry.encode() for entry in entries])
    return [finding.what for finding in audit.findings]


async def test_an_untouched_story_has_no_findings(scene: Scene) -> None:
    assert await _audited(scene, await _story(scene)) == []


async def test_a_log_that_does_not_begin_with_its_opening_is_found(scene: Scene) -> None:
    assert await _audited(scene, (await _story(scene))[1:]) == ["first_entry_wrong"]


async def test_a_second_opening_is_found(scene: Scene) -> None:
    again = ShardOpenEntry(log=ORIGIN, hub="testhub", t=0, n=nonce())
    assert await _audited(scene, [*await _story(scene), again]) == ["first_entry_wrong"]


async def test_a_missing_entry_about_an_agency_is_found_by_its_number(scene: Scene) -> None:
    await scene.submit(scene.request())
    await scene.submit(scene.request())
    entries = [entry for entry in await scene.entries() if entry.model_dump().get("seq") != 1]
    assert "number_not_gapless" in await _audited(scene, entries)


async def test_a_second_statement_under_one_number_of_the_policy_is_found(scene: Scene) -> None:
    story = await _story(scene)
    (version,) = [entry for entry in story if isinstance(entry, PolicyEntry)]
    doubled = version.model_copy(update={"statement_digest": "0" * 64})
    assert await _audited(scene, [*story, doubled]) == ["policy_out_of_order"]


async def test_a_deed_whose_signature_does_not_hold_is_found(scene: Scene) -> None:
    entries = await _story(scene)
    forged = [
        entry.model_copy(update={"answer_digest": "0" * 64}) if isinstance(entry, ReleaseEntry) else entry
        for entry in entries
    ]
    assert await _audited(scene, forged) == ["deed_not_signed"]


async def test_two_conclusions_of_one_exchange_are_found(scene: Scene) -> None:
    entries = await _story(scene)
    assert await _audited(scene, [*entries, entries[-1]]) == ["concluded_twice"]


async def test_a_deed_about_an_exchange_nobody_asked_for_is_found(scene: Scene) -> None:
    entries = [entry for entry in await _story(scene) if entry.type != "request"]
    assert set(await _audited(scene, entries)) == {"exchange_never_asked"}


@pytest.mark.parametrize("leaf", [b"", b"{}", b"not json"])
def test_an_entry_that_is_none_is_found(leaf: bytes) -> None:
    audit = Audit(Directory("testhub", {}), ORIGIN)
    audit.read([leaf])
    assert [finding.what for finding in audit.findings] == ["entry_malformed"]
