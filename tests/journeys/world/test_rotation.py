"""Keys replaced while requests run, on each side: planned with an overlap; in an emergency, the old one dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.desk.officers import CommandUnsigned
from broker.enrolment.at_rest.officers import renew_officer
from broker.node.log import get_leaves
from broker.node.restating import OVERLAP_MS, PUBLISHED_AHEAD_MS
from broker.node.rotation import DESTROYED_AFTER_MS, NotRotatedHere
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import signed, unpack
from schemas.ledger.checkpoint import TreeHead, sign_checkpoint
from schemas.ledger.note import Ed25519NoteSigner
from schemas.messages.entry import ENTRIES, DeedEntry, RejectedEntry, read_entry, read_entry_as
from schemas.messages.fields import encode_base64
from schemas.messages.transport import Acknowledgement, Head, Hello, read_outer
from schemas.subjects import subject_for
from tests.support.world import HOUR_MS, World

DAY_MS = 24 * HOUR_MS
AGENT = "northshire"
ON_THE_BUS = ("message", "deed", "bus-signer", "bus-user")
STATED = {
    "coordinator": (*ON_THE_BUS, "grant", "log"),
    "desk": (*ON_THE_BUS, "request"),
    AGENT: (*ON_THE_BUS, "answer", "log", "witness", "bus-account"),
}


async def rotate(world: World, party: str, purpose: str, *, emergency: bool = False) -> None:
    await world.command(party, "rotate-key", {"purpose": purpose, "emergency": emergency})


async def answered(world: World) -> str:
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    return exchange


def held(world: World, party: str, purpose: str) -> list[str]:
    return world.running[party].ground.keys.names(purpose)


def secrets(world: World, party: str, purpose: str) -> list[SigningKey]:
    keys = world.running[party].ground.keys
    return [SigningKey.from_seed(KeyPurpose(purpose), keys.get(purpose, name)) for name in keys.names(purpose)]


def agree_on(world: World, party: str) -> bool:
    """Whether everybody who pinned a party has its newest statement."""
    newest = world.running[party].ground.me.digest
    known = [one.ground.directory.parties.get(party) for one in world.running.values()]
    return all(one is None or one.digest == newest for one in known)


@pytest.mark.parametrize("party", STATED)
async def test_every_key_of_a_party_is_replaced_as_planned_while_requests_run(world: World, party: str) -> None:
    await world.turn(60_000)  # later than the keys of before
    before = {purpose: held(world, party, purpose) for purpose in STATED[party]}
    waiting = await world.ask(await world.open_enquiry())
    for purpose in STATED[party]:
        await rotate(world, party, purpose)
    await world.settle()
    assert agree_on(world, party)
    await world.turn(10_000, step_ms=2_000)  # what was on its way to an account that was left is repeated
    await world.opened(waiting)
    await answered(world)
    await world.turn(PUBLISHED_AHEAD_MS + 10 * 60_000, step_ms=10 * 60_000)
    await answered(world)  # under the new keys
    for name in ("coordinator", "desk", AGENT):
        await world.kill_party(name)
        await world.start_party(name)
        await world.settle()
    await world.turn(OVERLAP_MS + DESTROYED_AFTER_MS + 2 * HOUR_MS, step_ms=DAY_MS)
    for purpose, old in before.items():
        assert not set(old) & set(held(world, party, purpose)), f"the old {purpose} key is still there"
        assert len(held(world, party, purpose)) == 1
    await answered(world)
    assert set((await world.check()).values()) == {"answered"}


@pytest.mark.parametrize("party", STATED)
async def test_every_key_of_a_party_is_replaced_at_once_in_an_emergency_while_requests_run(
    world: World, party: str
) -> None:
    for purpose in STATED[party]:
        old = held(world, party, purpose)
        exchange = await world.ask(await world.open_enquiry())  # under way when the key dies
        await rotate(world, party, purpose, emergency=True)
        assert not set(old) & set(held(world, party, purpose)), f"the old {purpose} key was not destroyed"
        await world.turn(10_000, step_ms=2_000)
        assert agree_on(world, party), purpose
        if purpose == "request" and await world.progress(exchange) == "not_accepted":
            exchange = await answered(world)  # signed with the dead key and not taken in: it is asked again
        await world.opened(exchange)
        await answered(world)
    await world.kill_party(party)
    await world.start_party(party)
    await world.settle()
    await answered(world)
    assert set((await world.check()).values()) == {"answered"}


async def test_what_waits_when_a_message_key_dies_is_put_anew_and_happens_once(world: World) -> None:
    """Each party in turn is cut off with messages waiting, replaces its message key, and comes back."""
    exchanges = []
    for party in ("desk", "coordinator", AGENT):
        world.hub.cut(world.buses[party])
        exchanges.append(await world.ask(await world.open_enquiry()))
        await world.settle()
        await rotate(world, party, "message", emergency=True)
        world.hub.restore(world.buses[party])
        await world.turn(3 * 60_000, step_ms=2_000)
        await world.opened(exchanges[-1])
    assert await world.check() == dict.fromkeys(exchanges, "answered")
    entries = [one["type"] for one in await world.entries()]
    assert entries.count("request") == entries.count("release") == entries.count("opened") == len(exchanges)
    assert set(entries) <= set(ENTRIES)
    assert "rejected" not in entries


async def test_an_acknowledgement_that_was_lost_with_its_key_is_signed_anew(world: World) -> None:
    """The agency took the delivery in; its word for that never arrived, and the key that signed it is dead."""
    world.hub.drop_next(2, subject="from.*.coordinator")
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    await rotate(world, AGENT, "message", emergency=True)
    await world.turn(5 * 60_000, step_ms=2_000)
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}


@pytest.mark.parametrize("lost", [1, 3])
async def test_an_agency_enters_its_new_account_though_the_word_that_it_may_was_lost(world: World, lost: int) -> None:
    """It hears nothing in the new account before it has that word: the next one comes in the old one again."""
    await world.turn(1000)
    old = world.running[AGENT].ground.me.token
    world.hub.drop_next(lost, subject=f"to.{old}.admission")
    await rotate(world, AGENT, "bus-account")
    await world.settle()
    new = world.running[AGENT].ground.me.token
    assert new != old
    assert world.running[AGENT].ground.post.account == old
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(2 * 60_000, step_ms=2_000)
    assert world.running[AGENT].ground.post.account is None
    await world.opened(exchange)
    world.hub.captured.clear()
    await answered(world)
    assert not [subject for subject, _ in world.hub.captured if old in subject]


async def test_a_dead_message_key_opens_no_door_any_more_whatever_date_it_writes(world: World) -> None:
    agent = world.running[AGENT].ground
    (stolen,) = secrets(world, AGENT, "message")
    coordinator = world.running["coordinator"].ground
    await rotate(world, AGENT, "message", emergency=True)
    await world.turn(1000)
    before = coordinator.metrics.exposition()
    hello = agent.post.passing(Hello, coordinator.me, mirror_size=0, last_seq=0)
    header = read_outer(unpack(hello.raw).header).model_copy(
        update={"message_key": stolen.id, "sent_at": world.clock.now() - 1000}
    )
    await world.buses[AGENT].publish(hello.subject, signed(header.encode(), [stolen]))
    await world.settle()
    after = coordinator.metrics.exposition()
    assert after.count(b'code="key_revoked"') > before.count(b'code="key_revoked"')


async def test_a_stranger_to_the_directory_never_hears_of_the_new_key_and_says_so(world: World) -> None:
    """Admission is away: nobody can be told, so what is signed with the new key waits and nothing is lost."""
    await world.stop_party("admission")
    await rotate(world, "coordinator", "grant", emergency=True)
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(60_000, step_ms=5_000)
    assert await world.progress(exchange) != "opened"
    await world.start_party("admission")
    await world.turn(3 * 60_000, step_ms=2_000)
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}


async def test_the_leads_key_is_replaced_and_the_new_one_opens_what_is_sealed_from_then_on(world: World) -> None:
    lead = Identity.generate(KeyPurpose.ADDENDUM)
    await world.command("desk", "rotate-key", {"purpose": "addendum", "public": encode_base64(lead.public.raw)})
    await world.turn(PUBLISHED_AHEAD_MS + HOUR_MS, step_ms=HOUR_MS)
    for name in ("desk", "coordinator", AGENT):
        directory = world.running[name].ground.directory
        assert directory.newest("desk", KeyPurpose.ADDENDUM, world.clock.now())[0] == lead.public
    await answered(world)


@pytest.mark.parametrize("purpose", ["root", "grant", "storage", "addendum"])
async def test_a_key_that_is_not_the_partys_to_replace_is_refused(world: World, purpose: str) -> None:
    serial = world.running["desk"].ground.me.statement.serial
    with pytest.raises(NotRotatedHere):
        await rotate(world, "desk", purpose, emergency=True)
    assert world.running["desk"].ground.me.statement.serial == serial


@pytest.mark.parametrize("emergency", [False, True])
async def test_an_officer_with_new_keys_goes_on_by_the_file_handed_over(world: World, emergency: bool) -> None:
    await answered(world)
    await world.turn(60_000)  # later than the keys of before
    new, file = world.folder / "officer-2.key", world.folder / "officer-2.party"
    party = renew_officer(world.folder / "officer.key", new, file, emergency=emergency, now=world.clock.now())
    for name in ("coordinator", "desk", AGENT):
        world.home(name).pin(file.read_bytes())
        world.running[name].ground.read_directory_again()
    (world.folder / "officer.key").unlink()
    new.rename(world.folder / "officer.key")
    await world.turn(1000)
    await answered(world)
    assert world.running["desk"].ground.directory.party(party.id).digest == party.digest
    assert set((await world.check()).values()) == {"answered"}


async def _deeds(world: World, n: str) -> list[DeedEntry]:
    """Every leaf of one deed in the hub's log."""
    leaves = await world.running["coordinator"].ground.store.read(lambda tx: get_leaves(tx, 0, 10**9))
    found = [entry for entry in map(read_entry, leaves) if isinstance(entry, DeedEntry)]
    return [entry for entry in found if entry.n == n]


