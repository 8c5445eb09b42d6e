"""A broken glass at the agency: two people only, its lead is told first, and nothing of its own is lifted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.gatekeeping.gatekeeper import Question, load_gatekeeper
from agents.runtime.hub_log import check_failures as fails
from broker.node.policy import PolicyInvalid
from broker.node.post.writing import Writer
from broker.node.store import AfterSeal
from broker.node.store.port import Seal, Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, unpack
from schemas.failures import Rejected
from schemas.messages.entry import BreakGlassEntry, nonce
from schemas.messages.party import PartyKind
from schemas.messages.request import BreakGlass, BreakGlassTold, OfficerNamed, RequestHeader
from schemas.messages.transport import Notice
from schemas.vocabulary import Category, ConsentState, Mode, OfficerRole, Outcome, Purpose, Rag, Stage, SubjectRole
from tests.support.parties import Member, make_member
from tests.support.policies import SMALL, Version, make_version
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import octavia
from tests.unit.agents.runtime.hub import COORDINATOR, HOUR, LOG, OFFICER, Ask, Asked, World

MANAGER = make_member("o-71c3d0", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
COLLEAGUE = make_member("o-33aa10", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
UNPINNED = make_member("o-55dd21", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
LIFTED = ["R4-below-threshold-content"]


@pytest.fixture
async def world(world: World) -> World:
    """The hub's manager, and a colleague who is none, are pinned at the agency."""
    for officer in (MANAGER, COLLEAGUE):
        world.home.pin(officer.party.raw)
    await world.agent.commands["repin"]({})
    return world


def glass(world: World, by: Member = MANAGER, **changes: Any) -> BreakGlass:
    until = world.clock.now() + HOUR
    return BreakGlass(
        **{"manager": by.party.id, "manager_key": by.keys[KeyPurpose.OFFICER].id, "until": until, **changes}
    )


def told(by: str = MANAGER.party.id) -> BreakGlassTold:
    return BreakGlassTold(manager=OfficerNamed(id=by, name="Team Manager", position="Team manager"), reason="Taken.")


def broken(world: World, by: Member = MANAGER, **changes: Any) -> Ask:
    """A request for which the glass was broken; a test changes what is wrong with it."""
    said = glass(world, by)
    grant = {"expires_at": said.until, "lifted": LIFTED}
    given = {"manager": by, "told_glass": told(by.party.id), "header": {"break_glass": said}, "grant": grant}
    return Ask([octavia()], **{**given, **changes})


async def check(world: World, ask: Ask) -> None:
    asked, parts = await world.parts(ask)
    world.agent.worker.checker.check(parts, asked.exchange, world.clock.now())


async def test_a_request_that_officer_and_manager_have_signed_holds(world: World) -> None:
    await check(world, broken(world))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"manager": None}, id="no manager has signed"),
        pytest.param({"manager": COLLEAGUE}, id="a colleague signed in the manager's place"),
        pytest.param({"by": COLLEAGUE}, id="a colleague for a manager"),
        pytest.param({"by": UNPINNED}, id="a manager who is not pinned here"),
    ],
)
async def test_11_a_glass_that_was_not_broken_by_a_pinned_manager_is_refused(
    world: World, changes: dict[str, Any]
) -> None:
    with pytest.raises(fails.ManagerUntrusted):
        await check(world, broken(world, **changes))


async def test_11_an_officer_who_signs_twice_is_one_person(world: World) -> None:
    with pytest.raises(fails.OfficerUntrusted):
        await check(world, broken(world, manager=OFFICER))


async def test_11_a_managers_word_for_another_request_is_none_for_this(world: World) -> None:
    (asked, parts), (_, others) = await world.parts(broken(world)), await world.parts(broken(world))
    one, other = unpack(parts[0]), unpack(others[0])
    request = pack(one.header, [*one.signatures[:2], other.signatures[2]], one.parts)
    with pytest.raises(fails.ManagerUntrusted):
        world.agent.worker.checker.check((request, *parts[1:]), asked.exchange, world.clock.now())


