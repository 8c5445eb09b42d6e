"""Nothing leaves unlogged, nothing is lost: losses, repeats, restarts, endings, gaps and forks around one agent."""

from __future__ import annotations

import pytest

from agents.runtime.correspondent import AgentCorrespondent
from agents.runtime.hub_log.currency import HELLO_MS
from broker.node.post.silence import AGENT
from schemas.crypto.purposes import KeyPurpose
from schemas.ledger.checkpoint import TreeHead, sign_checkpoint
from schemas.ledger.merkle import leaf_hash
from schemas.ledger.note import Ed25519NoteSigner
from schemas.messages.entry import (
    EscalatedEntry,
    ExpiredEntry,
    HubEntry,
    ReleaseEntry,
    WithdrawnEntry,
    nonce,
    read_entry,
    verify_deed,
)
from schemas.messages.transport import Delivery, Head
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import octavia
from tests.unit.agents.runtime.hub import AGENCY, COORDINATOR, HOUR, LOG, Ask, Asked, World

TO_AGENT = "to.*.in"


def ask() -> Ask:
    return Ask([octavia()])


def withdrawn(world: World, asked: Asked) -> HubEntry:
    return WithdrawnEntry(
        log=LOG,
        hub="testhub",
        t=world.clock.now(),
        n=nonce(),
        agency=AGENCY,
        exchange=asked.exchange,
        seq=world.seq + 1,
        desk_deed="0" * 64,
    )


def escalated(world: World, asked: Asked, seq: int) -> HubEntry:
    return EscalatedEntry(
        log=LOG, hub="testhub", t=world.clock.now(), n=nonce(), agency=AGENCY, exchange=asked.exchange, seq=seq
    )


async def restart(world: World) -> None:
    await world.agent.stop()
    await world.start_agent()


async def test_the_release_is_signed_by_the_agency_and_names_the_answer(world: World) -> None:
    asked = await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    key, _ = world.directory.newest(AGENCY, KeyPurpose.DEED, world.clock.now())
    release = verify_deed(ReleaseEntry, world.deeds[0], key).value
    assert (release.exchange, release.request_digest) == (asked.exchange, asked.entry.request_digest)


async def test_an_answer_waits_while_the_hub_has_not_entered_its_release(world: World) -> None:
    world.bus.drop_next(1000, subject="from.*.coordinator")
    await world.ask(ask())
    await world.until_jobs({"answered": 1})
    assert world.answers == []
    world.bus.release()
    await world.until(lambda: len(world.answers) == 1, turning_ms=1_000)


async def test_a_repeated_delivery_is_answered_once(world: World) -> None:
    world.bus.duplicate_next(5, subject=TO_AGENT)
    await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    assert len(world.deeds) == 1
    assert len(world.answers) == 1


async def test_a_lost_acknowledgement_of_a_deed_gives_the_same_answer_again(world: World) -> None:
    world.bus.drop_next(1, subject="from.*.desk")
    await world.ask(ask())
    await world.until(lambda: len(world.deeds) == 1)
    await world.until_jobs({"done": 1}, turning_ms=1_000)
    assert len({parts[0] for parts in world.answers}) == 1


async def test_another_request_under_a_known_exchange_is_refused(world: World) -> None:
    first = await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    again = ask()
    again.header = {"exchange": first.exchange}
    again.grant = {"exchange": first.exchange}
    again.entry = {"exchange": first.exchange}
    again.body = {"exchange": first.exchange}
    asked, request, grant = world.build(again)
    asked.exchange = first.exchange
    world.seq = asked.entry.seq
    await world.deliver(asked, asked.entry.encode(), (request, grant))
    assert world.acknowledged[-1][1] != "committed"
    assert len(world.answers) == 1


async def test_a_withdrawn_request_is_not_answered(world: World, source: MemorySource) -> None:
    source.is_away = True
    asked = await world.ask(ask())
    await world.until(lambda: source.calls > 0)
    await world.notice(withdrawn(world, asked))
    source.is_away = False
    await world.until_jobs({"ended": 1}, turning_ms=1_000)
    assert world.deeds == []


async def test_an_answer_made_and_not_entered_before_the_withdrawal_never_leaves(world: World) -> None:
    world.bus.drop_next(1000, subject="from.*.coordinator")
    asked = await world.ask(ask())
    await world.until_jobs({"answered": 1})
    await world.notice(withdrawn(world, asked))
    world.bus.release()
    await world.until_jobs({"ended": 1}, turning_ms=1_000)
    await world.settle()
    assert world.answers == []


