"""Servers are held to what admission decided: all of them, at once, and again when they come back."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from broker.enrolment.claims.operator import Operator, deletion_claims, system_claims
from broker.node.bus.port import BusAway
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from tests.support.admitting import Admitting
from tests.support.hub_bus import PATIENCE_S, BareClient, BusUser, HubBus, connect, now_ms

REFUSED = r"(?i)authorization violation|maximum account active connections"


async def _closed(clients: list[BareClient]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for client in clients:
            await client.closed.wait()


async def _let_in_nowhere(user: BusUser, bus: HubBus) -> None:
    for node in bus.nodes:
        with pytest.raises(Exception, match=REFUSED):
            await connect(user, node.url)


async def test_an_admitted_agency_is_let_in_on_every_server(cluster: HubBus, cluster_admitting: Admitting) -> None:
    agency = cluster.agency()
    await _let_in_nowhere(agency.user, cluster)
    for node in cluster.nodes:
        await cluster_admitting.told.until("refused", "", node.name)  # whoever is refused is counted
    pushed = await cluster_admitting.admit(agency)
    assert pushed.is_everywhere
    assert pushed.confirmed == cluster.names
    for node in cluster.nodes:
        async with cluster.connected(agency.user, node) as client:
            assert client.client.is_connected


async def test_an_agency_that_is_suspended_is_cut_off_everywhere_and_one_that_is_resumed_let_in(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    agency, other = await cluster_admitting.admitted(), await cluster_admitting.admitted()
    clients = [await connect(agency.user, node.url) for node in cluster.nodes]
    bystander = await connect(other.user, cluster.urls[1])
    assert (await cluster_admitting.suspend(agency)).is_everywhere
    await _closed(clients)
    await _let_in_nowhere(agency.user, cluster)
    assert (await cluster_admitting.resume(agency)).is_everywhere
    for node in cluster.nodes:
        async with cluster.connected(agency.user, node) as client:
            assert client.client.is_connected
    assert not bystander.closed.is_set()
    await bystander.client.close()


async def test_an_expelled_agency_is_cut_off_everywhere(cluster: HubBus, cluster_admitting: Admitting) -> None:
    agency = await cluster_admitting.admitted()
    clients = [await connect(agency.user, node.url) for node in cluster.nodes]
    assert (await cluster_admitting.expel(agency)).is_everywhere
    await _closed(clients)
    await _let_in_nowhere(agency.user, cluster)


async def test_a_server_that_was_down_during_an_expulsion_lets_nobody_stay_once_it_is_back(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    agency = await cluster_admitting.admitted()
    async with cluster.connected(agency.user, cluster.nodes[2]):
        pass  # its claims are stored there
    cluster.kill("hub-3")
    await cluster_admitting.told.until("left", "", "hub-3")
    pushed = await cluster_admitting.expel(agency)
    assert pushed.missing == {"hub-3"}
    assert cluster_admitting.resolver.stale == {"hub-3"}
    await cluster.start("hub-3")
    # It may be let in while the server has only its own memory to go by.
    try:
        client = await connect(agency.user, cluster.urls[2])
    except Exception:  # noqa: BLE001 - nats-py has no one class for it
        client = None
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    if client is not None:
        await _closed([client])
    await _let_in_nowhere(agency.user, cluster)


async def test_a_server_that_was_down_while_the_system_account_changed_knows_what_it_is_once_it_is_current(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    cluster.kill("hub-3")
    await cluster_admitting.told.until("left", "", "hub-3")
    names = Operator(
        cluster.operator.public,
        cluster.operator_signer.public,
        nkey.read(KeyPurpose.BUS_SYSTEM, cluster.identity.system),
        SigningKey.generate(KeyPurpose.BUS_SYSTEM_SIGNER).public,
        further_system_signers=[cluster.system_signer.public],
    )
    both = system_claims(names, cluster.operator_signer, issued_at=now_ms() + 1000)
    pushed = await cluster_admitting.resolver.tell(both)
    assert pushed.confirmed == {"hub-1", "hub-2"}
    assert pushed.missing == {"hub-3"}
    held = cluster.folder / "hub-3" / "accounts" / f"{cluster.identity.system}.jwt"
    await cluster.start("hub-3")
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    assert held.read_text() == both


async def test_a_server_that_was_stopped_in_its_tracks_is_shown_what_it_slept_through(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    agency = await cluster_admitting.admitted()
    client = await connect(agency.user, cluster.urls[2])
    os.kill(cluster.processes["hub-3"].pid, signal.SIGSTOP)
    await cluster_admitting.told.until("left", "", "hub-3")
    assert (await cluster_admitting.expel(agency)).missing == {"hub-3"}
    os.kill(cluster.processes["hub-3"].pid, signal.SIGCONT)
    await _closed([client])
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    await _let_in_nowhere(agency.user, cluster)


async def test_an_emptied_server_is_given_everything_anew(cluster: HubBus, cluster_admitting: Admitting) -> None:
    agency, expelled = await cluster_admitting.admitted(), await cluster_admitting.admitted()
    await cluster_admitting.expel(expelled)
    cluster.kill("hub-2")
    cluster.empty("hub-2")
    await cluster_admitting.told.until("left", "", "hub-2")
    await cluster.start("hub-2")
    async with asyncio.timeout(PATIENCE_S):
        while cluster_admitting.resolver.stale:
            await cluster_admitting.resolver.until_current()
    async with cluster.connected(agency.user, cluster.nodes[1]) as client:
        assert client.client.is_connected
    await _let_in_nowhere(expelled.user, cluster)


async def test_what_was_decided_while_no_server_ran_holds_as_soon_as_one_does(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    agency = await cluster_admitting.admitted()
    for name in sorted(cluster.names):
        cluster.kill(name)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await cluster_admitting.expel(agency)
            except BusAway:
                break
    for name in sorted(cluster.names):
        await cluster.start(name)
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    await _let_in_nowhere(agency.user, cluster)


async def test_admission_goes_on_when_the_server_it_is_connected_to_dies(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    cluster.kill("hub-1")
    agency = cluster.agency()
    async with asyncio.timeout(PATIENCE_S):
        while cluster_admitting.resolver.stale != {"hub-1"}:  # noqa: ASYNC110 - nobody is told of the very moment
            await asyncio.sleep(0.01)
    assert (await cluster_admitting.admit(agency)).confirmed == {"hub-2", "hub-3"}
    await cluster.start("hub-1")
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    async with cluster.connected(agency.user, cluster.nodes[0]) as client:
        assert client.client.is_connected


async def test_a_deleted_account_comes_back_from_a_server_that_was_away_and_an_expelled_one_does_not(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    """Why expelling is not deleting: the server's own way of bringing others up to date brings the dead back."""
    deleted, expelled = await cluster_admitting.admitted(), await cluster_admitting.admitted()
    cluster.kill("hub-3")
    await cluster_admitting.told.until("left", "", "hub-3")
    order = deletion_claims([deleted.token], cluster.operator_signer, issued_at=now_ms())
    assert (await cluster_admitting.resolver.forget([deleted.token], order)).confirmed == {"hub-1", "hub-2"}
    with pytest.raises(Exception, match=REFUSED):
        await connect(deleted.user, cluster.urls[0])
    await cluster_admitting.expel(expelled)
    await cluster.start("hub-3")
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    async with cluster.connected(deleted.user, cluster.nodes[2]) as client:
        assert client.client.is_connected
    await _let_in_nowhere(expelled.user, cluster)


