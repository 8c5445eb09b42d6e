"""T05: a party puts a receipt, grant, answer, addendum or deed of another exchange or agency, or a changed one, in the
place of the right one, and signs the message again with its own keys.

Every part of every message, by whoever sends it. Each fails at its own check, nothing is looked up, released or opened
on the strength of it, and once the right one comes everything goes on.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import Change, HostileHub, flipped, rejected, with_part, without_part
from tests.support.world import World

OTHER_EXCHANGE, OTHER_AGENCY, FLIPPED, EMPTY, MISSING = "other exchange", "other agency", "flipped", "empty", "missing"
SUBMISSION, DELIVERY, DEED, RELEASED, NOTICE = "submission", "delivery", "deed", "released", "notice"
RECEIPT = 2
"""Place of the receipt in a delivery."""
RULED, PROVED, TAKEN = "acknowledgement of submission", "acknowledgement of deed", "acknowledgement of delivery"

Codes = tuple[str, str, str, str, str]
"""What each variant fails with: of another exchange, of another agency, flipped, empty, missing."""
MATRIX: dict[tuple[str, str, str, int], Codes] = {
    ("desk", SUBMISSION, "coordinator", 0): (
        "exchange_mismatch",
        "exchange_mismatch",
        "part_mismatch",
        "frame_malformed",
        "frame_malformed",
    ),
    ("coordinator", RULED, "desk", 0): (
        "ruling_foreign",
        "ruling_foreign",
        "grant_differs",
        "malformed",
        "malformed",
    ),
    ("coordinator", RULED, "desk", 1): (
        "entry_foreign",
        "entry_foreign",
        "inclusion_not_proven",
        "receipt_malformed",
        "ruling_foreign",
    ),
    ("coordinator", RULED, "desk", 2): (
        "grant_differs",
        "grant_differs",
        "grant_differs",
        "frame_malformed",
        "ruling_foreign",
    ),
    ("coordinator", DELIVERY, "northshire", 0): (
        "request_not_logged",
        "request_not_logged",
        "request_malformed",
        "delivery_incomplete",
        "delivery_incomplete",
    ),
    ("coordinator", DELIVERY, "northshire", 1): (
        "grant_not_logged",
        "grant_not_logged",
        "grant_not_logged",
        "delivery_incomplete",
        "delivery_incomplete",
    ),
    ("coordinator", DELIVERY, "northshire", 2): (
        "entry_foreign",
        "entry_foreign",
        "receipt_untrusted",
        "receipt_untrusted",
        "delivery_incomplete",
    ),
    ("northshire", TAKEN, "coordinator", 0): (
        "deed_elsewhere",
        "not_their_deed",
        "",  # a flipped hexadecimal digit may be none: then it is no leaf at all
        "malformed",
        "part_mismatch",
    ),
    ("northshire", DEED, "coordinator", 0): (
        "deed_elsewhere",
        "not_their_deed",
        "",  # a flipped hexadecimal digit may be none: then it is no leaf at all
        "malformed",
        "too_large",
    ),
    ("northshire", DEED, "coordinator", 1): (
        "part_mismatch",
        "part_mismatch",
        "part_mismatch",
        "part_mismatch",
        "part_mismatch",
    ),
    ("coordinator", PROVED, "northshire", 0): (
        "receipt_of_another",
        "receipt_of_another",
        "receipt_untrusted",
        "receipt_untrusted",
        "head_malformed",
    ),
    ("northshire", RELEASED, "desk", 0): (
        "answer_differs",
        "answer_differs",
        "part_mismatch",
        "frame_malformed",
        "parts_unexpected",
    ),
    ("northshire", RELEASED, "desk", 1): (
        "entry_foreign",
        "entry_foreign",
        "inclusion_not_proven",
        "receipt_malformed",
        "parts_unexpected",
    ),
    ("northshire", RELEASED, "desk", 2): (
        "addendum_differs",
        "addendum_differs",
        "addendum_differs",
        "addendum_differs",
        "parts_unexpected",
    ),
    ("coordinator", NOTICE, "desk", 0): (
        "entry_foreign",
        "entry_foreign",
        "inclusion_not_proven",
        "receipt_malformed",
        "parts_unexpected",
    ),
    ("desk", DEED, "coordinator", 0): (
        "deed_elsewhere",
        "deed_elsewhere",
        "",  # the middle of an `opened` leaf may be any of its fields; what must not happen is checked all the same
        "malformed",
        "part_mismatch",
    ),
}
GO_ON = {RULED, TAKEN, PROVED, NOTICE}
"""After these the right message comes again, or is not needed, and the exchange is answered; the others are final."""
NEVER_LOOKED_UP = {SUBMISSION, DELIVERY}


@pytest.mark.parametrize(("sender", "about", "receiver", "place"), MATRIX)
async def test_a_part_that_belongs_elsewhere_is_refused_by_name(
    tmp_path: Path, sender: str, about: str, receiver: str, place: int
) -> None:
    hub = HostileHub()
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=hub, somebody_lies=True)
    await world.start()
    try:
        before = [await answered(world, agency) for agency in world.agencies]
        changes = variants(hub, sender, about, place, before)
        # Whoever was shown no receipt of an entry that names it misses that entry, and says so.
        alarms = frozenset({"gap"}) if (about, place) == (DELIVERY, RECEIPT) else frozenset[str]()
        for (variant, change), code in zip(changes.items(), MATRIX[sender, about, receiver, place], strict=True):
            known = rejected(world.running[receiver].ground)
            looks = world.sources["northshire"].calls
            hub.turn_hostile(world.home(sender), about, None, change)
            exchange = await world.ask(await world.open_enquiry())
            kind = "acknowledgement" if about in (RULED, TAKEN, PROVED) else about
            await refused(world, receiver, kind, code, known.total() if not code else known[kind, code])
            assert hub.hits, variant
            await nothing_is_had(world, hub, exchange, about, sender, looks)
            hub.turn_honest()
            await world.turn(70_000, step_ms=10_000)
            assert not any(party.ground.post.halted.done() for party in world.running.values()), variant
            standing = await world.check(alarms=alarms)
            if about in GO_ON:
                await world.opened(exchange)
                assert (await world.check())[exchange] == "answered", variant
            elif about == SUBMISSION:
                assert exchange not in standing, variant
            elif about == DELIVERY or (about, sender) == (DEED, "northshire"):
                assert standing[exchange] == "open", variant
        standing = await world.check(alarms=alarms)
        assert [standing[exchange] for exchange in before] == ["answered", "answered"]
        assert [await world.progress(exchange) for exchange in before] == ["opened", "opened"]
    finally:
        await world.stop()


async def answered(world: World, agency: str) -> str:
    exchange = await world.ask(await world.open_enquiry(), agency)
    await world.opened(exchange)
    await world.settle()
    return exchange


def variants(hub: HostileHub, sender: str, about: str, place: int, before: list[str]) -> dict[str, Change]:
    """What the right part is replaced by; another agency's own messages are what that agency really sent."""
    other = "southshire" if sender == "northshire" else sender
    return {
        OTHER_EXCHANGE: with_part(place, hub.last(sender, about, before[0]).parts[place]),
        OTHER_AGENCY: with_part(place, hub.last(other, about, before[1]).parts[place]),
        FLIPPED: flipped(place),
        EMPTY: with_part(place, b""),
        MISSING: without_part(place),
    }


async def refused(world: World, receiver: str, kind: str, code: str, known: int) -> None:
    """Wait until the receiver has counted a rejection more."""
    for _ in range(100):
        await world.settle()
        counted = rejected(world.running[receiver].ground)
        if (counted[kind, code] if code else counted.total()) > known:
            return
        world.clock.turn(500)
    raise AssertionError(f"no {kind} was rejected with {code}, only {counted}")


async def nothing_is_had(world: World, hub: HostileHub, exchange: str, about: str, sender: str, looks: int) -> None:
    """What must not have happened while the wrong part was all there was."""
    await world.settle()
    if about in NEVER_LOOKED_UP:
        assert world.sources["northshire"].calls == looks, "records were looked up"
    if about in (SUBMISSION, DELIVERY, PROVED) or (about, sender) == (DEED, "northshire"):
        assert not [one for one in hub.carried if (one.about, one.exchange) == (RELEASED, exchange)]
    if about in (RULED, RELEASED):
        assert await world.progress(exchange) != "opened"