async def test_a_deed_that_the_hub_will_not_enter_ends_the_job(world: World) -> None:
    world.deed_code = "concluded"
    await world.ask(ask())
    await world.until_jobs({"ended": 1})
    assert world.answers == []


@pytest.mark.parametrize("cut", ["looking", "deed", "released"])
async def test_a_restart_goes_on_where_it_stood_with_the_same_bytes(
    world: World, source: MemorySource, cut: str
) -> None:
    if cut == "looking":
        source.is_away = True
    world.bus.drop_next(1000, subject="from.*.coordinator" if cut == "deed" else "from.*.desk")
    await world.ask(ask())
    await world.until(lambda: source.calls > 0)
    await world.until_jobs({{"looking": "waiting", "deed": "answered", "released": "released"}[cut]: 1})
    before = await world.agent.ground.store.read(lambda tx: tx.execute("SELECT answer FROM job").fetchone()[0])
    source.is_away = False
    world.bus.release()
    await restart(world)
    await world.until(lambda: len(world.answers) == 1)
    if cut != "looking":
        assert world.answers[0][0] == before


async def test_an_agent_that_was_away_catches_up_with_pages_and_answers(world: World) -> None:
    world.bus.cut(world.agent_bus)
    await world.append([b"{}" for _ in range(300)])
    world.sent_to = 250
    await world.ask(ask())
    world.bus.restore(world.agent_bus)
    await world.until(lambda: bool(world.answers), turning_ms=1_000)
    status = await world.agent.inspection.verify()
    assert isinstance(status["mirror"], int)
    assert status["mirror"] > 300


async def test_a_delivery_beyond_the_mirror_waits_for_the_missing_leaves(world: World) -> None:
    await world.append([b"{}" for _ in range(40)])
    world.sent_to = 30
    await world.ask(ask())
    await world.until(lambda: bool(world.answers), turning_ms=1_000)
    assert {code for _, code in world.acknowledged} == {"committed"}


async def test_no_answer_leaves_while_an_entry_that_names_the_agency_is_missing(world: World) -> None:
    missing_seq = world.seq + 1
    world.seq = missing_seq
    asked = await world.ask(ask())
    for _ in range(10):
        await world.settle()
    assert world.deeds == []
    entry = escalated(world, asked, missing_seq)
    last = world.seq
    await world.notice(entry, told=last)
    world.seq = last
    await world.until(lambda: bool(world.answers))


async def test_no_answer_leaves_on_a_view_of_the_hubs_log_that_is_ten_minutes_old(
    world: World, source: MemorySource
) -> None:
    world.is_silent = True
    source.is_away = True
    await world.ask(ask())
    await world.until(lambda: source.calls > 0)
    world.clock.turn(11 * 60_000)
    source.is_away = False
    for _ in range(10):
        world.clock.turn(2_000)
        await world.settle()
    assert world.deeds == []
    world.is_silent = False
    await world.until(lambda: bool(world.answers), turning_ms=1_000)


async def test_a_hub_that_shows_another_history_halts_the_agent(world: World) -> None:
    await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    size = (await world.agent.currency.standing()).size
    log_key = COORDINATOR.keys[KeyPurpose.LOG]
    forged = sign_checkpoint(TreeHead(LOG, size, leaf_hash(b"another")), Ed25519NoteSigner(LOG, log_key.private))
    post = world.coordinator.post
    await post.send(post.passing(Head, world.agency, (forged, b""), size=size, last_seq=world.seq))
    halted = world.agent.ground.post.halted
    await world.until(halted.done)
    assert halted.result().code == "forked_log"


async def test_a_longer_log_with_a_changed_past_halts_the_agent(world: World) -> None:
    await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    size = (await world.agent.currency.standing()).size
    log_key = COORDINATOR.keys[KeyPurpose.LOG]
    forged = sign_checkpoint(TreeHead(LOG, size + 1, leaf_hash(b"another")), Ed25519NoteSigner(LOG, log_key.private))
    extension = size.to_bytes(8, "big") + leaf_hash(b"new")
    post = world.coordinator.post
    await post.send(post.passing(Head, world.agency, (forged, extension), size=size + 1, last_seq=world.seq))
    await world.until(world.agent.ground.post.halted.done)