async def test_an_account_whose_claims_have_ended_can_be_deleted(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    order = deletion_claims([agency.token], hub_bus.operator_signer, issued_at=now_ms())
    assert (await admitting.resolver.forget([agency.token], order)).is_everywhere
    with pytest.raises(Exception, match=REFUSED):
        await connect(agency.user, hub_bus.urls[0])


async def test_who_comes_and_goes_is_told_by_account_and_server(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    client = await connect(agency.user, hub_bus.urls[0])
    await admitting.told.until("connected", agency.token, "hub-1")
    await client.client.close()
    await admitting.told.until("disconnected", agency.token, "hub-1")


async def test_a_stranger_who_is_not_let_in_is_told_as_nobodys(hub_bus: HubBus, admitting: Admitting) -> None:
    with pytest.raises(Exception, match=REFUSED):
        await connect(hub_bus.agency().user, hub_bus.urls[0])
    agency = await admitting.admitted()
    async with hub_bus.connected(agency.user):
        await admitting.told.until("connected")
    assert {account for what, account, _ in admitting.told.facts if what not in ("joined", "refused")} == {agency.token}
    assert ("refused", "", "hub-1") in admitting.told.facts


async def test_claims_of_yesterday_do_not_undo_a_suspension_on_a_server_that_syncs(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    agency = await cluster_admitting.admitted()
    cluster.kill("hub-2")
    await cluster_admitting.told.until("left", "", "hub-2")
    await cluster_admitting.suspend(agency)
    await cluster.start("hub-2")
    async with asyncio.timeout(PATIENCE_S):
        await cluster_admitting.resolver.until_current()
    await _let_in_nowhere(agency.user, cluster)


async def test_the_system_user_may_ask_and_nothing_else(hub_bus: HubBus, admitting: Admitting) -> None:
    async with hub_bus.connected(hub_bus.system_user) as client:
        for subject in (">", "$SYS.>", "_INBOX.>", "$SYS.REQ.>"):
            client.troubles.clear()
            await client.client.subscribe(subject)
            await client.settle()
            assert client.troubles, subject
        for subject in ("$SYS.REQ.SERVER.KICK", f"$SYS.REQ.ACCOUNT.{hub_bus.identity.hub}.CLAIMS.UPDATE", "to.x.in"):
            client.troubles.clear()
            await client.client.publish(subject, b"")
            await client.settle()
            assert client.troubles, subject


async def test_servers_that_nobody_named_are_found_and_brought_up_to_date(cluster: HubBus) -> None:
    async with Admitting.of(cluster, names=()) as admitting:
        for name in sorted(cluster.names):
            await admitting.told.until("joined", "", name)
        async with asyncio.timeout(PATIENCE_S):
            await admitting.resolver.until_current()
        assert admitting.resolver.servers == cluster.names
        agency = cluster.agency()
        assert (await admitting.admit(agency)).confirmed == cluster.names
