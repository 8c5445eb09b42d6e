"""The hub's policy at an agency: which versions it holds, by which it refuses a grant, and what it never believes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agents.runtime.hub_policy import records
from agents.runtime.hub_policy.rules import sentences
from schemas.failures import Failure
from schemas.messages.party import PartyKind
from schemas.messages.policy import pack_policy_files
from schemas.messages.request import PolicyStated
from schemas.vocabulary import OfficerRole
from tests.support.parties import make_member
from tests.support.policies import SMALL, Version, make_version
from tests.unit.agents.runtime.conftest import octavia
from tests.unit.agents.runtime.hub import HOUR, OFFICER, Ask, World

OTHER = {**SMALL, "rules.cedar": SMALL["rules.cedar"] + b"// Other.\n"}
NEW_LEAD = make_member("o-9e02ad", PartyKind.OFFICER, officer_role=OfficerRole.IG_LEAD)
SKEW = 120_000


def second(world: World, valid_from: int, **changes: Any) -> Version:
    """The version that follows on the world's first."""
    return make_version(valid_from, after=world.policy, whole=OTHER, **{"made_at": world.clock.now(), **changes})


def under(version: Version, **grant: Any) -> Ask:
    """A request granted by that version."""
    return Ask([octavia()], grant={"policy_digest": version.statement.policy_digest, **grant})


async def issue(world: World, version: Version, **entry: Any) -> str:
    """Have the hub send a version; gives back what the agent answered."""
    message = await world.issue(version, entry=entry)
    await world.until(lambda: message in world.policy_answers)
    return world.policy_answers[message]


async def held(world: World) -> list[int]:
    return list(await world.agent.ground.store.read(records.held))


async def told(world: World, what: str) -> Any:
    """What the agent says of the versions it holds."""
    return (await world.agent.commands["policy-versions"]({}))[what]


async def test_a_version_is_held_and_a_grant_by_it_answered(world: World) -> None:
    assert await held(world) == [1]
    await world.ask(under(world.policy))
    await world.until_answered(1)
    assert [one["entry"]["type"] for one in await world.agent.inspection.entries(1)]  # type: ignore[index]


async def test_a_version_is_still_held_after_a_restart(world: World) -> None:
    assert await issue(world, second(world, world.clock.now() + HOUR)) == "committed"
    await world.agent.stop()
    await world.start_agent()
    assert await held(world) == [1, 2]
    await world.ask(under(world.policy))
    await world.until_answered(1)


async def test_a_version_that_comes_again_changes_nothing(world: World) -> None:
    assert await issue(world, world.policy) == "committed"
    assert await held(world) == [1]


async def test_a_grant_by_a_version_that_is_not_in_force_yet_is_refused(world: World) -> None:
    coming = second(world, world.clock.now() + HOUR)
    await issue(world, coming)
    await world.ask(under(coming))
    await world.until(lambda: world.acknowledged == [("delivery", "policy_not_in_force")])


async def test_a_grant_by_a_version_that_begins_within_the_difference_of_clocks_is_good(world: World) -> None:
    coming = second(world, world.clock.now() + SKEW)
    await issue(world, coming)
    await world.ask(under(coming))
    await world.until_answered(1)


@pytest.mark.parametrize(("late_ms", "is_good"), [(2 * SKEW - 1, True), (2 * SKEW, False)])
async def test_a_grant_by_a_version_that_is_over_is_good_for_the_difference_of_clocks_and_no_longer(
    world: World, late_ms: int, is_good: bool
) -> None:
    await issue(world, second(world, world.clock.now()))
    world.clock.turn(late_ms)
    await world.settle()
    await world.ask(under(world.policy))
    if is_good:
        await world.until_answered(1)
    else:
        await world.until(lambda: world.acknowledged == [("delivery", "policy_not_in_force")])


async def test_a_grant_that_was_made_in_time_is_good_however_late_it_comes(world: World) -> None:
    asked, request, grant = world.build(under(world.policy))
    world.seq = asked.entry.seq
    await issue(world, second(world, world.clock.now() + HOUR))
    world.clock.turn(3 * HOUR)
    await world.settle()
    await world.deliver(asked, asked.entry.encode(), (request, grant))
    await world.until_answered(1)


async def test_a_grant_dated_back_to_a_version_that_is_over_is_refused(world: World) -> None:
    await issue(world, second(world, world.clock.now()))
    world.clock.turn(HOUR)
    await world.settle()
    await world.ask(under(world.policy, not_before=world.clock.now() - HOUR))
    await world.until(lambda: world.acknowledged == [("delivery", "policy_not_in_force")])


async def test_a_request_waits_for_the_version_it_was_granted_by_and_holds_nobody_up(world: World) -> None:
    coming = second(world, world.clock.now())
    waiting = await world.ask(under(coming))
    await world.ask(under(world.policy))
    await world.until_answered(1)
    await world.until_is([coming.statement.policy_digest], lambda: told(world, "awaited"))
    assert await world.jobs() != {}
    await issue(world, coming)
    await world.until(lambda: len(world.answers) == 2, turning_ms=1000)
    world.open(waiting)
    assert set(world.acknowledged) == {("delivery", "committed")}
    assert await told(world, "awaited") == []