async def test_two_entries_under_one_number_halt_the_agent(world: World) -> None:
    asked = await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    await world.notice(escalated(world, asked, 2))
    await world.notice(escalated(world, asked, 2))
    await world.until(world.agent.ground.post.halted.done)
    assert world.agent.ground.post.halted.result().code == "entry_misnumbered"


async def test_a_release_that_the_hub_proves_and_then_does_not_show_is_omitted(world: World) -> None:
    world.bus.drop_next(1000, subject="from.*.coordinator")
    await world.ask(ask())
    await world.until_jobs({"answered": 1})
    world.bus.release()
    assert await world.agent.inspection.discrepancies() == []

    def forget(tx: object) -> None:
        tx.execute("UPDATE own_deed SET hub_idx = NULL")  # type: ignore[attr-defined]

    await world.until(lambda: bool(world.answers), turning_ms=1_000)
    await world.agent.ground.store.write(forget)
    world.clock.turn(30 * 60_000)
    await world.agent.currency.say_hello()

    async def codes() -> set[str]:
        return {one.code for one in await world.agent.inspection.discrepancies()}

    await world.until_is({"omitted"}, codes)


async def test_an_idle_agent_whose_server_was_parted_from_the_hubs_goes_to_another_within_minutes(world: World) -> None:
    moves: list[bool] = []

    async def renew(*, elsewhere: bool = False) -> None:
        moves.append(elsewhere)

    async def idle(milliseconds: int) -> None:
        for _ in range(milliseconds // 5_000):
            world.clock.turn(5_000)
            await world.settle()

    world.agent.ground.post.bus.renew = renew  # type: ignore[method-assign]
    await idle(3 * HELLO_MS)
    assert moves == []
    world.bus.drop_next(1000, subject="from.*.coordinator")
    await idle(HELLO_MS + AGENT.longest_ms + 10_000)
    assert moves == [True]


async def test_a_deed_in_my_name_that_i_never_did_is_fabricated(world: World) -> None:
    asked = await world.ask(ask())
    await world.until(lambda: bool(world.answers))
    release = read_entry(world.deeds[0])
    invented = release.model_copy(update={"n": nonce()}).encode()

    def invent(tx: object) -> None:
        tx.execute(  # type: ignore[attr-defined]
            "INSERT INTO mirror_entry (idx, seq, exchange, type, leaf) VALUES (9999, NULL, ?, 'release', ?)",
            (asked.exchange, invented),
        )

    await world.agent.ground.store.write(invent)
    found = await world.agent.inspection.discrepancies()
    assert [(one.code, one.entry) for one in found] == [("fabricated", leaf_hash(invented).hex())]


async def test_an_expired_exchange_is_given_up_and_holds_nothing_sealed(world: World, source: MemorySource) -> None:
    source.is_away = True
    asked = await world.ask(ask())
    await world.until(lambda: source.calls > 0)
    entry = ExpiredEntry(
        log=LOG,
        hub="testhub",
        t=world.clock.now(),
        n=nonce(),
        agency=AGENCY,
        exchange=asked.exchange,
        seq=world.seq + 1,
        expires_at=asked.entry.expires_at,
    )
    await world.notice(entry)
    await world.until_jobs({"ended": 1})

    def held(tx: object) -> tuple[object, ...]:
        row = tx.execute("SELECT request, grant_envelope, answer FROM job").fetchone()  # type: ignore[attr-defined]
        assert isinstance(row, tuple)
        return row

    assert await world.agent.ground.store.read(held) == (None, None, None)


async def test_messages_by_the_desk_that_only_the_coordinator_sends_are_refused(world: World) -> None:
    now, post = world.clock.now(), world.desk.post
    outgoing = post.writer.write(
        Delivery, world.agency, [b"x"], sent_at=now, expires_at=now + HOUR, exchange=nonce(), last_seq=1
    )
    before = await world.agent.inspection.entries(1)
    await post.commit(lambda tx: post.outbox.put(tx, outgoing))
    counted = 'needtoknow_messages_rejected_total{code="kind_unexpected",kind="unknown"} 1.0'
    await world.until(lambda: counted in world.agent.ground.metrics.exposition().decode())
    assert await world.agent.inspection.entries(1) == before
    assert isinstance(world.agent.ground.post.correspondent, AgentCorrespondent)