async def _waiting_deed(world: World, party: str, type_: str) -> DeedEntry:
    ground = world.running[party].ground
    rows = await ground.store.read(lambda tx: tx.execute("SELECT raw FROM outbox WHERE kind = 'deed'").fetchall())
    found = [read_entry_as(DeedEntry, unpack(row[0]).parts[0]) for row in rows]
    return next(entry for entry in found if entry.type == type_)


@pytest.mark.parametrize(("party", "type_"), [(AGENT, "release"), ("desk", "opened")])
async def test_a_deed_that_waits_when_its_key_dies_is_signed_anew_and_entered_once(
    world: World, monkeypatch: pytest.MonkeyPatch, party: str, type_: str
) -> None:
    bus, hub = world.buses[party], world.running["coordinator"].ground.me
    publish, unheard = bus.publish, subject_for(world.running[party].ground.me, hub)

    async def publish_to_others(subject: str, payload: bytes) -> None:
        if subject != unheard:
            await publish(subject, payload)

    exchange = await world.ask(await world.open_enquiry())
    monkeypatch.setattr(bus, "publish", publish_to_others)
    await world.turn(60_000, step_ms=2_000)
    waiting = await _waiting_deed(world, party, type_)
    await rotate(world, party, "deed", emergency=True)
    await world.turn(60_000, step_ms=2_000)
    assert agree_on(world, party)
    assert waiting == await _waiting_deed(world, party, type_)
    monkeypatch.setattr(bus, "publish", publish)
    await world.turn(3 * 60_000, step_ms=2_000)
    await world.opened(exchange)
    await world.turn(15 * 60_000)  # as long as the hub has to show what an agency did
    assert await world.check() == {exchange: "answered"}
    [entered] = await _deeds(world, waiting.n)
    assert entered.deed_key != waiting.deed_key
    assert entered.done_at == waiting.t < entered.t
    same = {"t": 0, "done_at": None, "deed_key": "0" * 32, "sig": "0" * 128}
    assert entered.model_copy(update=same) == waiting.model_copy(update=same)
    kinds = [one["type"] for one in await world.entries()]
    assert kinds.count("acknowledged") == kinds.count("release") == kinds.count("opened") == 1


