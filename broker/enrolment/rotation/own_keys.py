"""Admission's own keys while it runs: replaced as any party's, and told to itself, since it issues the directory.

Composes `broker.node.rotation`. What other parties ask of admission (claims, a certificate) it gives to itself here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.books import records
from broker.enrolment.books.room import Room
from broker.enrolment.tls.access import give_access
from broker.enrolment.tls.authority import expires_at, read_request
from broker.node.bus.access import read_addresses
from broker.node.bus.port import BusAway
from broker.node.command_arguments import read_arguments
from broker.node.commands import Command
from broker.node.home import write_whole
from broker.node.keeping import Keeping, ToRotate
from broker.node.membership import Membership
from broker.node.renewals import ACCOUNT_RENEW_AHEAD_MS, RENEW_AHEAD_MS, Renewals
from broker.node.restating import replaced
from broker.node.rotation import NotRotatedHere, Rotation
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import GroundLost
from schemas.messages.party import PartyKind

LOOK_EVERY_MS: Final = timedelta(hours=1) // timedelta(milliseconds=1)


class NothingToProve(GroundLost):
    """Admission was asked to believe a directory; it makes them."""

    code = "nothing_to_prove"


@dataclass(slots=True)
class OwnKeys:
    """Made by the program; `settle` is called once before anything is sent."""

    room: Room
    keeping: Keeping

    @classmethod
    def of(cls, room: Room, restated: Callable[[], None]) -> OwnKeys:
        """The keeping of admission's keys. `restated` is called whenever it has made another statement."""
        ground = room.ground
        renewals = Renewals(ground.home, ground.keys, ground.post)
        membership = Membership(ground.home, ground.post, _prove, renewals)
        rotation = Rotation(ground.home, ground.keys, ground.ring, ground.post, membership, renewals, publish=restated)
        rotation.renamed.append(records.rename_carriers)
        return cls(room, Keeping(ground, membership, rotation))

    async def settle(self) -> None:
        """Finish what a crash interrupted."""
        await self.keeping.rotation.settle()

    async def look_for_ever(self) -> None:
        """Destroy keys that ended, and make a certificate before the old one ends; never returns."""
        clock = self.room.post.clock
        while True:
            await clock.sleep_until(clock.now() + LOOK_EVERY_MS)
            await self.keeping.rotation.settle()
            ends_at = expires_at((self.room.ground.home.path / "bus" / "client.pem").read_bytes())
            if ends_at - clock.now() < RENEW_AHEAD_MS:
                await self.renew_certificate()
            account_ends_at = self.keeping.rotation.renewals.account_ends_at()
            if account_ends_at is not None and account_ends_at - clock.now() < ACCOUNT_RENEW_AHEAD_MS:
                await self.take_claims()

    async def renew_certificate(self) -> None:
        """Sign a new certificate for admission's own TLS key, and connect with it."""
        room, home = self.room, self.room.ground.home
        claims = room.register.accounts[room.issuer().hub].claims
        now = room.post.clock.now()
        give_access(home, room.ground.keys, room.authorities, claims, read_addresses(home), now=now)
        await self._connect_anew()

    async def replace_tls_key(self) -> None:
        """Connect with a certificate for another TLS key from now on; the old one is destroyed."""
        room, renewals = self.room, self.keeping.rotation.renewals
        request, issuing = read_request(renewals.new_tls_key()), room.authorities.issuing()
        leaf = issuing.issue_client(request, PartyKind.ADMISSION, now=room.post.clock.now())
        renewals.take_chain(leaf.public_bytes(Encoding.PEM) + room.authorities.trusted())
        await self._connect_anew()

    async def take_claims(self) -> None:
        """Connect by the hub's newest claims, which name admission's newest signing key."""
        room = self.room
        claims = room.register.accounts[room.issuer().hub].claims
        write_whole(room.ground.home.path / "bus" / "account.jwt", claims.encode("ascii"))
        await self._connect_anew()
        await self.settle()

    async def replace_account(self) -> None:
        """Have the hub go on in another account of the bus: whoever has a key of the old one is let in no more.

        Every agency's claims lead to the new one; coordinator and desk are let in again once they have its claims.
        """
        room, rotation = self.room, self.keeping.rotation
        fresh = SigningKey.generate(KeyPurpose.BUS_ACCOUNT)
        room.ground.keys.add(KeyPurpose.BUS_ACCOUNT, fresh.id, fresh.seed())
        now = room.post.clock.now()
        await rotation.restate(replaced(room.me.statement, fresh.public, now=now, emergency=True))
        # A crash before this line: the next start goes on from here.
        await self.follow_account()

    async def follow_account(self) -> None:
        """Have all claims lead to the hub's newest account, and connect in it. Twice is once."""
        room = self.room
        await room.commit(lambda tx, register, now: (), touched=(room.me.id,), renews=True)
        await self.take_claims()

    async def _connect_anew(self) -> None:
        try:
            await self.room.post.bus.renew()
        except BusAway:
            return  # the next connection uses what was written

    def commands(self) -> Mapping[str, Command]:
        """The commands of the socket."""
        taken = self.keeping.commands()

        async def rotate(arguments: dict[str, Any]) -> Any:
            """Replace a key: as every party, but for TLS, where admission asks itself."""
            purpose = read_arguments(ToRotate, arguments).purpose
            if purpose is KeyPurpose.BUS_ACCOUNT:
                raise NotRotatedHere("every agency's account leads to the hub's; run: broker bus rotate account")
            if purpose is not KeyPurpose.TLS:
                return await taken["rotate-key"](arguments)
            await self.replace_tls_key()
            return {"party": self.room.me.id, "serial": self.room.me.statement.serial, "purpose": purpose.value}

        return {**taken, "rotate-key": rotate}


async def _prove(receipt: bytes, at: int) -> bytes:
    raise NothingToProve("admission takes no directory from anybody")