async def test_11_a_managers_word_that_was_over_when_the_hub_took_the_request_in_is_refused(world: World) -> None:
    with pytest.raises(fails.ManagerUntrusted):
        await check(world, broken(world, entry={"t": world.clock.now() + HOUR}))


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"grant": {"lifted": LIFTED}}, fails.GrantTooWide),
        ({"header": {}, "manager": None, "told_glass": None}, fails.GrantTooWide),
        ({"told_glass": None}, fails.SubjectsDiffer),
        ({"told_glass": told(COLLEAGUE.party.id)}, fails.SubjectsDiffer),
        ({"header": {}, "manager": None, "grant": {}}, fails.SubjectsDiffer),
    ],
)
async def test_15_20_a_grant_that_lifts_for_nobody_or_outlives_the_manager_or_a_body_that_knows_of_none_is_refused(
    world: World, changes: dict[str, Any], failure: type[Rejected]
) -> None:
    with pytest.raises(failure):
        await check(world, broken(world, **changes))


# The lead is told first.


def entry(world: World, asked: Asked, **changes: Any) -> BreakGlassEntry:
    words = unpack(asked.parts[0]).signatures
    return BreakGlassEntry(
        **{
            "log": LOG,
            "hub": "testhub",
            "t": world.clock.now(),
            "n": nonce(),
            "agency": asked.entry.agency,
            "exchange": asked.exchange,
            "seq": world.seq + 1,
            "request_digest": asked.entry.request_digest,
            "grant_digest": asked.entry.grant_digest,
            "addendum_digest": asked.entry.addendum_digest,
            "until": world.clock.now() + HOUR,
            "lifted": LIFTED,
            "manager_key": words[-1].key_id,
            "manager_sig": words[-1].raw.hex(),
            **changes,
        }
    )


async def tell(world: World, told_of: BreakGlassEntry, addendum: bytes) -> None:
    """Log the entry and give the agency notice of it."""
    now, writer = world.clock.now(), Writer(COORDINATOR, "0" * 32)
    world.seq = told_of.seq

    def work(tx: Transaction) -> AfterSeal[None] | None:
        index = world.log.append(tx, told_of.encode())

        def send(tx: Transaction, seal: Seal) -> None:
            parts = [seal.receipt(index), world.extension(tx, seal), addendum]
            given = {"exchange": told_of.exchange, "last_seq": world.seq}
            outgoing = writer.write(Notice, world.agency, parts, sent_at=now, expires_at=now + HOUR, **given)
            world.coordinator.post.outbox.put(tx, outgoing)

        return AfterSeal(send)

    await world.coordinator.post.commit(work)
    await world.settle()


def addendum_of(asked: Asked) -> bytes:
    return unpack(asked.parts[0]).parts[1]


async def alerts(world: World) -> list[str]:
    return [one["kind"] for one in (await world.agent.commands["alerts"]({}))["alerts"]]


async def test_nothing_is_looked_at_before_the_lead_is_told_that_the_glass_was_broken(
    world: World, source: MemorySource
) -> None:
    asked = await world.ask(broken(world))
    assert world.acknowledged == [("delivery", "committed")]
    assert (source.calls, await alerts(world)) == (0, [])
    await tell(world, entry(world, asked), addendum_of(asked))
    assert await alerts(world) == ["break-glass"]
    await world.until(lambda: world.clock.is_awaited(world.clock.now() + 2_000))
    world.clock.turn(2_000)
    await world.until_answered(1)
    assert world.open(asked).outcomes


async def test_an_entry_about_another_request_or_grant_lets_nothing_go(world: World, source: MemorySource) -> None:
    asked = await world.ask(broken(world))
    await tell(world, entry(world, asked, grant_digest="7" * 64), addendum_of(asked))
    await world.until(lambda: world.clock.is_awaited(world.clock.now() + 2_000))
    world.clock.turn(2_000)
    await world.settle()
    assert source.calls == 0
    assert world.answers == []


async def test_the_agent_that_restarts_meanwhile_waits_for_the_same(world: World, source: MemorySource) -> None:
    asked = await world.ask(broken(world))
    await world.agent.stop()
    await world.start_agent()
    assert source.calls == 0
    await tell(world, entry(world, asked), addendum_of(asked))
    await world.until(lambda: world.clock.is_awaited(world.clock.now() + 2_000))
    world.clock.turn(2_000)
    await world.until_answered(1)


# Nothing of the agency's is lifted.