async def test_a_deed_that_is_in_the_log_has_its_place_though_every_key_under_it_died_before_that_was_heard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = world.buses["coordinator"]
    publish, receipts = bus.publish, f"to.{world.running[AGENT].ground.me.token}.in"

    async def publish_no_receipt(subject: str, payload: bytes) -> None:
        if subject != receipts or not isinstance(read_outer(unpack(payload).header), Acknowledgement):
            await publish(subject, payload)

    monkeypatch.setattr(bus, "publish", publish_no_receipt)
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(60_000, step_ms=2_000)
    waiting = await _waiting_deed(world, AGENT, "release")
    for purpose in ("deed", "message"):
        await rotate(world, AGENT, purpose, emergency=True)
    await world.turn(60_000, step_ms=2_000)
    monkeypatch.setattr(bus, "publish", publish)
    await world.turn(3 * 60_000, step_ms=2_000)
    await world.opened(exchange)
    assert await _deeds(world, waiting.n) == [waiting]
    assert await world.check() == {exchange: "answered"}


async def test_a_dead_key_of_the_hubs_log_halts_no_agency_and_its_use_is_recorded(world: World) -> None:
    await answered(world)
    (stolen,) = secrets(world, "coordinator", "log")
    await rotate(world, "coordinator", "log", emergency=True)
    await answered(world)
    hub, agent = world.running["coordinator"].ground, world.running[AGENT].ground
    origin = str(hub.me.statement.log)
    other = sign_checkpoint(TreeHead(origin, 3, bytes(32)), Ed25519NoteSigner(origin, stolen.private))
    shown = hub.post.passing(Head, agent.me, (other, b""), size=3, last_seq=0)
    await world.buses["coordinator"].publish(shown.subject, shown.raw)
    await world.settle()
    world.hub.captured.remove((shown.subject, shown.raw))  # it was not the hub that said so
    leaves = await agent.store.read(lambda tx: get_leaves(tx, 0, 10**9))
    refused = [entry.check for entry in map(read_entry, leaves) if isinstance(entry, RejectedEntry)]
    assert refused == ["proof_unborne"]
    assert not agent.post.halted.done()
    await answered(world)
    assert set((await world.check()).values()) == {"answered"}


@pytest.mark.parametrize("emergency", [False, True])
async def test_an_officers_old_key_file_goes_on_for_a_week_or_is_dead_at_once(world: World, emergency: bool) -> None:
    await world.turn(60_000)  # later than the keys of before
    file, old, new = (world.folder / name for name in ("officer.key", "old.key", "new.key"))
    party = renew_officer(file, new, world.folder / "new.party", emergency=emergency, now=world.clock.now())
    for name in ("coordinator", "desk", AGENT):
        world.home(name).pin((world.folder / "new.party").read_bytes())
        world.running[name].ground.read_directory_again()
    assert world.running["desk"].ground.directory.party(party.id).digest == party.digest
    await world.turn(1000)
    file.rename(old)

    async def goes_on_with(keys: Path) -> bool:
        file.unlink(missing_ok=True)
        file.symlink_to(keys)
        try:
            await answered(world)
        except CommandUnsigned:
            return False
        return True

    assert await goes_on_with(new)
    assert await goes_on_with(old) is not emergency
    await world.turn(OVERLAP_MS, step_ms=DAY_MS)
    assert not await goes_on_with(old)
    assert await goes_on_with(new)
    assert set((await world.check()).values()) == {"answered"}
