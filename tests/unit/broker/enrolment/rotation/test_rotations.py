"""Keys of operator and system account rotated by an admission whose one server is given its files by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from broker.enrolment.at_rest.founding import identity_of
from broker.enrolment.books import records
from broker.enrolment.claims.check import Trusted, check_claims
from broker.enrolment.claims.keys import OF_THE_BUS, BusKeys
from broker.enrolment.rotation.steps import BusSteps, What
from broker.node.bus.claims import decode
from broker.node.commands import CommandMalformed
from broker.node.home import HomeInvalid
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, unpack
from schemas.messages.directory import DirectoryStatement
from schemas.messages.model import read
from tests.unit.broker.enrolment.hall import Hall

SIGNER = KeyPurpose.BUS_OPERATOR_SIGNER


@pytest_asyncio.fixture
async def rotating(tmp_path: Path) -> AsyncIterator[Hall]:
    made = Hall(tmp_path)
    await made.start()
    install(made)
    try:
        yield made
    finally:
        await made.stop()


def install(hall: Hall) -> None:
    """Start the server with what its files say now."""
    admission = hall.home("admission")
    hub = [hall.home("coordinator"), hall.home("desk")]
    claims = decode(identity_of(admission, hub, admission.keys_to_read(), now=hall.clock.now()).operator)
    hall.servers.operator = (claims.subject, frozenset(claims.body["signing_keys"]))


def keys(hall: Hall) -> BusKeys:
    return BusKeys(hall.home("admission"), hall.home("admission").keys_to_read())


def signers(hall: Hall) -> set[str]:
    """Who signed the claims that the servers hold."""
    return {decode(claims).issuer for claims in hall.servers.held.values()}


async def rotate(hall: Hall, what: str, *, emergency: bool = False) -> tuple[str, list[str]]:
    done = await hall.command("bus-rotate", what=what, emergency=emergency)
    return done["reached"], done["servers"]


async def test_a_signing_key_is_used_only_once_every_server_takes_it(rotating: Hall) -> None:
    await rotating.enrol(rotating.agency())
    before = nkey.of(keys(rotating).in_use(SIGNER).public)
    assert await rotate(rotating, "operator-signer") == ("added", ["n1"])
    assert await rotate(rotating, "operator-signer") == ("added", ["n1"])
    assert signers(rotating) == {before}
    assert len(rotating.servers.operator[1]) == 1
    install(rotating)
    assert await rotate(rotating, "operator-signer") == ("dropped", ["n1"])
    after = nkey.of(keys(rotating).in_use(SIGNER).public)
    assert signers(rotating) == {after} != {before}
    assert len(rotating.home("admission").keys_to_read().names(SIGNER)) == 1
    install(rotating)
    assert await rotate(rotating, "operator-signer") == ("done", [])
    assert rotating.servers.operator[1] == {after}
    issuer = rotating.admission.room.issuer()
    for claims in rotating.servers.held.values():
        check_claims(claims, Trusted(issuer.hub, [after]), now=rotating.clock.now())
    assert [step for step in await rotating.steps() if step[0] == "bus-rotated"] == [
        ("bus-rotated", None, "operator-signer-added"),
        ("bus-rotated", None, "operator-signer-done"),
    ]


async def test_a_revoked_signing_key_is_destroyed_and_replaced_before_any_server_is_asked(rotating: Hall) -> None:
    home = rotating.agency()
    await rotating.enrol(home)
    await rotating.command("expel", agency="northshire", reason="by-hand")
    before = keys(rotating).in_use(SIGNER)
    assert await rotate(rotating, "operator-signer", emergency=True) == ("dropped", ["n1"])
    after = keys(rotating).in_use(SIGNER)
    assert before.id not in rotating.home("admission").keys_to_read().names(SIGNER)
    # Of whoever was expelled too: what is left of an account must not be what the thief signed.
    assert signers(rotating) == {nkey.of(after.public)}
    # Once more is not one more.
    assert await rotate(rotating, "operator-signer", emergency=True) == ("dropped", ["n1"])
    assert keys(rotating).in_use(SIGNER).id == after.id
    install(rotating)
    assert await rotate(rotating, "operator-signer", emergency=True) == ("done", [])


async def test_a_rotation_goes_on_after_admission_was_stopped_in_it(rotating: Hall) -> None:
    await rotating.enrol(rotating.agency())
    await rotate(rotating, "operator-signer")
    await rotating.admission.stop()
    install(rotating)
    await rotating.start_admission()
    await rotating.settle()
    assert (await rotate(rotating, "operator-signer"))[0] == "dropped"
    assert signers(rotating) == {nkey.of(keys(rotating).in_use(SIGNER).public)}


async def test_the_operators_own_key_is_another_and_no_claims_change_by_it(rotating: Hall) -> None:
    await rotating.enrol(rotating.agency())
    held, (before, trusted) = dict(rotating.servers.held), rotating.servers.operator
    assert await rotate(rotating, "operator") == ("dropped", ["n1"])
    install(rotating)
    assert await rotate(rotating, "operator") == ("done", [])
    assert rotating.servers.operator[0] != before
    assert rotating.servers.operator[1] == trusted
    assert rotating.servers.held == held


async def test_the_system_accounts_keys_are_others_without_a_restart(rotating: Hall) -> None:
    purposes = (KeyPurpose.BUS_SYSTEM_SIGNER, KeyPurpose.BUS_SYSTEM_USER)
    before = {keys(rotating).in_use(purpose).id for purpose in purposes}
    assert await rotate(rotating, "system") == ("done", [])
    assert rotating.servers.renewed == 1
    assert not before & {keys(rotating).in_use(purpose).id for purpose in purposes}
    (scope,) = decode(rotating.servers.system).body["signing_keys"]
    assert scope["key"] == nkey.of(keys(rotating).in_use(KeyPurpose.BUS_SYSTEM_SIGNER).public)


async def test_nothing_of_the_system_account_is_taken_away_while_no_server_answers(rotating: Hall) -> None:
    before = keys(rotating).in_use(KeyPurpose.BUS_SYSTEM_SIGNER).id
    rotating.servers.is_away = True
    assert (await rotate(rotating, "system"))[0] == "added"
    assert keys(rotating).in_use(KeyPurpose.BUS_SYSTEM_SIGNER).id == before
    rotating.servers.is_away = False


async def test_everybody_leads_to_the_hubs_new_account_and_the_old_one_lets_nobody_in(rotating: Hall) -> None:
    home = rotating.agency()
    await rotating.enrol(home)
    before = rotating.admission.room.issuer().hub
    assert await rotate(rotating, "account") == ("done", [])
    after = rotating.admission.room.issuer().hub
    assert after != before
    held = {account: decode(claims).body for account, claims in rotating.servers.held.items()}
    assert {one["account"] for one in held[home.own().token]["imports"]} == {after}
    assert held[before]["limits"]["conn"] == 0
    assert held[after]["limits"]["conn"] > 0
    account = decode((rotating.home("admission").path / "bus" / "account.jwt").read_text()).subject
    assert account == after


async def test_a_directory_says_whom_to_trust_and_parties_that_do_not_are_waited_for(rotating: Hall) -> None:
    await rotating.enrol(rotating.agency())
    room = rotating.admission.room
    versions = await rotating.versions()
    done = await rotating.command("bus-rotate", what="authority")
    assert done["reached"] == "added"
    # The coordinator runs, and may have taken it by then.
    assert set(done["parties"]) - {"coordinator"} == {"desk", "northshire"}
    assert len(await rotating.versions()) == len(versions) + 1
    newest = await room.post.store.read(records.newest_directory)
    assert newest is not None
    stated = read(DirectoryStatement, unpack(newest.frame).header)
    assert stated.authorities == digest(room.authorities.trusted())
    await rotating.command("bus-rotate", what="authority", without=True)
    # No server was there to be tried, so the next one does not sign yet.
    assert len(room.authorities.names()) == 2
    assert "authority-added" in {reason for step, _, reason in await rotating.steps() if step == "bus-rotated"}


async def test_the_same_keys_make_the_same_operator_claims_at_any_time(rotating: Hall) -> None:
    admission, hub = rotating.home("admission"), [rotating.home("coordinator"), rotating.home("desk")]
    texts = {identity_of(admission, hub, admission.keys_to_read(), now=at).operator for at in (10**12, 2 * 10**12)}
    assert len(texts) == 1


@pytest.mark.parametrize("arguments", [{}, {"what": "root"}, {"what": "system", "more": 1}])
async def test_a_rotation_of_nothing_known_is_refused(arguments: dict[str, object], rotating: Hall) -> None:
    with pytest.raises(CommandMalformed):
        await rotating.admission.commands["bus-rotate"](arguments)


async def test_two_keys_of_which_nobody_says_which_is_used_stop_everything(rotating: Hall) -> None:
    await rotate(rotating, "operator-signer")
    (rotating.home("admission").path / "bus-keys" / SIGNER).unlink()
    with pytest.raises(HomeInvalid, match="restore"):
        keys(rotating).in_use(SIGNER)


def rotated(steps: list[tuple[str, str | None, str | None]]) -> list[str | None]:
    """What the log says of the bus's own keys."""
    return [reason for step, _, reason in steps if step == "bus-rotated"]


