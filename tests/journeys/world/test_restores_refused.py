"""Backups that do not hold are refused before anything is changed; a restored party does not go on without proof."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from broker.node.backup import back_up, follow
from broker.node.backup_files import BackupInvalid, read_manifest
from broker.node.backup_keys import back_up_keys, open_keys
from broker.node.backup_restore import restore
from broker.node.home import Home
from broker.node.log import LogForked
from broker.node.store.following import FollowLost
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.ledger.checkpoint import TreeHead, sign_checkpoint
from schemas.ledger.note import Ed25519NoteSigner
from schemas.messages.party import PartyKind
from schemas.messages.transport import Hello
from tests.support.restoring import begin_second_copy, lose_and_restore, lose_home, make_backup, put_back
from tests.support.world import World

MINUTE_MS = 60_000
PASSPHRASE = "correct horse battery staple 7041"


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path


async def test_a_backup_is_owner_only_and_holds_neither_keys_nor_the_lock_copy(world: World) -> None:
    await world.opened(await world.ask(await world.open_enquiry()))
    for name in ("desk", "coordinator", "northshire"):
        folder = await make_backup(world, name)
        assert folder.stat().st_mode & 0o777 == 0o700
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
        names = {path.relative_to(folder).as_posix() for path in files}
        assert {"store.sqlite", "manifest.json", "own.party"} <= names
        assert not [one for one in names if one.endswith(".key") or "lock" in one or one.startswith(("keys", "run"))]
        manifest, _ = read_manifest(folder)
        assert {one.path for one in manifest.files} == names - {"manifest.json"}
        assert not (folder.parent / f".{folder.name}.new").exists()


async def test_a_backup_is_not_written_over_another(world: World) -> None:
    folder = await make_backup(world, "desk")
    with pytest.raises(BackupInvalid, match="exists"):
        await back_up(world.running["desk"].ground, folder)


async def test_a_home_with_a_private_key_lying_in_it_is_not_backed_up(world: World) -> None:
    (world.home("desk").path / "lead.key").write_text("secret")
    with pytest.raises(BackupInvalid, match="private key"):
        await make_backup(world, "desk")
    assert not list(world.folder.glob("*desk.backup*"))


async def test_a_backup_that_was_changed_is_refused_and_the_home_stays_empty(world: World) -> None:
    folder = await make_backup(world, "desk")
    await lose_home(world, "desk")
    home = world.home("desk")

    def refused(match: str, expected: str | None = None, kinds: tuple[PartyKind, ...] = (PartyKind.DESK,)) -> None:
        with pytest.raises(BackupInvalid, match=match):
            restore(home, folder, now=world.clock.now(), kinds=kinds, expected=expected, lock_copy=None)
        assert {path.name for path in home.path.iterdir()} == {"keys"}

    refused("backup of a desk", kinds=(PartyKind.COORDINATOR,))
    refused("not the one that was kept", expected="0" * 64)
    with (folder / "store.sqlite").open("r+b") as store:
        store.seek(5000)
        store.write(b"changed")
    refused("store.sqlite is not what the manifest names")
    (folder / "own.party").unlink()
    refused("own.party of the backup cannot be read|store.sqlite is not")
    (folder / "manifest.json").write_text("{}")
    refused("not a manifest")


async def test_a_backup_is_not_put_into_a_home_where_something_is(world: World) -> None:
    folder = await make_backup(world, "desk")
    await world.stop_party("desk")
    with pytest.raises(BackupInvalid, match="is not empty"):
        put_back(world, "desk", folder)


async def test_a_backup_behind_the_lock_copy_that_survived_is_refused_with_how_far(world: World) -> None:
    folder = await make_backup(world, "coordinator")
    await world.opened(await world.ask(await world.open_enquiry()))
    lock = world.folder / "lock"
    shutil.copy(world.home("coordinator").path / "checkpoint.lock", lock)
    await lose_home(world, "coordinator")
    with pytest.raises(BackupInvalid, match=r"is \d+ behind; restore the second copy"):
        put_back(world, "coordinator", folder, lock_copy=lock)


async def test_a_second_copy_torn_in_its_midst_is_refused(world: World) -> None:
    copy = await begin_second_copy(world, "coordinator")
    for _ in range(3):
        await world.opened(await world.ask(await world.open_enquiry()))
    await lose_home(world, "coordinator")
    frames = next(copy.glob("*.frames"))
    with frames.open("r+b") as file:
        file.seek(3000)
        file.write(b"damage")
    with pytest.raises(FollowLost, match="does not hold"):
        put_back(world, "coordinator", copy)
    os.truncate(frames, 2000)


async def test_keys_are_backed_up_apart_and_none_that_opens_is_among_them(world: World, passphrase: Path) -> None:
    await world.open_enquiry()
    for name in ("desk", "coordinator", "northshire"):
        file = world.folder / f"{name}.sealed"
        purposes = set(back_up_keys(world.home(name), file, passphrase, now=world.clock.now()))
        assert {KeyPurpose.ROOT, KeyPurpose.MESSAGE, KeyPurpose.DEED} <= purposes
        assert not purposes & {KeyPurpose.SEAL, KeyPurpose.REPLY, KeyPurpose.STORAGE, KeyPurpose.ADDENDUM}
        assert file.stat().st_mode & 0o777 == 0o600
        opened = open_keys(file, passphrase)
        assert (opened.party, len(opened)) == (name, len(back_up_list(world, name)))
        with pytest.raises(BackupInvalid, match="exists"):
            back_up_keys(world.home(name), file, passphrase, now=world.clock.now())


def back_up_list(world: World, name: str) -> list[tuple[str, str]]:
    lasting = world.home(name).keys_to_read().held()
    return [one for one in lasting if one[0] not in ("seal", "reply", "storage", "addendum")]


async def test_a_key_backup_opens_with_its_own_passphrase_alone(world: World, passphrase: Path) -> None:
    file = world.folder / "keys.sealed"
    back_up_keys(world.home("desk"), file, passphrase, now=world.clock.now())
    other = world.folder / "other"
    other.write_text(PASSPHRASE + "x\n")
    other.chmod(0o600)
    with pytest.raises(BackupInvalid, match="does not open"):
        open_keys(file, other)
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b'"desk"', b'"desc"', 1))
    with pytest.raises(BackupInvalid):
        open_keys(file, passphrase)


async def test_a_coordinator_that_lost_its_keys_as_well_goes_on_from_both_backups(
    world: World, passphrase: Path
) -> None:
    copy = await begin_second_copy(world, "coordinator")
    sealed = world.folder / "keys.sealed"
    back_up_keys(world.home("coordinator"), sealed, passphrase, now=world.clock.now())
    first = await world.ask(await world.open_enquiry())
    await world.opened(first)
    await lose_home(world, "coordinator")
    home = world.home("coordinator").path
    shutil.rmtree(home / "keys")
    open_keys(sealed, passphrase).put_into(home / "keys", home / "config.toml")
    put_back(world, "coordinator", copy)
    await world.start_party("coordinator")
    await world.turn(3 * MINUTE_MS, step_ms=20_000)
    second = await world.ask(await world.open_enquiry())
    await world.opened(second)
    await world.settle()
    assert await world.check() == {first: "answered", second: "answered"}


async def test_a_desk_that_lost_its_enquiries_keys_ends_them_and_takes_back_what_is_under_way(world: World) -> None:
    world.sources["northshire"].is_away = True
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.turn(MINUTE_MS)
    copy = await begin_second_copy(world, "desk")
    await lose_home(world, "desk")
    for purpose in ("reply", "storage"):
        for key in (world.home("desk").path / "keys").glob(f"{purpose}.*.key"):
            key.unlink()
    put_back(world, "desk", copy)
    await world.start_party("desk")
    await world.turn(2 * MINUTE_MS)
    assert (await world.tell_desk("GET", "/enquiries"))["enquiries"] == []
    assert (await world.check())[exchange] == "withdrawn"


async def test_a_second_copy_that_has_more_than_the_backup_survives_a_start_from_the_backup(world: World) -> None:
    copy = await begin_second_copy(world, "northshire")
    backup = await make_backup(world, "northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    await world.settle()
    before = world.running["northshire"].ground.post.writer.epoch
    log = world.running["northshire"].ground.log
    assert log is not None
    size = log.head.size
    await lose_and_restore(world, "northshire", backup)
    await follow(world.running["northshire"].ground, copy)
    await world.settle()
    await lose_and_restore(world, "northshire", copy)
    # The newer copy goes on where it was put back to; the older one lies beside it, and can be put back as well.
    done = await lose_and_restore(world, "northshire", copy / f"before-{before}")
    assert done.is_followed
    assert done.log is not None
    assert done.log.size == size


async def test_a_start_that_goes_on_as_before_puts_no_second_copy_aside(world: World) -> None:
    copy = await begin_second_copy(world, "desk")
    await world.stop_party("desk")
    await world.start_party("desk")
    await follow(world.running["desk"].ground, copy)
    await world.settle()
    assert not list(copy.glob("before-*"))


async def test_putting_aside_that_was_interrupted_is_finished_by_the_next_start(world: World) -> None:
    copy = await begin_second_copy(world, "desk")
    before = world.running["desk"].ground.post.writer.epoch
    await lose_and_restore(world, "desk", await make_backup(world, "desk"))
    aside = copy / f"before-{before}"
    aside.mkdir(mode=0o700)
    (copy / "manifest.json").rename(aside / "manifest.json")
    await follow(world.running["desk"].ground, copy)
    await world.settle()
    assert await lose_and_restore(world, "desk", aside)


async def test_two_parties_do_not_share_the_folder_of_a_second_copy(world: World) -> None:
    copy = await begin_second_copy(world, "coordinator")
    with pytest.raises(BackupInvalid, match="the second copy of coordinator of testhub; give each program a folder"):
        await follow(world.running["desk"].ground, copy)


async def restore_alone(world: World, copy: Path) -> None:
    """Lose the coordinator and start it from its second copy while the agency cannot reach it."""
    await lose_home(world, "coordinator")
    put_back(world, "coordinator", copy)
    world.hub.cut(world.buses["northshire"])
    await world.start_party("coordinator")
    await world.settle()


async def test_a_claim_without_a_proof_does_not_stop_a_restored_coordinator(world: World) -> None:
    copy = await begin_second_copy(world, "coordinator")
    await world.opened(await world.ask(await world.open_enquiry()))
    await restore_alone(world, copy)
    agent = world.running["northshire"].ground
    hub = world.running["coordinator"].ground
    party = agent.directory.only(PartyKind.COORDINATOR)
    for parts in ((), (b"no checkpoint",)):
        claim = agent.post.passing(Hello, party, parts, mirror_size=1_000_000, last_seq=9)
        await hub.post._receive(claim.subject, claim.raw)
        await world.settle()
    assert hub.catch_up.is_on
    assert not hub.catch_up.is_behind
    world.hub.restore(world.buses["northshire"])
    await world.turn(MINUTE_MS, step_ms=10_000)
    assert not hub.catch_up.is_on


async def _showing(world: World, checkpoint: bytes, size: int) -> None:
    """An agency says hello to the coordinator with that checkpoint."""
    agent, hub = world.running["northshire"].ground, world.running["coordinator"].ground
    party = agent.directory.only(PartyKind.COORDINATOR)
    hello = agent.post.passing(Hello, party, (checkpoint,), mirror_size=size, last_seq=0)
    await hub.post._receive(hello.subject, hello.raw)
    await world.settle()


@pytest.mark.parametrize("ahead", [-1, 1000])
async def test_a_dead_key_of_its_log_neither_halts_a_restored_coordinator_nor_keeps_it_closed(
    world: World, ahead: int
) -> None:
    before = world.running["coordinator"].ground
    (name,) = before.keys.names(KeyPurpose.LOG)
    stolen = SigningKey.from_seed(KeyPurpose.LOG, before.keys.get(KeyPurpose.LOG, name))
    await world.opened(await world.ask(await world.open_enquiry()))
    await world.command("coordinator", "rotate-key", {"purpose": "log", "emergency": True})
    await world.settle()
    copy = await begin_second_copy(world, "coordinator")
    await world.opened(await world.ask(await world.open_enquiry()))
    await restore_alone(world, copy)
    hub = world.running["coordinator"].ground
    assert hub.log is not None
    origin, size = hub.log.origin, hub.log.head.size + ahead
    signer = Ed25519NoteSigner(origin, stolen.private)
    await _showing(world, sign_checkpoint(TreeHead(origin, size, bytes(32)), signer), size)
    rejected = hub.metrics.registry.get_sample_value(
        "needtoknow_messages_rejected_total", {"kind": "hello", "code": "proof_unborne"}
    )
    assert rejected == 1
    assert not hub.post.halted.done()
    assert hub.catch_up.is_on  # nor is the agency heard
    assert not hub.catch_up.is_behind
    said = (await world.command("coordinator", "status"))["restored"]["waits_for"]
    assert "shown under a dead key of it by northshire" in said
    # The same key's word for what is here still counts, as that of an agency that was away since before the key died.
    world.hub.restore(world.buses["northshire"])
    await world.turn(MINUTE_MS, step_ms=10_000)
    assert not hub.catch_up.is_on
    await world.opened(await world.ask(await world.open_enquiry()))
    assert set((await world.check()).values()) == {"answered"}


async def test_a_live_key_of_its_log_halts_a_restored_coordinator_whose_history_is_another(world: World) -> None:
    await world.opened(await world.ask(await world.open_enquiry()))
    copy = await begin_second_copy(world, "coordinator")
    await restore_alone(world, copy)
    hub = world.running["coordinator"].ground
    assert hub.log is not None
    head = TreeHead(hub.log.origin, hub.log.head.size, bytes(32))
    (key,) = hub.ring.live(KeyPurpose.LOG)
    await _showing(world, sign_checkpoint(head, Ed25519NoteSigner(head.origin, key.private)), head.size)
    assert isinstance(hub.post.halted.result(), LogForked)


async def test_a_restored_coordinator_goes_on_without_an_agency_on_a_persons_word_alone(world: World) -> None:
    backup = await make_backup(world, "coordinator")
    await world.stop_party("northshire")
    await lose_and_restore(world, "coordinator", backup)
    await world.turn(30 * MINUTE_MS)
    status = await world.command("coordinator", "status")
    assert "not heard yet: northshire" in status["restored"]["waits_for"]
    await world.command("coordinator", "go-on-without", {"agency": "northshire"})
    await world.turn(MINUTE_MS, step_ms=10_000)
    assert (await world.command("coordinator", "status"))["restored"]["caught_up"]


async def test_a_home_is_its_owners_alone_whoever_made_the_empty_one(world: World, tmp_path: Path) -> None:
    folder = await make_backup(world, "desk")
    fresh = Home(tmp_path / "elsewhere" / "desk")
    fresh.path.mkdir(parents=True, mode=0o755)
    done = restore(fresh, folder, now=world.clock.now(), kinds=(PartyKind.DESK,), expected=None, lock_copy=None)
    assert done.epoch != read_manifest(folder)[0].epoch
    assert fresh.path.stat().st_mode & 0o777 == 0o700
    assert fresh.own().id == "desk"
