"""What admission's command socket takes: requests, the person's yes, standings, authorities. Thin: words in, JSON out.

Whoever may use the socket is this machine's user for admission. Every step is an entry of the hub's log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field, StringConstraints

from broker.enrolment.books import records
from broker.enrolment.books.records import Certificate, Issued, Member, Offer
from broker.enrolment.books.room import Room
from broker.enrolment.members import ceremony, standings
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command, CommandMalformed
from broker.node.store.port import Transaction
from schemas.messages.enrolment import MAX_REQUEST_BYTES
from schemas.messages.fields import Slug, Word
from schemas.messages.party import Party, PartyKind, read_party


class Presence(Protocol):
    """What is known of the servers of the bus."""

    def present_on(self, account: str) -> list[str]:
        """The servers on which somebody of that account is connected."""

    @property
    def current(self) -> frozenset[str]:
        """The servers that have confirmed everything."""

    @property
    def stale(self) -> frozenset[str]:
        """The servers that have not, or are away."""


class _Request(Arguments):
    request: Annotated[str, StringConstraints(max_length=2 * MAX_REQUEST_BYTES)]
    officers: list[str] = Field(default_factory=list, max_length=256)
    replaces: bool = False
    may_run_leaf: bool | None = None


class _Words(Arguments):
    agency: Slug
    words: Annotated[str, StringConstraints(max_length=256)]


class _Agency(Arguments):
    agency: Slug


class _Leaf(Arguments):
    agency: Slug
    may_run_leaf: bool


class _Reasoned(Arguments):
    agency: Slug
    reason: Word = standings.BY_HAND


class AdmissionCommands:
    """The commands, each a method."""

    def __init__(self, room: Room, servers: Presence) -> None:
        self._room = room
        self._servers = servers

    def table(self) -> Mapping[str, Command]:
        """The commands by name."""
        return {
            "status": self.status,
            "offer": self.offer,
            "admit": self.admit,
            "withdraw": self.withdraw,
            "agencies": self.agencies,
            "bus-claims": self.bus_claims,
            "suspend": self.suspend,
            "resume": self.resume,
            "expel": self.expel,
            "leaf": self.leaf,
            "repin": self.repin,
        }

    async def status(self, arguments: dict[str, Any]) -> Any:
        """How admission stands."""
        read_arguments(NoArguments, arguments)
        room = self._room

        def read(tx: Transaction) -> tuple[Issued | None, Issued | None]:
            return records.newest_directory(tx), records.newest_directory(tx, given_out=True)

        newest, given_out = await room.post.store.read(read)
        return {
            "hub": room.hub,
            "now": room.post.clock.now(),
            "connected_at": room.post.connected_at,
            "restored": room.ground.catch_up.shown(),
            "servers": sorted(self._servers.current),
            "servers_stale": sorted(self._servers.stale),
            "directory": None if given_out is None else given_out.version,
            "directory_newest": None if newest is None else newest.version,
            "directory_expires_at": None if given_out is None else given_out.expires_at,
            "authority_expires_at": room.authorities.issuing().expires_at,
            "waiting": len(room.post.outbox),
            "dates": room.post.dates.shown(),
        }

    async def offer(self, arguments: dict[str, Any]) -> Any:
        """Check an agency's request and write the reply; nothing is in effect by it."""
        asked = read_arguments(_Request, arguments)
        officers = [_officer(file) for file in asked.officers]
        file = asked.request.encode("utf-8", "replace")
        offered = await ceremony.offer(
            self._room, file, officers=officers, replaces=asked.replaces, may_run_leaf=asked.may_run_leaf
        )
        return {
            "agency": offered.agency,
            "name": offered.name,
            "fingerprint": offered.fingerprint,
            "words": offered.words,
            "reply": offered.reply.decode("ascii"),
            "expires_at": offered.expires_at,
            "replaces": offered.replaces,
        }

    async def admit(self, arguments: dict[str, Any]) -> Any:
        """Put an offer into effect: the words are those of both sides."""
        asked = read_arguments(_Words, arguments)
        party, servers = await ceremony.admit(self._room, asked.agency, asked.words)
        return {"agency": party.id, "file": party.raw.decode("ascii"), "servers": sorted(servers)}

    async def withdraw(self, arguments: dict[str, Any]) -> Any:
        """Take back what was offered to an agency and is not in effect."""
        asked = read_arguments(_Agency, arguments)
        await ceremony.withdraw(self._room, asked.agency)
        return {"agency": asked.agency}

    async def agencies(self, arguments: dict[str, Any]) -> Any:
        """Every agency that was offered or admitted, and how it stands."""
        read_arguments(NoArguments, arguments)
        register = self._room.register

        def read(tx: Transaction) -> tuple[dict[str, Member], dict[str, Offer], dict[str, Certificate]]:
            return records.members(tx), records.offers(tx), records.certificates(tx)

        members, offers, certificates = await self._room.post.store.read(read)
        found = [
            {**self._member(member, register.agencies[name]), **_certified(certificates.get(name))}
            for name, member in members.items()
            if name in register.agencies
        ]
        known = {one["agency"] for one in found}
        found += [_offered(one) for name, one in offers.items() if name not in known]
        return {"agencies": sorted(found, key=lambda one: str(one["agency"]))}

    async def bus_claims(self, arguments: dict[str, Any]) -> Any:
        """What every server of the bus is to hold, by account; all of it is public."""
        read_arguments(NoArguments, arguments)
        return {name: account.claims for name, account in self._room.register.accounts.items()}

    async def suspend(self, arguments: dict[str, Any]) -> Any:
        """Cut an agency off until it is resumed."""
        asked = read_arguments(_Reasoned, arguments)
        servers = await standings.suspend(self._room, asked.agency, asked.reason)
        return {"agency": asked.agency, "servers": sorted(servers)}

    async def resume(self, arguments: dict[str, Any]) -> Any:
        """Let a suspended agency in again."""
        asked = read_arguments(_Agency, arguments)
        return {"agency": asked.agency, "servers": sorted(await standings.resume(self._room, asked.agency))}

    async def expel(self, arguments: dict[str, Any]) -> Any:
        """Cut an agency off for good."""
        asked = read_arguments(_Reasoned, arguments)
        servers = await standings.expel(self._room, asked.agency, asked.reason)
        return {"agency": asked.agency, "servers": sorted(servers)}

    async def leaf(self, arguments: dict[str, Any]) -> Any:
        """Let an agency connect a server of its own, or no more."""
        asked = read_arguments(_Leaf, arguments)
        servers = await standings.let_run_leaf(self._room, asked.agency, may_run_leaf=asked.may_run_leaf)
        return {"agency": asked.agency, "servers": sorted(servers)}

    async def repin(self, arguments: dict[str, Any]) -> Any:
        """Take up the files of the hub's own parties again."""
        read_arguments(NoArguments, arguments)
        await self._room.commit(lambda tx, register, now: ())
        return {"parties": sorted(self._room.register.directory.parties)}

    def _member(self, member: Member, party: Party) -> dict[str, Any]:
        accounts = [one for one in self._room.register.accounts.values() if one.party == member.agency]
        return {
            "agency": member.agency,
            "name": party.statement.name,
            "kind": None if party.statement.agency_kind is None else party.statement.agency_kind.value,
            "state": member.state.value,
            "since": member.since,
            "reason": member.reason,
            "is_proven": member.is_proven,
            "may_run_leaf": member.may_run_leaf,
            "fingerprint": party.fingerprint,
            "serial": party.statement.serial,
            "file": party.raw.decode("ascii"),
            "connected_to": sorted({server for one in accounts for server in self._servers.present_on(one.nkey)}),
            "account_expires_at": max((one.expires_at for one in accounts), default=None),
        }


def _offered(offer: Offer) -> dict[str, Any]:
    return {"agency": offer.agency, "state": "offered", "expires_at": offer.expires_at, "replaces": offer.replaces}


def _certified(certificate: Certificate | None) -> dict[str, Any]:
    return {"certificate_expires_at": None if certificate is None else certificate.expires_at}


def _officer(file: str) -> Party:
    party = read_party(file.encode("utf-8", "replace"))
    if party.statement.party_kind is not PartyKind.OFFICER:
        raise CommandMalformed("argument officers: not an officer's file")
    return party