@pytest.mark.parametrize("what", ["operator", "operator-signer", "system", "account"])
async def test_the_end_of_a_rotation_that_a_crash_left_out_of_the_log_is_entered_at_the_next_start(
    rotating: Hall, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    async def die(steps: BusSteps, what: What) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(BusSteps, "end", die)
        await until_it_died(rotating, what)
    assert f"{what}-done" not in rotated(await rotating.steps())
    held = everything_of_the_bus(rotating)
    await rotating.admission.stop()
    await rotating.start_admission()
    await rotating.turn(1_000)
    assert rotated(await rotating.steps()) == [f"{what}-revoked", f"{what}-done"]
    # Nothing was begun a second time.
    assert everything_of_the_bus(rotating) == held
    account = decode((rotating.home("admission").path / "bus" / "account.jwt").read_text()).subject
    assert account == rotating.admission.room.issuer().hub


async def test_the_system_accounts_rotation_ends_once_a_server_that_was_away_has_confirmed_it(rotating: Hall) -> None:
    rotating.servers.missed = frozenset({"n2"})
    assert await rotate(rotating, "system", emergency=True) == ("dropped", ["n2"])
    assert await rotate(rotating, "system", emergency=True) == ("dropped", ["n2"])
    assert rotating.servers.renewed == 1
    rotating.servers.missed = frozenset()
    held = everything_of_the_bus(rotating)
    assert await rotate(rotating, "system", emergency=True) == ("done", [])
    assert everything_of_the_bus(rotating) == held
    assert rotated(await rotating.steps()) == ["system-revoked", "system-done"]


async def test_every_start_tells_the_servers_what_the_system_account_is(rotating: Hall) -> None:
    assert decode(rotating.servers.system).body["signing_keys"]
    await rotating.admission.stop()
    rotating.servers.system = ""
    await rotating.start_admission()
    await rotating.settle()
    (scope,) = decode(rotating.servers.system).body["signing_keys"]
    assert scope["key"] == nkey.of(keys(rotating).in_use(KeyPurpose.BUS_SYSTEM_SIGNER).public)


def everything_of_the_bus(hall: Hall) -> tuple[set[str], str, list[str]]:
    """The names of all that can be rotated."""
    room = hall.admission.room
    return {keys(hall).in_use(purpose).id for purpose in OF_THE_BUS}, room.issuer().hub, list(room.authorities.names())


async def until_it_died(hall: Hall, what: str) -> None:
    """Rotate at once, and give the server its files whenever it needs them, until the last step was taken."""
    for _ in range(4):
        try:
            await rotate(hall, what, emergency=True)
        except Died:
            return
        install(hall)
    raise AssertionError("it did not come to its last step")


class Died(Exception):
    """Admission was killed there."""


async def test_a_rotation_that_was_interrupted_before_anything_was_made_goes_on_with_one_entry(
    rotating: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(held: BusKeys, purpose: KeyPurpose) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(BusKeys, "add", die)
        with pytest.raises(Died):
            await rotate(rotating, "operator")
    await rotating.admission.stop()
    await rotating.start_admission()
    await rotating.turn(1_000)
    assert await rotate(rotating, "operator") == ("dropped", ["n1"])
    install(rotating)
    assert await rotate(rotating, "operator") == ("done", [])
    assert rotated(await rotating.steps()) == ["operator-added", "operator-done"]


async def test_a_planned_rotation_that_becomes_an_emergency_is_entered_as_one(rotating: Hall) -> None:
    await rotate(rotating, "operator-signer")
    await rotate(rotating, "operator-signer", emergency=True)
    install(rotating)
    await rotate(rotating, "operator-signer", emergency=True)
    await rotating.settle()
    assert rotated(await rotating.steps()) == [
        "operator-signer-added",
        "operator-signer-revoked",
        "operator-signer-done",
    ]
