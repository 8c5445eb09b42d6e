"""An agency changes its account of the bus while it runs: the server lets it hear nothing of another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from broker.node.command_client import CommandClient
from tests.integration.processes.driver import Driver, check_everything
from tests.support.processes import AGENCY, Parties, until
from tests.support.proxy import FaultProxy
from tests.support.relay import HOST


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


def lose_the_word(parties: Parties, proxy: FaultProxy, deafen: Callable[[], None], *, emergency: bool) -> None:
    """The agent hears nothing any more on the connection over which it states another account."""
    with through(parties, proxy):
        driver = Driver(parties)
        driver.begin(4)
        driver.allow(2)
        driver.wait_until_asked(2)
        deafen()
        enter_new_account(parties, emergency=emergency)
        driver.allow(2)
        check_everything(parties, driver.finish())


@pytest.mark.parametrize("emergency", [False, True])
async def test_an_agency_comes_back_by_itself_though_the_word_that_its_new_account_is_let_in_was_lost(
    parties: Parties, emergency: bool
) -> None:
    proxy, loop = FaultProxy(parties.bus.server.port), asyncio.get_running_loop()
    await proxy.start()

    async def deafened() -> None:
        proxy.deafen()

    def deafen() -> None:
        asyncio.run_coroutine_threadsafe(deafened(), loop).result()

    try:
        await asyncio.to_thread(lose_the_word, parties, proxy, deafen, emergency=emergency)
    finally:
        await proxy.stop()
