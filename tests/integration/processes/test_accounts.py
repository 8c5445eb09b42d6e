"""An agency changes what the servers of the bus know it by while it runs: its account, and its signing key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from broker.node.bus.claims import decode
from broker.node.command_client import CommandClient
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from tests.integration.processes.driver import Driver, check_everything
from tests.support.processes import AGENCY, Parties, until
from tests.support.proxy import FaultProxy
from tests.support.relay import HOST
from tests.support.sampling import every


def enter_new_account(parties: Parties, *, emergency: bool) -> None:
    """Have the agent make a new account, and wait until it is connected in that one."""
    before = parties.agent.own().token
    CommandClient(parties.agent.socket_path).ask("rotate-key", {"purpose": "bus-account", "emergency": emergency})
    token = parties.agent.own().token
    assert token != before
    until("the agent is connected in its new account", lambda: token in _connected(parties))


def _connected(parties: Parties) -> set[str]:
    found = parties.hub.ask_admission("agencies")["agencies"]
    if not any(one["agency"] == AGENCY and one["connected_to"] for one in found):
        return set()
    account = (parties.agent.path / "bus" / "account.jwt").read_text()
    return {name for name, claims in parties.hub.ask_admission("bus-claims").items() if claims == account}


def test_an_agency_is_proven_after_its_agents_first_start(parties: Parties) -> None:
    def is_proven() -> bool:
        return any(one["is_proven"] for one in parties.hub.ask_admission("agencies")["agencies"])

    until("the agent has returned the challenge", is_proven)


@pytest.mark.parametrize("emergency", [False, True])
def test_an_agency_goes_on_in_a_new_account_and_after_its_agents_next_start(parties: Parties, emergency: bool) -> None:
    driver, agent = Driver(parties), parties.programs[AGENCY]
    driver.begin(6)
    driver.allow(2)
    enter_new_account(parties, emergency=emergency)
    driver.allow(2)
    driver.wait_until_asked(4)
    assert agent.stop() == 0
    agent.start()
    agent.wait_until_connected()
    driver.allow(2)
    check_everything(parties, driver.finish())


@contextmanager
def through(parties: Parties, proxy: FaultProxy) -> Iterator[None]:
    """Have the agent reach the bus through a proxy."""
    addresses, agent = parties.agent.path / "bus" / "addresses", parties.programs[AGENCY]
    direct = addresses.read_text()
    for text in (f"tls://{HOST}:{proxy.port}\n", direct):
        assert agent.stop() == 0
        addresses.write_text(text)
        agent.start()
        agent.wait_until_connected()
        if text != direct:
            yield


def lose_the_word(parties: Parties, proxy: FaultProxy, deafen: Callable[[], None], change: Callable[[], None]) -> None:
    """The agent hears nothing any more on the connection over which it states what it is known by from now on."""
    with through(parties, proxy):
        driver = Driver(parties)
        driver.begin(4)
        driver.allow(2)
        driver.wait_until_asked(2)
        deafen()
        change()
        driver.allow(2)
        check_everything(parties, driver.finish())


async def come_back(parties: Parties, change: Callable[[], None]) -> None:
    """Lose the word for a change, behind a proxy."""
    proxy, loop = FaultProxy(parties.bus.server.port), asyncio.get_running_loop()
    await proxy.start()

    async def deafened() -> None:
        proxy.deafen()

    def deafen() -> None:
        asyncio.run_coroutine_threadsafe(deafened(), loop).result()

    try:
        await asyncio.to_thread(lose_the_word, parties, proxy, deafen, change)
    finally:
        await proxy.stop()


@pytest.mark.parametrize("emergency", every(2, [True, False]))
async def test_an_agency_comes_back_by_itself_though_the_word_that_its_new_account_is_let_in_was_lost(
    parties: Parties, emergency: bool
) -> None:
    await come_back(parties, partial(enter_new_account, parties, emergency=emergency))


def kill_signer(parties: Parties) -> None:
    """Have the agent take its signing key for stolen."""
    CommandClient(parties.agent.socket_path).ask("rotate-key", {"purpose": "bus-signer", "emergency": True})


def wait_until_dead_signers_are_gone(parties: Parties) -> None:
    """Admission's claims name the living one alone, and no other is here."""

    def look() -> bool:
        stated = [one for one in parties.agent.own().keys if one.key.purpose is KeyPurpose.BUS_SIGNER]
        (live,) = [one.key for one in stated if one.revoked_at is None]
        claims = decode((parties.agent.path / "bus" / "account.jwt").read_text())
        named = [scope["key"] for scope in claims.body["signing_keys"]]
        return named == [nkey.of(live)] and parties.agent.keys_to_read().names(KeyPurpose.BUS_SIGNER) == [live.id]

    until("only the living signing key is known and held", look)


async def test_an_agency_comes_back_by_itself_though_the_word_that_its_next_signing_key_is_known_was_lost(
    parties: Parties,
) -> None:
    await come_back(parties, partial(kill_signer, parties))
    wait_until_dead_signers_are_gone(parties)


def test_an_agency_whose_signing_keys_died_while_the_bus_was_away_comes_back_by_itself(parties: Parties) -> None:
    driver, agent = Driver(parties), parties.programs[AGENCY]
    driver.begin(4)
    driver.allow(2)
    driver.wait_until_asked(2)
    parties.bus.stop()
    kill_signer(parties)
    kill_signer(parties)  # and the one that no server ever heard of
    assert agent.stop() == 0
    agent.start()
    parties.bus.start()
    agent.wait_until_connected()
    driver.allow(2)
    check_everything(parties, driver.finish())
    wait_until_dead_signers_are_gone(parties)