async def test_a_version_counts_for_nothing_while_the_one_that_followed_on_it_is_missing(world: World) -> None:
    two = second(world, world.clock.now())
    three = make_version(world.clock.now() + HOUR, after=two, made_at=world.clock.now())
    await issue(world, three)
    waiting = await world.ask(under(world.policy))
    await world.settle()
    assert world.answers == []
    await issue(world, two)
    assert await held(world) == [1, 2, 3]
    await world.until(lambda: len(world.answers) == 1, turning_ms=1000)
    world.open(waiting)


async def test_a_version_waits_for_the_officer_who_signed_it(world: World) -> None:
    version = second(world, world.clock.now(), by=NEW_LEAD)
    message = await world.issue(version)
    await world.settle()
    assert message not in world.policy_answers
    await world.until_is([NEW_LEAD.party.id], lambda: told(world, "awaited_signers"))
    world.home.pin(NEW_LEAD.party.raw)
    await world.agent.commands["repin"]({})
    await world.until(lambda: message in world.policy_answers, turning_ms=1000)
    assert world.policy_answers[message] == "committed"
    assert await told(world, "awaited_signers") == []


Made = tuple[Version, dict[str, Any]]
REFUSED: dict[str, tuple[Callable[[World, int], Made], str]] = {
    "another statement than the entry names": (
        lambda w, now: (second(w, now), {"statement_digest": "0" * 64}),
        "policy_not_logged",
    ),
    "another instant than the entry names": (
        lambda w, now: (second(w, now), {"valid_from": now - HOUR}),
        "policy_not_logged",
    ),
    "another hub's entry": (lambda w, now: (second(w, now), {"hub": "otherhub"}), "policy_not_logged"),
    "by an officer who is no IG lead": (lambda w, now: (second(w, now, by=OFFICER), {}), "policy_signer_refused"),
    "following on another statement": (lambda w, now: (second(w, now, previous="0" * 64), {}), "policy_out_of_order"),
    "in force before the one before it": (lambda w, now: (second(w, now - 2 * HOUR), {}), "policy_out_of_order"),
    "a second statement under one number": (
        lambda w, now: (make_version(now - HOUR, whole=OTHER), {}),
        "policy_doubled",
    ),
}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_version_that_does_not_hold_is_refused(
    world: World, make: Callable[[World, int], Made], code: str
) -> None:
    version, entry = make(world, world.clock.now())
    assert await issue(world, version, **entry) == code
    assert await held(world) == [1]
    last = (await world.agent.inspection.entries(1))[0]["entry"]
    assert last["check"] == code  # type: ignore[index]


async def test_files_that_are_not_those_that_were_signed_are_refused(world: World) -> None:
    sound = second(world, world.clock.now())
    assert await issue(world, Version(sound.statement, sound.frame, pack_policy_files(SMALL))) == "policy_files_differ"
    assert await held(world) == [1]


async def test_what_is_held_is_shown_with_what_its_rules_say(world: World) -> None:
    shown = await world.agent.commands["policy-versions"]({})
    assert (shown["in_force"], [one["number"] for one in shown["versions"]]) == (1, [1])
    one = await world.agent.commands["policy-version"]({"number": 1})
    assert sentences(one["files"]) == {"look": "Officers look at officers."}
    with pytest.raises(Failure, match="policy_not_held"):
        await world.agent.commands["policy-version"]({"number": 2})


def stating(version: Version, **changes: Any) -> dict[str, Any]:
    """The header of a request whose desk and officer state that version."""
    said = {"number": version.statement.number, "statement_digest": version.digest, **changes}
    return {"policy": PolicyStated(**said)}


async def test_a_grant_by_the_version_that_desk_and_officer_state_is_answered(world: World) -> None:
    await world.ask(Ask([octavia()], header=stating(world.policy)))
    await world.until_answered(1)


async def test_a_grant_by_a_later_version_than_desk_and_officer_state_is_answered(world: World) -> None:
    later = second(world, world.clock.now())
    await issue(world, later)
    await world.ask(
        Ask([octavia()], grant={"policy_digest": later.statement.policy_digest}, header=stating(world.policy))
    )
    await world.until_answered(1)


async def test_a_grant_by_an_older_version_than_desk_and_officer_state_is_refused(world: World) -> None:
    """Within the difference of clocks, in which the older one alone would still be good."""
    later = second(world, world.clock.now())
    await issue(world, later)
    await world.ask(Ask([octavia()], header=stating(later)))
    await world.until(lambda: world.acknowledged == [("delivery", "policy_not_in_force")])


async def test_a_request_waits_for_the_version_that_desk_and_officer_state(world: World) -> None:
    """The hub's coordinator, which grants by the version held here, has kept the next one back until now."""
    later = second(world, world.clock.now())
    await world.ask(Ask([octavia()], header=stating(later)))
    await world.until_is([2], lambda: told(world, "stated_awaited"))
    assert (world.answers, world.acknowledged) == ([], [])
    await world.ask(under(world.policy))
    await world.until_answered(1)  # and holds nobody up
    await issue(world, later)
    await world.until(lambda: ("delivery", "policy_not_in_force") in world.acknowledged, turning_ms=1000)
    assert await told(world, "stated_awaited") == []


async def test_a_statement_that_desk_and_officer_state_otherwise_than_it_is_held_is_refused(world: World) -> None:
    await world.ask(Ask([octavia()], header=stating(world.policy, statement_digest="0" * 64)))
    await world.until(lambda: world.acknowledged == [("delivery", "policy_doubled")])
