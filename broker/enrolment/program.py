"""Admission put together on its ground: its parts wired once, started and stopped in order. Composition only.

The ground is handed in, and so is what it tells the servers by, so that a test runs the very same admission.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from broker.enrolment.books import records
from broker.enrolment.books.directory import Giver
from broker.enrolment.books.records import MemberState
from broker.enrolment.books.register import NotAMember
from broker.enrolment.books.room import Room, Servers
from broker.enrolment.claims.keys import BusKeys, issuer_of
from broker.enrolment.config import AdmissionSettings
from broker.enrolment.configuration.names import noted_servers
from broker.enrolment.members.commands import AdmissionCommands
from broker.enrolment.members.correspondent import AdmissionCorrespondent
from broker.enrolment.members.restored import HubHeard, heard_commands
from broker.enrolment.members.standings import suspend
from broker.enrolment.members.upkeep import Upkeep
from broker.enrolment.rotation.authority import AuthorityRotation
from broker.enrolment.rotation.commands import rotation_commands
from broker.enrolment.rotation.leaf_nodes import LeafNodes
from broker.enrolment.rotation.operator_keys import BusRotation
from broker.enrolment.rotation.operator_keys import Servers as Rotated
from broker.enrolment.rotation.own_keys import OwnKeys
from broker.enrolment.rotation.rotations import BusRotations
from broker.enrolment.rotation.steps import BusSteps
from broker.enrolment.servers.access import SystemAccess
from broker.enrolment.servers.connection import SystemConnection
from broker.enrolment.servers.guard import Suspend
from broker.enrolment.servers.watching import BusServers
from broker.enrolment.tls.authorities import Authorities
from broker.node.bus.access import read_addresses
from broker.node.commands import Command
from broker.node.ground import Ground
from broker.node.home import Home, HomeInvalid
from broker.node.metrics import AdmissionMetrics
from broker.node.observe import Check
from broker.node.running import run
from broker.node.settings import load_settings
from schemas.messages.party import Directory, PartyKind

_log = structlog.get_logger()
_HUB = (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION)


class ServersWatched(Servers, Rotated, Protocol):
    """The servers of the bus, with what admission is shown of them."""

    def start(self, claims: Mapping[str, str], suspend: Callable[[Suspend], Awaitable[None]]) -> None:
        """Begin to hold them to these claims."""

    async def close(self) -> None:
        """Stop."""

    def reported(self, account: str, rate: int) -> None:
        """More comes in under that account's token than its owner may send."""

    def present_on(self, account: str) -> list[str]:
        """The servers on which somebody of that account is connected."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A composed admission (`broker.node.running.Program`)."""

    ground: Ground
    room: Room
    servers: ServersWatched
    upkeep: Upkeep
    giver: Giver
    heard: HubHeard
    own_keys: OwnKeys
    rotations: BusRotations
    commands: Mapping[str, Command] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)

    async def start(self) -> None:
        """Hold the servers to what the store says, take messages in, give out the newest directory."""
        await self.room.take_up()
        await self.own_keys.settle()
        if self.ground.catch_up.is_on:
            # A restored admission shows the servers nothing yet: it may be what an expelled agency was let in by.
            await self.ground.post.start()
            self.ground.post.spawn(self.giver.run())
            self.ground.post.spawn(self.heard.run(self._begin))
            return
        # Before anything else: whoever was expelled just before a crash is not let in for a moment longer.
        self._show_servers()
        await self.ground.post.start()
        self.ground.post.spawn(self.giver.run())
        self._keep_up()

    async def _begin(self) -> None:
        self._show_servers()
        self._keep_up()

    def _keep_up(self) -> None:
        self.ground.post.spawn(self.upkeep.run())
        self.ground.post.spawn(self.own_keys.look_for_ever())
        self.ground.post.spawn(self.rotations.settle_for_ever())
        self.ground.post.spawn(self.rotations.leaf_nodes.look_for_ever())

    def _show_servers(self) -> None:
        self.servers.start({one.nkey: one.claims for one in self.room.register.accounts.values()}, self._suspend)
        self.ground.post.spawn(self.rotations.bus.tell_system())

    async def stop(self) -> None:
        """Leave the bus, close the store."""
        await self.servers.close()
        await self.ground.close()

    async def connected(self) -> None:
        """The bus is there (again): whoever missed the newest directory is given it."""
        issued = await self.ground.store.read(lambda tx: records.newest_directory(tx, given_out=True))
        if issued is not None:
            self.giver.give(self.room.register, issued)

    async def _suspend(self, verdict: Suspend) -> None:
        owner = self.room.register.owner_of(verdict.account)
        if owner is None:
            return
        try:
            await suspend(self.room, owner.agency, verdict.reason.value)
        except NotAMember:
            return  # suspended already, or expelled
        _log.critical("agency_suspended", agency=owner.agency, kind=verdict.reason.value)


