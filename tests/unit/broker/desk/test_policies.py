"""The hub's policy at the desk: which version its requests state, and what it takes from nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.failures import Failure
from schemas.messages.model import read
from schemas.messages.party import PartyKind
from schemas.messages.policy import pack_policy_files
from schemas.messages.request import PolicyStated, RequestHeader
from schemas.vocabulary import OfficerRole
from tests.support.desk_world import DeskWorld, issuing
from tests.support.parties import make_member
from tests.support.policies import IG_LEAD, SMALL, Version, make_version

HOUR = 3_600_000
OTHER = {**SMALL, "rules.cedar": SMALL["rules.cedar"] + b"// Other.\n"}
STRANGER = make_member("o-00bad0", PartyKind.OFFICER, officer_role=OfficerRole.IG_LEAD)


@pytest.fixture
def first(world: DeskWorld) -> Version:
    """The hub's first version; its lead is pinned at the desk."""
    world.home.pin(IG_LEAD.party.raw)
    world.desk.ground.read_directory_again()
    return make_version(world.clock.now())


def second(world: DeskWorld, first: Version, valid_from: int, **changes: Any) -> Version:
    return make_version(valid_from, after=first, whole=OTHER, **{"made_at": world.clock.now(), **changes})


async def take(world: DeskWorld, version: Version) -> Any:
    return await world.desk.commands["take-policy"](dict(version.arguments()))


async def stated(world: DeskWorld) -> PolicyStated | None:
    """What a request of this moment states."""
    enquiry = await world.open_enquiry()
    prepared = await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
    return read(RequestHeader, prepared["header"].encode()).policy


async def test_a_request_states_the_version_in_force_when_it_is_asked(world: DeskWorld, first: Version) -> None:
    assert await stated(world) is None
    await take(world, first)
    coming = second(world, first, world.clock.now() + HOUR)
    await take(world, coming)
    assert await stated(world) == PolicyStated(number=1, statement_digest=first.digest)
    world.clock.turn(HOUR)
    assert await stated(world) == PolicyStated(number=2, statement_digest=coming.digest)


async def test_a_version_is_still_stated_after_a_restart(world: DeskWorld, first: Version) -> None:
    await take(world, first)
    await world.restart()
    assert await stated(world) == PolicyStated(number=1, statement_digest=first.digest)


async def test_a_version_that_comes_again_changes_nothing(world: DeskWorld, first: Version) -> None:
    await take(world, first)
    assert await take(world, first) == {"number": 1, "statement_digest": first.digest}


async def test_a_version_is_taken_without_those_before_it_and_they_must_fit_when_they_come(
    world: DeskWorld, first: Version
) -> None:
    await take(world, second(world, first, world.clock.now()))
    await take(world, first)
    assert (await world.desk.commands["policy-versions"]({}))["in_force"] == 2


Make = Callable[[DeskWorld, Version], Version]
REFUSED: dict[str, tuple[Make, str]] = {
    "by a lead whom nobody pinned": (
        lambda w, first: second(w, first, w.clock.now(), by=STRANGER),
        "policy_signer_unknown",
    ),
    "by an officer who is no lead": (
        lambda w, first: second(w, first, w.clock.now(), by=w.cast.officer),
        "policy_signer_refused",
    ),
    "of another hub": (lambda w, first: second(w, first, w.clock.now(), hub="otherhub"), "policy_foreign"),
    "a second statement under one number": (
        lambda w, first: make_version(w.clock.now(), whole=OTHER),
        "policy_doubled",
    ),
    "following on another statement": (
        lambda w, first: second(w, first, w.clock.now(), previous="0" * 64),
        "policy_out_of_order",
    ),
    "with other files": (
        lambda w, first: Version(
            (two := second(w, first, w.clock.now())).statement, two.frame, pack_policy_files(SMALL)
        ),
        "policy_files_differ",
    ),
}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_version_that_does_not_hold_is_refused_and_the_one_before_it_goes_on_being_stated(
    world: DeskWorld, first: Version, make: Make, code: str
) -> None:
    await take(world, first)
    with pytest.raises(Failure) as refused:
        await take(world, make(world, first))
    assert refused.value.code == code
    assert await stated(world) == PolicyStated(number=1, statement_digest=first.digest)


@pytest.mark.parametrize(("lasts_ms", "is_good"), [(6 * HOUR, True), (6 * HOUR + 1, False)])
async def test_a_glass_is_broken_for_no_longer_than_the_version_in_force_says(
    world: DeskWorld, first: Version, lasts_ms: int, is_good: bool
) -> None:
    table = b"[break_glass]\nat_most_hours = 6\nreview_within_hours = 48\n"
    await take(world, make_version(world.clock.now(), whole={**SMALL, "agreements.toml": table}))
    policies, now = world.desk.policies, world.clock.now()
    await world.restart()
    for one in (policies, world.desk.policies):
        if is_good:
            one.check_glass(lasts_ms, now)
        else:
            with pytest.raises(Failure, match="6 hours at most"):
                one.check_glass(lasts_ms, now)


async def test_no_glass_is_broken_under_a_version_that_says_nothing_of_it(world: DeskWorld, first: Version) -> None:
    world.desk.policies.check_glass(HOUR, world.clock.now())  # none is held: the coordinator decides
    await take(world, make_version(world.clock.now(), whole={**SMALL, "agreements.toml": b""}))
    with pytest.raises(Failure, match="no glass is broken"):
        world.desk.policies.check_glass(1, world.clock.now())
