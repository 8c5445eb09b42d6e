"""T02: a stranger, or a party gone wrong, sends what does not hold: its own named error, one code or nothing to the
sender, and everything else goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from broker.node.bus.memory import MemoryBus
from broker.node.post.writing import Outgoing, Writer
from schemas.envelope import Signature, pack, unpack
from schemas.messages.entry import nonce
from schemas.messages.party import PartyKind
from schemas.messages.transport import Deed, Hello, Outer, Submission
from schemas.subjects import HUB_ADMISSION, HUB_COORDINATOR
from tests.support.parties import make_member
from tests.support.world import HOUR_MS, World

STRANGER = make_member("desk", PartyKind.DESK)


class Ears:
    """Bus events nobody needs."""

    def connected(self) -> None: ...
    def disconnected(self) -> None: ...
    def unheard(self, subject: str) -> None: ...
    def dropped(self, subject: str) -> None: ...
    def flooding(self, token: str, rate: int) -> None: ...


async def send(world: World, subject: str, raw: bytes) -> None:
    bus = MemoryBus(world.hub, "stranger")
    await bus.start(Ears())
    await world.settle()
    await bus.publish(subject, raw)
    await world.settle()
    await bus.close()


def outgoing(world: World, writer: Writer, model: type[Outer] = Submission, **fields: object) -> Outgoing:
    now = world.clock.now()
    times = {"sent_at": now, "expires_at": now + HOUR_MS}
    known: dict[str, object] = {"exchange": nonce()} if model is Submission else {}
    merged = {**times, **known, **fields}
    coordinator = world.running["coordinator"].ground.me
    return writer.write(model, coordinator, (b"anything",), **merged)  # type: ignore[arg-type]


def desk(world: World) -> Writer:
    return world.running["desk"].ground.post.writer


def stranger(world: World) -> Writer:
    return Writer(STRANGER, "0" * 32)


def changed_at_its_end(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


def with_foreign_signature(world: World) -> bytes:
    """The desk's message with the stranger's signature under the desk's key id."""
    own, foreign = unpack(outgoing(world, desk(world)).raw), unpack(outgoing(world, stranger(world)).raw)
    signature = Signature(own.signatures[0].key_id, foreign.signatures[0].raw)
    return pack(own.header, [signature], own.parts)


UNPROVEN: dict[str, tuple[Callable[[World], bytes], str]] = {
    "random bytes": (lambda world: os.urandom(200), "frame_malformed"),
    "nothing": (lambda world: b"", "frame_malformed"),
    "a message cut short": (lambda world: outgoing(world, desk(world)).raw[:-1], "frame_malformed"),
    "a message with a byte more": (lambda world: outgoing(world, desk(world)).raw + b"x", "frame_malformed"),
    "a million bytes": (lambda world: bytes(1_000_001), "frame_malformed"),
    "by a stranger in the desk's name": (lambda world: outgoing(world, stranger(world)).raw, "key_unknown"),
    "a signature of another": (with_foreign_signature, "signature_invalid"),
    "a part changed": (lambda world: changed_at_its_end(outgoing(world, desk(world)).raw), "part_mismatch"),
    "expired": (
        lambda world: (
            outgoing(world, desk(world), sent_at=world.clock.now() - 2 * HOUR_MS, expires_at=world.clock.now() - 1).raw
        ),
        "expired",
    ),
    "from the future": (
        lambda world: (
            outgoing(
                world, desk(world), sent_at=world.clock.now() + HOUR_MS, expires_at=world.clock.now() + 2 * HOUR_MS
            ).raw
        ),
        "from_the_future",
    ),
    "valid for a year": (
        lambda world: outgoing(world, desk(world), expires_at=world.clock.now() + 365 * 24 * HOUR_MS).raw,
        "expired",
    ),
}


@pytest.mark.parametrize("what", UNPROVEN)
async def test_what_proves_nothing_is_counted_and_not_answered(world: World, what: str) -> None:
    make, code = UNPROVEN[what]
    raw = make(world)
    size = world.running["coordinator"].ground.log
    assert size is not None
    before, heard = size.head.size, len(world.hub.captured)
    await send(world, HUB_COORDINATOR, raw)
    # An unknown key may be in a statement not held yet: the coordinator asks admission, and nobody else hears of it.
    answered = {subject for subject, _ in world.hub.captured[heard + 1 :]} - {HUB_ADMISSION, HUB_COORDINATOR}
    assert answered == set(), "somebody answered"
    assert size.head.size == before, "a stranger could fill the log"
    exposed = world.running["coordinator"].ground.metrics.exposition().decode()
    assert f'messages_rejected_total{{code="{code}",kind="unknown"}} 1.0' in exposed
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    assert await world.check() == {exchange: "answered"}


async def test_an_agency_that_speaks_on_another_agencys_subject_is_not_heard(world: World) -> None:
    north, south = (world.running[name].ground for name in world.agencies)
    hello = north.post.passing(Hello, world.running["coordinator"].ground.me, mirror_size=0, last_seq=0)
    await send(world, f"from.{south.me.token}.coordinator", hello.raw)
    exposed = world.running["coordinator"].ground.metrics.exposition().decode()
    assert 'messages_rejected_total{code="wrong_subject",kind="unknown"} 1.0' in exposed


async def test_a_message_of_ours_for_another_party_is_refused_where_it_is_carried_instead(world: World) -> None:
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry, "northshire")
    await world.opened(exchange)
    north, south = (world.running[name].ground.me.token for name in world.agencies)
    carried = [raw for subject, raw in world.hub.captured if subject == f"to.{north}.in"]
    await send(world, f"to.{south}.in", carried[-1])
    exposed = world.running["southshire"].ground.metrics.exposition().decode()
    assert 'messages_rejected_total{code="wrong_address",kind="unknown"} 1.0' in exposed
    assert world.sources["southshire"].calls == 0


async def test_everything_replayed_has_no_second_effect(world: World) -> None:
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    await world.settle()
    entries = await world.entries()
    for subject, raw in list(world.hub.captured):
        await send(world, subject, raw)
    after = [entry for entry in await world.entries() if entry["type"] != "log-read"]
    assert after == [entry for entry in entries if entry["type"] != "log-read"]
    assert await world.check() == {exchange: "answered"}
    assert world.sources["northshire"].calls > 0
    calls = world.sources["northshire"].calls
    await world.settle()
    assert world.sources["northshire"].calls == calls


async def test_the_same_id_with_another_content_is_equivocation_and_acknowledged_by_nobody(world: World) -> None:
    writer = desk(world)
    first = outgoing(world, writer, Deed, message_id="ab" * 16)
    second = outgoing(world, writer, Deed, message_id="ab" * 16, exchange="cd" * 16)
    await send(world, HUB_COORDINATOR, first.raw)
    answers = len(world.hub.captured)
    await send(world, HUB_COORDINATOR, second.raw)
    assert len(world.hub.captured) == answers + 1
    exposed = world.running["coordinator"].ground.metrics.exposition().decode()
    assert 'messages_rejected_total{code="equivocation",kind="deed"} 1.0' in exposed


async def test_a_deed_that_is_no_deed_is_entered_as_rejected_and_answered_with_one_code(world: World) -> None:
    raw = outgoing(world, desk(world), Deed).raw
    await send(world, HUB_COORDINATOR, raw)
    rejected = [entry for entry in await world.entries() if entry["type"] == "rejected"]
    assert [(entry["sender"], entry["check"]) for entry in rejected] == [("desk", "malformed")]
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
