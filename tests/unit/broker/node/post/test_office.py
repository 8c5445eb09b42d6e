"""The post office: once in effect, whatever is lost, repeated or reordered on the way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broker.node.bus.memory import MemoryHub
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.post.intake import MAX_VALIDITY_MS
from broker.node.post.pacing import Pace
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from schemas.failures import Away, GroundLost, Rejected
from schemas.messages.entry import nonce
from schemas.messages.party import Directory, PartyKind
from schemas.messages.transport import Head, Hello, Submission
from tests.support.clock import HandClock
from tests.support.echo import EchoNode, settle
from tests.support.parties import make_member

DESK = make_member("desk", PartyKind.DESK)
COORDINATOR = make_member("coordinator", PartyKind.COORDINATOR)
DIRECTORY = Directory.of("testhub", [DESK.party, COORDINATOR.party])


class Pair:
    """A desk and a coordinator that only echo, their bus and their clock."""

    def __init__(self, folder: Path) -> None:
        self.hub = MemoryHub()
        self.clock = HandClock()
        self.desk = EchoNode(DESK, self.hub, folder / "desk.sqlite", DIRECTORY, self.clock)
        self.coordinator = EchoNode(COORDINATOR, self.hub, folder / "coordinator.sqlite", DIRECTORY, self.clock)

    async def start(self) -> None:
        await self.coordinator.post.start()
        await self.desk.post.start()
        await self.settle()

    async def settle(self) -> None:
        await settle(self.hub, self.desk, self.coordinator)

    def submission(self, *, text: bytes = b"request", validity_ms: int = 3_600_000) -> Outgoing:
        now = self.clock.now()
        return self.desk.post.writer.write(
            Submission, COORDINATOR.party, [text], sent_at=now, expires_at=now + validity_ms, exchange=nonce()
        )

    async def put(self, outgoing: Outgoing) -> None:
        await self.desk.post.commit(lambda tx: self.desk.post.outbox.put(tx, outgoing))
        await self.settle()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    pair = Pair(tmp_path)
    await pair.start()
    yield pair
    await pair.desk.stop()
    await pair.coordinator.stop()


def noted(pair: Pair) -> list[tuple[str, int]]:
    """What the desk's post asks of its bus when answers are late, and when; there, nothing comes of it."""
    asked: list[tuple[str, int]] = []
    began, bus = pair.clock.now(), pair.desk.post.bus

    async def renew(*, elsewhere: bool = False) -> None:
        asked.append(("elsewhere" if elsewhere else "renewed", pair.clock.now() - began))

    bus.suspect = lambda: asked.append(("suspected", pair.clock.now() - began))  # type: ignore[method-assign]
    bus.renew = renew  # type: ignore[method-assign]
    return asked


