"""A party that returns: the head, what it lacks, and everything that waited for it."""

from __future__ import annotations

from schemas.ledger.checkpoint import parse_tree_head
from schemas.ledger.merkle import leaf_hash, root_from_leaf_hashes
from schemas.ledger.note import parse_note
from schemas.messages.transport import Delivery, LogPage, LogQuery, Notice
from tests.unit.broker.coordinator.scene import HOUR_MS, Scene, asked
from tests.unit.broker.coordinator.test_correspondent import REFUSED


async def test_a_hello_is_answered_with_the_newest_checkpoint_and_the_leaf_hashes_up_to_it(scene: Scene) -> None:
    await scene.submit(scene.request())
    head = await scene.hello(scene.police)
    assert head is not None
    checkpoint, extension = head.parts
    hashes = [leaf_hash(entry.encode()) for entry in await scene.entries()]
    assert extension == bytes(8) + b"".join(hashes)
    tree = parse_tree_head(parse_note(checkpoint).text)
    assert (tree.size, tree.root) == root_from_leaf_hashes(hashes)
    assert (head.outer.model_dump()["size"], head.outer.model_dump()["last_seq"]) == (len(hashes), 1)


async def test_a_party_that_has_everything_is_sent_no_hashes(scene: Scene) -> None:
    head = await scene.hello(scene.police, mirror_size=len(await scene.entries()))
    assert head is not None
    assert head.parts[1] == b""


async def test_the_desk_is_told_the_head_without_hashes(scene: Scene) -> None:
    head = await scene.hello(scene.desk)
    assert head is not None
    assert head.parts[1] == b""


async def test_what_waited_for_an_agency_that_was_away_goes_out_when_it_says_hello(scene: Scene) -> None:
    scene.hub.cut(scene.police.bus)
    await scene.submit(scene.request())
    assert not scene.police.of(Delivery)
    scene.hub.restore(scene.police.bus)
    await scene.hello(scene.police)
    assert len(scene.police.of(Delivery)) == 1


async def test_an_agency_restored_from_a_backup_is_sent_again_what_it_had_acknowledged(scene: Scene) -> None:
    open_envelope, refused_envelope = scene.request(), scene.request(categories=REFUSED)
    await scene.submit(open_envelope)
    await scene.submit(refused_envelope)
    before = len(scene.police.of(Delivery)), len(scene.police.of(Notice))
    await scene.hello(scene.police, last_seq=0)
    assert (len(scene.police.of(Delivery)), len(scene.police.of(Notice))) == (before[0] + 1, before[1] + 1)
    first, again = scene.police.of(Delivery)
    assert first.parts[:2] == again.parts[:2] == (open_envelope, first.parts[1])
    assert asked(open_envelope).exchange == again.outer.model_dump()["exchange"]
    assert (await scene.types()).count("acknowledged") == 1


async def test_an_agency_that_holds_every_entry_is_sent_none_again(scene: Scene) -> None:
    await scene.submit(scene.request())
    await scene.hello(scene.police, last_seq=1)
    assert len(scene.police.of(Delivery)) == 1


async def test_what_still_waits_in_the_outbox_is_not_put_there_twice(scene: Scene) -> None:
    scene.hub.cut(scene.police.bus)
    await scene.submit(scene.request())
    scene.hub.restore(scene.police.bus)
    scene.hub.drop_next(10, subject="to.*.in")
    await scene.hello(scene.police)
    assert len(scene.coordinator.ground.post.outbox) == 1


async def test_an_entry_whose_message_expired_is_told_after_a_hello(scene: Scene) -> None:
    scene.hub.cut(scene.police.bus)
    await scene.submit(scene.request())
    await scene.turn(48 * HOUR_MS)
    await scene.turn(40 * 24 * HOUR_MS)
    scene.hub.restore(scene.police.bus)
    await scene.hello(scene.police, last_seq=0)
    numbers = sorted(entry.model_dump()["seq"] for entry in scene.police.told())
    assert numbers == [1, 2, 3, 4]


async def test_a_mirror_said_to_be_longer_than_the_log_is_not_believed(scene: Scene) -> None:
    head = await scene.hello(scene.police, mirror_size=10**6)
    assert head is not None
    assert head.parts[1] == b""
    await scene.submit(scene.request())
    assert len(scene.police.of(Delivery)) == 1


async def test_a_log_query_is_answered_with_a_page_and_a_checkpoint_that_covers_it(scene: Scene) -> None:
    await scene.submit(scene.request())
    hashes = [leaf_hash(entry.encode()) for entry in await scene.entries()]
    for start in (0, 2, len(hashes), len(hashes) + 7):
        await scene.police.post.send(scene.police.post.passing(LogQuery, scene.me, start=start))
        await scene.settle()
        page = scene.police.of(LogPage)[-1]
        assert page.parts[0] == b"".join(hashes[start:])
        assert page.outer.model_dump()["start"] == start
        assert parse_tree_head(parse_note(page.parts[1]).text).size == len(hashes) == page.outer.model_dump()["size"]


async def test_a_query_of_a_stranger_is_answered_with_nothing(scene: Scene) -> None:
    stranger = scene.police.post.passing(LogQuery, scene.me, start=0)
    await scene.police.bus.publish("hub.coordinator", stranger.raw)
    await scene.settle()
    assert not scene.police.of(LogPage)