def build_admission(ground: Ground, servers: ServersWatched, addresses: tuple[str, ...]) -> Admission:
    """Wire admission; nothing runs yet.

    Raises:
        HomeInvalid: coordinator or desk is not pinned, or a key is missing.
    """
    home = ground.home
    _hub_of(home)
    issuer_of(home, ground.keys)
    room = Room(
        ground=ground,
        authorities=Authorities(home, ground.keys),
        issuer=lambda: issuer_of(home, ground.keys),
        addresses=addresses,
        servers=servers,
        pinned=lambda: _hub_of(home),
    )
    upkeep, giver, heard = Upkeep(room), Giver(ground.post), HubHeard(ground)
    ground.post.correspondent = AdmissionCorrespondent(room, upkeep, giver, servers.reported, heard)
    own_keys = OwnKeys.of(room, lambda: upkeep.follow(ground.me.id))
    upkeep.renewed_own = own_keys.take_claims
    commands = {**AdmissionCommands(room, servers).table(), **heard_commands(heard), **own_keys.commands()}
    steps = BusSteps(room)
    bus = BusRotation(room, servers, BusKeys(home, ground.keys), steps)
    authority = AuthorityRotation(room, own_keys.renew_certificate, steps)
    rotations = BusRotations(steps, bus, authority, own_keys, LeafNodes(room, servers))
    commands |= rotation_commands(rotations)
    admission = Admission(ground, room, servers, upkeep, giver, heard, own_keys, rotations, commands)
    ground.post.on_connected = admission.connected
    return admission


def run_admission(home_path: Path) -> int:
    """Run the admission of that home until it is told to stop; gives back the exit status.

    Raises:
        SettingsInvalid: its configuration does not hold; the text names the key.
    """
    home = Home(home_path)
    settings = load_settings(home.config_path, AdmissionSettings)

    async def build(ground: Ground) -> Admission:
        urls = settings.bus.urls or read_addresses(home)
        access = SystemAccess.load(home, ground.keys)
        connection = SystemConnection(
            urls, lambda: SystemAccess.load(home, ground.keys), inbox=access.inbox, clock=ground.clock
        )
        own = AdmissionMetrics(ground.metrics.registry)
        servers = BusServers(connection, clock=ground.clock, metrics=own, names=lambda: noted_servers(home))
        admission = build_admission(ground, servers, tuple(settings.admission.addresses or urls))
        for state in MemberState:
            own.agencies.labels(state.value).set_function(partial(_agencies, admission.room, state))
        return admission

    return run("admission", home, settings, build, migrations=records.MIGRATIONS)


def _agencies(room: Room, state: MemberState) -> int:
    return sum(member.state is state for member in room.register.members.values())


def _hub_of(home: Home) -> Directory:
    everyone = home.directory()
    found = [party for party in everyone.parties.values() if party.statement.party_kind in _HUB]
    if sorted(party.statement.party_kind for party in found) != sorted(_HUB):
        raise HomeInvalid(f"{home.path / 'parties'} does not hold one coordinator and one desk: pin their files")
    return Directory(everyone.hub, {party.id: party for party in found})
