"""Suspended, resumed, expelled, replaced: what each does to accounts, directory and log, and what a crash leaves."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from agents.runtime.home.enrolling import NEXT_ROOT, accept, finish, request
from broker.enrolment.books import records
from broker.enrolment.claims.accounts import AGENCY_CONNECTIONS
from broker.enrolment.members.upkeep import LOOK_EVERY_MS
from broker.enrolment.servers.guard import COOL_OFF
from broker.node.bus.claims import decode
from broker.node.home import write_whole
from broker.node.store.connection import commit_durably
from broker.node.store.port import StoreBroken
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from tests.support.clock import NOON
from tests.unit.broker.enrolment.hall import Hall

DAY_MS = 24 * 3600 * 1000


async def test_a_suspended_agency_has_no_connection_and_a_resumed_one_has_them_again(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    await hall.command("suspend", agency="northshire")
    assert hall.connections_of(home.own()) == 0
    assert (await hall.member())["state"] == "suspended"
    await hall.command("resume", agency="northshire")
    assert hall.connections_of(home.own()) == AGENCY_CONNECTIONS
    assert [step for step, _, _ in await hall.steps()] == ["offered", "admitted", "suspended", "resumed"]
    assert await hall.versions() == [1, 2, 3, 4]


async def test_admission_tells_the_check_the_claims_that_every_server_is_to_hold(hall: Hall) -> None:
    await hall.enrol(hall.agency())
    await hall.command("suspend", agency="northshire")
    assert await hall.command("bus-claims") == hall.servers.held


def leaves_of(hall: Hall, token: str) -> int:
    return int(decode(hall.servers.held[token]).body["limits"]["leaf"])


async def test_an_agency_may_run_a_leaf_node_where_it_was_admitted_with_one(hall: Hall) -> None:
    home = hall.agency()
    offered = await hall.offer(hall.ask(home), may_run_leaf=True)
    assert (await hall.offer(hall.ask(home), may_run_leaf=True))["words"] == offered["words"]
    hall.take(home, offered["reply"])
    await hall.command("admit", agency="northshire", words=offered["words"])
    assert leaves_of(hall, home.own().token) == 1
    assert decode((home.path / "bus" / "account.jwt").read_text().strip()).body["limits"]["leaf"] == 1
    assert (await hall.member())["may_run_leaf"] is True


async def test_an_offer_without_a_leaf_node_is_made_anew_for_one(hall: Hall) -> None:
    file = hall.ask(hall.agency())
    assert (await hall.offer(file))["words"] != (await hall.offer(file, may_run_leaf=True))["words"]


async def test_an_offer_with_a_leaf_node_is_the_same_when_it_is_asked_for_without_a_word_of_it(hall: Hall) -> None:
    """The person types the command again with the words that the other read out, and may leave --leaf out."""
    home = hall.agency()
    file = hall.ask(home)
    offered = await hall.offer(file, may_run_leaf=True)
    again = await hall.offer(file, may_run_leaf=None)
    assert again["reply"] == offered["reply"]
    assert again["words"] == offered["words"]
    assert (await hall.offer(file, may_run_leaf=False))["words"] != offered["words"]
    assert (await hall.offer(hall.ask(home)))["words"] != offered["words"]


async def test_a_leaf_node_is_switched_on_and_off_and_each_is_entered_once(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    assert leaves_of(hall, home.own().token) == 0
    for may_run_leaf in (True, True, False):
        await hall.turn(1_000)
        await hall.command("leaf", agency="northshire", may_run_leaf=may_run_leaf)
        assert leaves_of(hall, home.own().token) == may_run_leaf
    steps = [("renewed", "northshire", reason) for reason in ("leaf-allowed", "leaf-ended")]
    assert (await hall.steps())[2:] == steps


async def test_a_suspended_agency_keeps_its_leave_and_has_no_leaf_node_until_it_is_resumed(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    await hall.command("leaf", agency="northshire", may_run_leaf=True)
    await hall.command("suspend", agency="northshire")
    assert leaves_of(hall, home.own().token) == 0
    await hall.command("resume", agency="northshire")
    assert leaves_of(hall, home.own().token) == 1


async def test_an_expelled_agency_is_given_no_leaf_node(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    await hall.command("expel", agency="northshire")
    with pytest.raises(Rejected, match="not_a_member"):
        await hall.command("leaf", agency="northshire", may_run_leaf=True)


async def test_an_expelled_agency_has_nothing_and_is_in_no_directory(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    before = decode(hall.servers.held[home.own().token])
    await hall.command("expel", agency="northshire", reason="left-hub")
    after = decode(hall.servers.held[home.own().token])
    assert "imports" not in after.body
    assert after.body["limits"]["conn"] == 0
    assert after.issued_at > before.issued_at
    assert after.expires_at is not None
    assert before.expires_at is not None
    assert after.expires_at >= before.expires_at
    assert "northshire" not in hall.admission.room.register.directory.parties
    assert [line.party for line in hall.admission.room.register.lines()] == ["admission", "coordinator", "desk"]
    assert (await hall.steps())[-1] == ("expelled", "northshire", "left-hub")


async def test_an_expelled_account_is_forgotten_by_servers_and_store_once_its_claims_have_ended(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    await hall.command("expel", agency="northshire")
    store, token = hall.admission.ground.store, home.own().token
    (held,) = [one for one in hall.admission.room.register.accounts.values() if one.nkey == token]
    await hall.turn(LOOK_EVERY_MS)
    assert token in hall.servers.held
    await store.write(lambda tx: records.put_account(tx, replace(held, expires_at=hall.clock.now())))
    hall.servers.is_away = True
    await hall.turn(LOOK_EVERY_MS)
    # A server that is away would bring it back, as something that nobody knows.
    assert token in await store.read(records.accounts)
    hall.servers.is_away = False
    await hall.turn(LOOK_EVERY_MS)
    while token in await store.read(records.accounts):
        await hall.settle()
    assert token not in hall.servers.held
    assert hall.admission.room.issuer().hub in hall.servers.held


async def test_an_expelled_agency_comes_back_only_with_keys_that_nobody_has_seen(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    await hall.command("expel", agency="northshire")
    await hall.turn(1_000)
    (home.path / "enrolment").mkdir(exist_ok=True)
    with pytest.raises(Rejected, match="agency_expelled"):
        await hall.offer(request(home, now=hall.clock.now()))
    folder = hall.folder
    hall.folder = folder / "again"
    hall.folder.mkdir()
    again = hall.agency()
    hall.folder = folder
    await hall.enrol(again)
    assert (await hall.member())["state"] == "admitted"
    assert hall.connections_of(again.own()) == AGENCY_CONNECTIONS
    assert hall.connections_of(home.own()) is not None
    assert decode(hall.servers.held[home.own().token]).body["limits"]["conn"] == 0


async def test_a_step_that_does_not_fit_is_refused(hall: Hall) -> None:
    with pytest.raises(Rejected, match="not_a_member"):
        await hall.command("suspend", agency="nobody")
    await hall.enrol(hall.agency())
    with pytest.raises(Rejected, match="not_a_member"):
        await hall.command("resume", agency="northshire")
    await hall.command("expel", agency="northshire")
    for step in ("suspend", "resume", "expel"):
        with pytest.raises(Rejected, match="not_a_member"):
            await hall.command(step, agency="northshire")


async def test_whoever_floods_is_suspended_without_a_person_and_cannot_be_resumed_at_once(hall: Hall) -> None:
    home = hall.agency()
    await hall.enrol(home)
    hall.servers.reported(home.own().token, 50_000)
    await hall.settle()
    assert (await hall.member())["reason"] == "flooding"
    assert (await hall.steps())[-1] == ("suspended", "northshire", "flooding")
    with pytest.raises(Rejected, match="too_soon"):
        await hall.command("resume", agency="northshire")
    await hall.turn(int(COOL_OFF.total_seconds() * 1000))
    await hall.command("resume", agency="northshire")


async def test_an_offer_that_nobody_said_yes_to_lapses(hall: Hall) -> None:
    offered = await hall.offer(hall.ask(hall.agency()))
    await hall.turn(14 * DAY_MS)
    with pytest.raises(Rejected, match="offer_gone"):
        await hall.command("admit", agency="northshire", words=offered["words"])


async def test_a_key_that_became_another_agencys_after_the_offer_is_found_at_the_yes(hall: Hall) -> None:
    home = hall.agency("southshire")
    offered = await hall.offer(hall.ask(home))
    key = home.own().root.raw
    await hall.admission.ground.store.write(lambda tx: records.keep_keys(tx, "northshire", [key]))
    with pytest.raises(Rejected, match="key_shared"):
        await hall.command("admit", agency="southshire", words=offered["words"])
    assert hall.connections_of(home.own()) is None


class TestRestarts:
    """What the store says holds, whatever the servers have forgotten."""

    async def test_what_was_decided_while_the_servers_were_away_is_shown_at_the_next_start(self, hall: Hall) -> None:
        home = hall.agency()
        await hall.enrol(home)
        hall.servers.is_away = True
        done = await hall.command("expel", agency="northshire")
        assert done["servers"] == []
        assert hall.connections_of(home.own()) == AGENCY_CONNECTIONS
        await hall.admission.stop()
        hall.servers.is_away = False
        await hall.start_admission()
        assert hall.connections_of(home.own()) == 0

    async def test_a_step_whose_commit_failed_has_no_effect_anywhere(self, hall: Hall) -> None:
        home = hall.agency()
        offered = await hall.offer(hall.ask(home))
        is_failing = False

        def commit(connection: sqlite3.Connection) -> None:
            if is_failing:
                raise OSError("the disk is gone")
            commit_durably(connection)

        hall.commit = commit
        await hall.admission.stop()
        await hall.start_admission()
        is_failing = True
        with pytest.raises(StoreBroken):
            await hall.admission.commands["admit"]({"agency": "northshire", "words": offered["words"]})
        is_failing = False
        assert hall.connections_of(home.own()) is None
        await hall.admission.stop()
        await hall.start_admission()
        await hall.settle()
        assert (await hall.member())["state"] == "offered"
        assert hall.connections_of(home.own()) is None
        await hall.command("admit", agency="northshire", words=offered["words"])
        assert hall.connections_of(home.own()) == AGENCY_CONNECTIONS

    async def test_a_directory_is_given_out_only_once_the_log_holds_it(self, hall: Hall) -> None:
        await hall.coordinator.stop()
        home = hall.agency()
        offered = await hall.offer(hall.ask(home))
        await hall.admission.commands["admit"]({"agency": "northshire", "words": offered["words"]})
        status = await hall.admission.commands["status"]({})
        assert (status["directory"], status["directory_newest"]) == (1, 2)
        await hall.start_coordinator()
        await hall.turn(70_000)
        assert (await hall.command("status"))["directory"] == 2

    async def test_the_directory_is_made_anew_every_day(self, hall: Hall) -> None:
        await hall.turn(DAY_MS + 3_600_000)
        await hall.turn(60_000)
        assert await hall.versions() == [1, 2]


class TestRoots:
    """An agency that made itself a new root: the ceremony again."""

    async def test_a_new_root_takes_effect_once_both_sides_compared_the_words(self, hall: Hall) -> None:
        home = hall.agency()
        await hall.enrol(home)
        old = home.own()
        file = hall.ask(home, replaces_root=True)
        with pytest.raises(Rejected, match="agency_known"):
            await hall.offer(file)
        offered = await hall.offer(file, replaces=True)
        assert home.own().root == old.root
        hall.take(home, offered["reply"])
        assert home.own().root != old.root
        assert home.own().statement.serial == old.statement.serial + 1
        assert home.own().token == old.token
        keys = home.keys_to_read()
        assert keys.names(KeyPurpose.ROOT) == [home.own().root.id]
        assert keys.names(NEXT_ROOT) == []
        await hall.command("admit", agency="northshire", words=offered["words"])
        assert (await hall.member())["fingerprint"] == home.own().fingerprint
        assert (await hall.steps())[-1] == ("root-replaced", "northshire", None)
        assert hall.connections_of(home.own()) == AGENCY_CONNECTIONS

    async def test_a_root_of_an_agency_that_nobody_knows_is_not_replaced(self, hall: Hall) -> None:
        home = hall.agency()
        with pytest.raises(Rejected, match="agency_unknown"):
            await hall.offer(hall.ask(home), replaces=True)

    async def test_a_root_is_not_replaced_by_itself(self, hall: Hall) -> None:
        home = hall.agency()
        await hall.enrol(home)
        await hall.turn(1_000)
        with pytest.raises(Rejected, match="root_unchanged"):
            await hall.offer(request(home, now=hall.clock.now()), replaces=True)


class TestDeathsOfTheAgent:
    """An agent killed while it takes the reply is as it was before, or enrolled."""

    async def test_whatever_file_was_written_last_it_ends_enrolled(
        self, hall: Hall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written = 0
        for dies_at in range(1, 30):
            name = f"shire-{'abcdefghijklmnopqrstuvwxyz'[dies_at - 1]}x" if dies_at < 27 else f"shire-q{dies_at}"
            home = hall.agency(name)
            offered = await hall.offer(hall.ask(home))
            written = 0

            def write(path: object, raw: bytes, dies_at: int = dies_at) -> None:
                nonlocal written
                written += 1
                if written == dies_at:
                    raise KeyboardInterrupt
                write_whole(path, raw)  # type: ignore[arg-type]

            with monkeypatch.context() as patched:
                patched.setattr("agents.runtime.home.enrolling.write_whole", write)
                try:
                    accept(home, offered["reply"].encode(), now=NOON, compare=lambda words: True)
                except KeyboardInterrupt:
                    pass
                else:
                    break
            if dies_at <= 2:  # before the yes is on disk nothing was accepted
                assert finish(home) is None
                assert set(home.directory().parties) == {name}
                assert not (home.path / "bus").exists()
                continue
            assert finish(home) is not None
            assert set(home.directory().parties) == {name, "coordinator", "desk", "admission"}
            assert (home.path / "bus" / "account.jwt").exists()
            assert finish(home) is None
        assert written > 7