FORBIDS = ("deny_visible", "deny_silent", "review", "existence_only")
PERMITS = ("summary", "mask", "remove")


@pytest.mark.parametrize("effect", [*FORBIDS, *PERMITS])
def test_an_effect_of_the_agencys_is_the_same_whether_the_glass_was_broken_or_not(tmp_path: Path, effect: str) -> None:
    body = f"{'forbid' if effect in FORBIDS else 'permit'} (principal, action, resource);"
    removes = '@remove("summary_text")' if effect in ("mask", "remove") else ""
    rule = f'@id("own") @sentence("Ours.") @effect("{effect}") {removes} {body}'
    (tmp_path / "own.cedar").write_text(rule)
    gatekeeper = load_gatekeeper(tmp_path)
    said: dict[str, Any] = {
        "purpose": Purpose.CHILD_PROTECTION,
        "stage": Stage.ENQUIRY,
        "rag": Rag.RED,
        "consent": ConsentState.NOT_SOUGHT,
        "officer_role": OfficerRole.SOCIAL_WORKER,
    }
    key = MANAGER.keys[KeyPurpose.OFFICER].id
    lifted = BreakGlass(manager=MANAGER.party.id, manager_key=key, until=1)
    none: frozenset[Any] = frozenset()
    passages = [
        gatekeeper.decide(
            Question(
                RequestHeader.model_construct(**said, break_glass=broken),
                SubjectRole.INDEX_CHILD,
                none,
                none,
                False,
                False,
            ),
            Category.POLICE_INCIDENT,
            Mode.CONTENT,
            none,
        )
        for broken in (None, lifted)
    ]
    assert passages[0] == passages[1]
    assert passages[0].rule == "own"


def test_a_rule_of_the_agencys_cannot_be_marked_to_be_lifted(tmp_path: Path) -> None:
    rule = '@id("own") @sentence("Ours.") @liftable("break-glass") forbid (principal, action, resource);'
    (tmp_path / "own.cedar").write_text(rule)
    with pytest.raises(PolicyInvalid, match="an agency's are never"):
        load_gatekeeper(tmp_path)


async def test_what_the_agency_never_tells_stays_untold_when_the_glass_was_broken(world: World) -> None:
    asked = await world.ask(broken(world))
    await tell(world, entry(world, asked), addendum_of(asked))
    await world.until(lambda: world.clock.is_awaited(world.clock.now() + 2_000))
    world.clock.turn(2_000)
    await world.until_answered(1)
    outcomes = {row.category: row.outcome for row in world.open(asked).outcomes}
    assert outcomes[Category.POLICE_INTELLIGENCE] is not Outcome.ANSWERED


async def agreed(world: World, agreements: str) -> Version:
    """The hub's next version, with that agreement, once the agency holds it."""
    whole = {**SMALL, "agreements.toml": agreements.encode()}
    version = make_version(world.clock.now(), after=world.policy, whole=whole)
    message = await world.issue(version)
    await world.until(lambda: world.policy_answers.get(message) == "committed")
    return version


@pytest.mark.parametrize(("hours", "code"), [(24, "committed"), (1, "committed"), (0, "glass_not_agreed")])
async def test_a_glass_is_broken_for_no_longer_than_the_hubs_policy_that_is_held_here_says(
    world: World, hours: int, code: str
) -> None:
    """The glass is broken for an hour; a version without a word about it lets none be broken."""
    version = await agreed(world, f"[break_glass]\nat_most_hours = {hours}\nreview_within_hours = 1\n" if hours else "")
    ask = broken(world)
    await world.ask(replace(ask, grant={**ask.grant, "policy_digest": version.statement.policy_digest}))
    await world.until(lambda: world.acknowledged == [("delivery", code)])


async def test_a_glass_that_is_broken_for_a_moment_longer_than_was_agreed_is_refused(world: World) -> None:
    version = await agreed(world, "[break_glass]\nat_most_hours = 1\nreview_within_hours = 1\n")
    until = world.clock.now() + HOUR + 1
    said = {"expires_at": until, "lifted": LIFTED, "policy_digest": version.statement.policy_digest}
    await world.ask(broken(world, header={"break_glass": glass(world, until=until)}, grant=said))
    await world.until(lambda: world.acknowledged == [("delivery", "glass_not_agreed")])