async def turned(pair: Pair, milliseconds: int) -> None:
    """Let time pass in steps of half a second."""
    for _ in range(milliseconds // 500):
        pair.clock.turn(500)
        await pair.settle()


async def test_a_link_is_suspected_when_an_answer_is_late_and_not_before(pair: Pair) -> None:
    asked = noted(pair)
    pair.hub.drop_next(1000, subject="hub.coordinator")
    await pair.put(pair.submission())
    await turned(pair, 2_000)
    assert asked == []
    await turned(pair, 10_000)
    assert {what for what, _ in asked} == {"suspected"}
    assert 2_500 <= asked[0][1] <= 4_500
    assert len(asked) <= 4


def hello(pair: Pair) -> Outgoing:
    return pair.desk.post.passing(Hello, COORDINATOR.party, mirror_size=0, last_seq=0)


async def test_a_party_that_waits_for_nothing_but_an_answer_in_passing_goes_elsewhere_too(pair: Pair) -> None:
    asked = noted(pair)
    await pair.desk.post.ask(hello(pair))  # an echo answers no hello
    await turned(pair, 14_000)
    assert asked == []
    await turned(pair, 12_000)
    assert [what for what, _ in asked] == ["elsewhere"]


async def test_whoever_is_heard_after_he_was_asked_in_passing_is_not_missed(pair: Pair) -> None:
    asked = noted(pair)
    await pair.desk.post.ask(hello(pair))
    await pair.settle()
    await turned(pair, 5_000)
    answer = pair.coordinator.post.passing(Head, DESK.party, (b"", b""), size=0, last_seq=0)
    await pair.coordinator.post.send(answer)
    await turned(pair, 60_000)
    assert asked == []


async def test_what_wants_no_answer_in_passing_has_nobody_missed(pair: Pair) -> None:
    asked = noted(pair)
    await pair.desk.post.send(hello(pair))
    await turned(pair, 60_000)
    assert asked == []


async def test_a_party_that_hears_nobody_goes_elsewhere_and_again_not_for_a_minute(pair: Pair) -> None:
    asked = noted(pair)
    pair.hub.drop_next(1000, subject="hub.coordinator")
    await pair.put(pair.submission())
    await turned(pair, 40_000)
    moves = [at for what, at in asked if what == "elsewhere"]
    assert len(moves) == 1
    assert moves[0] >= 14_000
    await turned(pair, 30_000)
    assert [at for what, at in asked if what == "elsewhere"] == moves


async def test_a_party_that_is_answered_suspects_nothing_and_stays(pair: Pair) -> None:
    asked = noted(pair)
    for _ in range(20):
        await pair.put(pair.submission())
        await turned(pair, 5_000)
    assert asked == []


async def test_a_message_is_taken_once_and_let_go_when_acknowledged(pair: Pair) -> None:
    outgoing = pair.submission()
    await pair.put(outgoing)
    assert await pair.coordinator.kept() == [(outgoing.message_id, "taken")]
    assert await pair.desk.kept() == [(outgoing.message_id, "acknowledged")]
    assert len(pair.desk.post.outbox) == 0


async def test_a_lost_message_is_repeated_with_the_same_bytes_until_it_is_acknowledged(pair: Pair) -> None:
    pair.hub.drop_next(2, subject="hub.coordinator")
    await pair.put(pair.submission())
    assert await pair.coordinator.kept() == []
    for _ in range(3):
        pair.clock.turn(5_000)
        await pair.settle()
    sent = [payload for subject, payload in pair.hub.captured if subject == "hub.coordinator"]
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert [what for _, what in await pair.coordinator.kept()] == ["taken"]


async def test_a_lost_acknowledgement_is_given_again_with_the_same_bytes_and_no_second_effect(pair: Pair) -> None:
    pair.hub.drop_next(1, subject="hub.desk")
    await pair.put(pair.submission())
    pair.clock.turn(5_000)
    await pair.settle()
    given = [payload for subject, payload in pair.hub.captured if subject == "hub.desk"]
    assert len(given) == 2
    assert given[0] == given[1]
    assert [what for _, what in await pair.coordinator.kept()] == ["taken"]
    assert [what for _, what in await pair.desk.kept()] == ["acknowledged"]


async def test_a_message_doubled_on_the_way_has_one_effect(pair: Pair) -> None:
    pair.hub.duplicate_next(1, subject="hub.coordinator")
    await pair.put(pair.submission())
    assert [what for _, what in await pair.coordinator.kept()] == ["taken"]


async def test_a_repeat_after_a_restart_gets_the_acknowledgement_from_the_table(pair: Pair, tmp_path: Path) -> None:
    outgoing = pair.submission()
    await pair.put(outgoing)
    await pair.coordinator.stop()
    pair.coordinator = EchoNode(COORDINATOR, pair.hub, tmp_path / "coordinator.sqlite", DIRECTORY, pair.clock)
    await pair.coordinator.post.start()
    await pair.settle()
    await pair.desk.post.send(outgoing)
    await pair.settle()
    given = [payload for subject, payload in pair.hub.captured if subject == "hub.desk"]
    assert given[0] == given[1]
    assert [what for _, what in await pair.coordinator.kept()] == ["taken"]


async def test_what_waited_when_the_sender_stopped_is_sent_when_it_starts_again(pair: Pair, tmp_path: Path) -> None:
    pair.hub.cut(pair.desk.bus)
    outgoing = pair.submission()
    await pair.put(outgoing)
    await pair.desk.stop()
    pair.desk = EchoNode(DESK, pair.hub, tmp_path / "desk.sqlite", DIRECTORY, pair.clock)
    await pair.desk.post.start()
    await pair.settle()
    assert await pair.coordinator.kept() == [(outgoing.message_id, "taken")]


async def test_what_waited_while_the_bus_was_away_goes_out_when_it_is_back(pair: Pair) -> None:
    pair.hub.cut(pair.desk.bus)
    outgoing = pair.submission()
    await pair.put(outgoing)
    assert await pair.coordinator.kept() == []
    pair.hub.restore(pair.desk.bus)
    await pair.settle()
    assert await pair.coordinator.kept() == [(outgoing.message_id, "taken")]


async def test_an_agent_with_much_to_send_keeps_below_what_counts_as_a_flood(pair: Pair) -> None:
    pair.desk.post._sending.pace = Pace(a_second=10, at_once=20)
    waiting = [pair.submission() for _ in range(30)]

    def put_all(tx: Transaction) -> None:
        for one in waiting:
            pair.desk.post.outbox.put(tx, one)

    await pair.desk.post.commit(put_all)
    await pair.settle()
    at_first = len(await pair.coordinator.kept())
    assert 20 <= at_first <= 21
    for _ in range(20):
        pair.clock.turn(200)
        await pair.settle()
    assert len(await pair.coordinator.kept()) == 30


async def test_a_second_message_with_a_used_id_is_refused_and_counted(pair: Pair) -> None:
    first = pair.submission(text=b"one")
    await pair.put(first)
    now = pair.clock.now()
    second = pair.desk.post.writer.write(
        Submission,
        COORDINATOR.party,
        [b"two"],
        sent_at=now,
        expires_at=now + 3_600_000,
        exchange=nonce(),
        message_id=first.message_id,
    )
    await pair.desk.post.send(second)
    await pair.settle()
    assert await pair.coordinator.kept() == [(first.message_id, "taken")]
    assert ("submission", "equivocation") in pair.coordinator.observer.rejections


async def test_a_rejection_is_recorded_and_answered_with_its_code_alone(pair: Pair) -> None:
    class Unwanted(Rejected):
        code = "agency_unknown"

    pair.coordinator.refusing = Unwanted("a detail that stays at home")
    outgoing = pair.submission()
    await pair.put(outgoing)
    assert await pair.coordinator.kept() == [(outgoing.message_id, "rejected agency_unknown")]
    assert pair.desk.acknowledged == [(outgoing.message_id, "agency_unknown")]
    assert not any(b"stays at home" in payload for _, payload in pair.hub.captured)


async def test_something_away_leaves_the_message_for_a_later_repeat(pair: Pair) -> None:
    pair.coordinator.refusing = Away("not just now")
    outgoing = pair.submission()
    await pair.put(outgoing)
    assert pair.desk.acknowledged == []
    pair.coordinator.refusing = None
    pair.clock.turn(5_000)
    await pair.settle()
    assert await pair.coordinator.kept() == [(outgoing.message_id, "taken")]


async def test_what_was_repeated_while_it_had_to_wait_is_tried_again_once(pair: Pair) -> None:
    pair.coordinator.refusing = Away("not just now")
    await pair.put(pair.submission())
    await turned(pair, 60_000)
    repeats = pair.coordinator.prepared
    assert repeats > 3
    pair.coordinator.post.try_again()
    await pair.settle()
    assert pair.coordinator.prepared == repeats + 1


async def test_lost_ground_halts_the_node_and_nothing_more_is_taken_in(pair: Pair) -> None:
    pair.coordinator.refusing = GroundLost("a fork")
    await pair.put(pair.submission())
    assert pair.coordinator.post.halted.done()
    pair.coordinator.refusing = None
    await pair.put(pair.submission())
    assert await pair.coordinator.kept() == []


async def test_an_expired_message_is_neither_taken_nor_sent_any_more(pair: Pair) -> None:
    pair.hub.drop_next(1, subject="hub.coordinator")
    await pair.put(pair.submission(validity_ms=900))
    pair.clock.turn(5_000)
    await pair.settle()
    assert await pair.coordinator.kept() == []
    assert len([1 for subject, _ in pair.hub.captured if subject == "hub.coordinator"]) == 1
    assert len(pair.desk.post.outbox) == 0


async def test_a_passing_message_is_neither_kept_nor_acknowledged(pair: Pair) -> None:
    hello = pair.desk.post.passing(Hello, COORDINATOR.party, mirror_size=0, last_seq=0)
    await pair.desk.post.send(hello)
    await pair.settle()
    assert pair.coordinator.passed == ["hello"]
    assert await pair.coordinator.kept() == []
    assert pair.desk.acknowledged == []


async def test_an_acknowledgement_of_other_bytes_lets_nothing_go(pair: Pair) -> None:
    pair.hub.cut(pair.desk.bus)
    outgoing = pair.submission()
    await pair.put(outgoing)
    pair.desk.post.outbox._waiting[outgoing.message_id].sent = replace(outgoing.sent, digest="f" * 64)
    pair.hub.restore(pair.desk.bus)
    await pair.settle()
    assert await pair.desk.kept() == []
    assert pair.desk.post.outbox.find(outgoing.message_id) is not None
    assert pair.desk.observer.rejections == [("acknowledgement", "acknowledgement_foreign")]


async def test_a_message_valid_for_the_longest_time_by_a_clock_ahead_is_acknowledged_all_the_same(pair: Pair) -> None:
    now = pair.clock.now() + PERMITTED_SKEW_MS
    outgoing = pair.desk.post.writer.write(
        Submission, COORDINATOR.party, [b"x"], sent_at=now, expires_at=now + MAX_VALIDITY_MS, exchange=nonce()
    )
    await pair.put(outgoing)
    assert pair.desk.acknowledged == [(outgoing.message_id, "committed")]
    assert len(pair.desk.post.outbox) == 0


async def test_whose_clock_it_is_that_messages_are_refused_for_is_known_of_proven_ones_alone(pair: Pair) -> None:
    sent_at = pair.clock.now() + PERMITTED_SKEW_MS + 60_000
    outgoing = pair.desk.post.writer.write(
        Submission, COORDINATOR.party, [b"x"], sent_at=sent_at, expires_at=sent_at + 60_000, exchange=nonce()
    )
    post, raw = pair.coordinator.post, outgoing.raw
    await post._receive(outgoing.subject, raw[:-1] + bytes([raw[-1] ^ 1]))
    assert post.dates.shown() == {"refused": 1, "offsets": {}, "soonest": {}}
    await post._receive(outgoing.subject, raw)
    assert post.dates.shown() == {"refused": 2, "offsets": {"desk": PERMITTED_SKEW_MS + 60_000}, "soonest": {}}
    assert await pair.coordinator.kept() == []


async def test_two_copies_in_one_group_have_one_effect_and_one_acknowledgement(pair: Pair) -> None:
    pair.coordinator.replies_at_the_seal = True
    outgoing = pair.submission()
    receive = pair.coordinator.post._receive
    held, go_on = threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        held.set()
        go_on.wait(10)

    holding = asyncio.ensure_future(pair.coordinator.store.write(hold))
    await asyncio.to_thread(held.wait, 10)
    copies = [asyncio.ensure_future(receive("hub.coordinator", outgoing.raw)) for _ in range(3)]
    for _ in range(20):
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(holding, *copies)
    await pair.settle()
    assert await pair.coordinator.kept() == [(outgoing.message_id, "taken")]
    given = [payload for subject, payload in pair.hub.captured if subject == "hub.desk"]
    assert len(given) == 3
    assert len(set(given)) == 1
    assert pair.coordinator.observer.rejections == []
