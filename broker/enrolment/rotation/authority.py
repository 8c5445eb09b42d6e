"""The TLS authority replaced by the next one, so that whoever is there all along notices nothing.

    added     the next one is trusted: servers have it in their files, parties take it with a renewal
    used      it signs: servers and parties have certificates by it
    dropped   the old one's key is destroyed, and parties are told; servers trust it until their files are written anew
    done      it is trusted by nobody any more

Whom a step waits for is found out by trying: each server is dialled with a certificate by the next authority, and shows
one that says when its files were written; each party says with its queries which authorities it trusts. In an emergency
the old one is destroyed first, and then they are waited for: whoever is connected hears of it on the connection that
stands, whoever is not takes a new reply to an enrolment.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.books import records
from broker.enrolment.books.records import MemberState
from broker.enrolment.books.room import Room
from broker.enrolment.rotation.operator_keys import Progress, Reached
from broker.enrolment.rotation.steps import BusSteps, What
from broker.enrolment.tls.authority import Authority, read_request
from broker.node.bus.access import read_addresses, tls_context
from broker.node.bus.address import ServerAddress, read_address
from broker.node.bus.wire import lay
from broker.node.certificates import BACKDATED_MS
from broker.node.tls_key import certificate_request, generate_tls_key, load_tls_key
from schemas.envelope import digest
from schemas.failures import Failure
from schemas.messages.party import PartyKind

DIALLED_WITHIN: Final = timedelta(seconds=3)
_GREETING: Final = b"INFO "
_SECOND_MS: Final = 1000


@dataclass(slots=True)
class AuthorityRotation:
    """Rotates on. Each call goes as far as it can; called again, after a crash too, it goes on from there."""

    room: Room
    renew_own: Callable[[], Awaitable[None]]
    """Has admission itself take a new certificate and the authorities."""
    steps: BusSteps
    _is_told: bool = False
    """Whether everybody was told that the old one is gone, as far as this process has seen to it."""

    async def go_on(self, *, emergency: bool, without: bool = False) -> Progress:
        """Replace the authority, as far as that goes now.

        Args:
            without: go on without whoever has not renewed.
        """
        authorities = self.room.authorities
        await self.steps.begin(What.AUTHORITY, self._in_order()[0], emergency=emergency)
        if len(authorities.names()) == 1:
            hosts = authorities.issuing().hosts()
            await asyncio.to_thread(authorities.create, hosts, now=self.room.post.clock.now())
            # Nothing but the directory, which says whom to trust from now on.
            await self.room.commit(lambda tx, register, now: ())
            await self.renew_own()
        old, new = self._in_order()
        if emergency:
            authorities.sign_with(new)
            return await self._retire(old, without=without)
        if authorities.names()[0] == old:
            waits = await self._waits(Reached.ADDED, new, is_used=False)
            if waits.servers or (waits.parties and not without):
                return waits
            await self.steps.use(What.AUTHORITY)
            authorities.sign_with(new)
            await self.renew_own()
        waits = await self._waits(Reached.USED, new, is_used=True)
        if waits.servers or (waits.parties and not without):
            return waits
        return await self._retire(old, without=without)

    async def finish(self, *, without: bool) -> Progress | None:
        """After the old one is gone: everybody is told, and whom that waits for is given back; None for nobody."""
        if not self._is_told:
            # Nothing but the directory, which says whom to trust from now on.
            await self.room.commit(lambda tx, register, now: ())
            await self.renew_own()
            self._is_told = True
        row = (await self.steps.under_way())[What.AUTHORITY]
        new = self.room.authorities.names()[0]
        waits = await self._waits(Reached.DROPPED, new, is_used=True, since=row.gone_at)
        return waits if waits.servers or (waits.parties and not without) else None

    async def not_renewed(self) -> tuple[str, ...]:
        """The parties that have no certificate by the authority that signs, or have not said that they took it."""
        return await self._parties_without(self.room.authorities.issuing(), is_used=True)

    async def _retire(self, old: str, *, without: bool) -> Progress:
        await self.steps.let_go(What.AUTHORITY)
        await asyncio.to_thread(self.room.authorities.retire, old)
        # A crash before this line: the next start finds it gone, and goes on from here.
        self._is_told = False
        waits = await self.finish(without=without)
        if waits is not None:
            return waits
        await self.steps.end(What.AUTHORITY)
        return Progress(Reached.DONE)

    def _in_order(self) -> tuple[str, str]:
        """The oldest and the newest; the same, if there is one only."""
        authorities = self.room.authorities
        begun = {name: authorities.named(name).certificate.not_valid_before_utc for name in authorities.names()}
        in_order = sorted(begun, key=lambda name: begun[name])
        return in_order[0], in_order[-1]

    async def _waits(self, reached: Reached, new: str, *, is_used: bool, since: int | None = None) -> Progress:
        authority = self.room.authorities.named(new)
        servers = await self._servers_without(authority, is_used=is_used, since=since)
        return Progress(reached, servers, await self._parties_without(authority, is_used=is_used))

    async def _parties_without(self, authority: Authority, *, is_used: bool) -> tuple[str, ...]:
        room, wanted = self.room, digest(self.room.authorities.trusted())
        register = room.register
        names = {
            name
            for name, member in register.members.items()
            if member.state in (MemberState.ADMITTED, MemberState.SUSPENDED)
        } | {party.id for party in register.hub.values() if party.id != room.me.id}
        lacking = {name for name in names if room.trusted_by.get(name) != wanted}
        if is_used:
            held = await room.post.store.read(records.certificates)
            lacking |= {name for name in names if name not in held or not _is_by(held[name].pem, authority)}
        return tuple(sorted(lacking))

    async def _servers_without(self, authority: Authority, *, is_used: bool, since: int | None) -> tuple[str, ...]:
        urls = [read_address(url, setting="bus/addresses") for url in read_addresses(self.room.ground.home)]
        context = await asyncio.to_thread(self._as_a_party, authority)
        # A server's other doors have the same certificate and the same authorities.
        dialled = [address for address in urls if not address.is_websocket]
        shown = await asyncio.gather(*(_certificate_of(address, context) for address in dialled))
        lacking = [
            pem is None or (is_used and not _is_by(pem, authority)) or (since is not None and _made_at(pem) < since)
            for pem in shown
        ]
        return tuple(address.url for address, lacks in zip(dialled, lacking, strict=True) if lacks)

    def _as_a_party(self, authority: Authority) -> ssl.SSLContext:
        key = generate_tls_key()
        now = self.room.post.clock.now()
        leaf = authority.issue_client(read_request(certificate_request(key)), PartyKind.ADMISSION, now=now)
        return tls_context(self.room.authorities.trusted(), leaf.public_bytes(Encoding.PEM), load_tls_key(key))


async def _certificate_of(address: ServerAddress, context: ssl.SSLContext) -> bytes | None:
    """The certificate that a server shows to somebody whom it lets in; None if it does not."""
    try:
        async with asyncio.timeout(DIALLED_WITHIN.total_seconds()):
            wire = await lay(address, tls=context, proxy=None)
            try:
                # It greets whoever it let in; the handshake of TLS 1.3 ends before it has looked at our certificate.
                if await wire.reader.readexactly(len(_GREETING)) != _GREETING:
                    return None
                shown: ssl.SSLObject = wire.writer.get_extra_info("ssl_object")
                return ssl.DER_cert_to_PEM_cert(shown.getpeercert(binary_form=True) or b"").encode("ascii")
            finally:
                wire.cut()
                await wire.until_closed()
    except (OSError, EOFError, TimeoutError, Failure):
        return None


def _made_at(pem: bytes) -> int:
    """When a certificate was made, to the second after: files written in the second of a step are of after it."""
    begins_at = x509.load_pem_x509_certificates(pem)[0].not_valid_before_utc
    return int(begins_at.timestamp() * 1000) + BACKDATED_MS + _SECOND_MS - 1


def _is_by(pem: bytes, authority: Authority) -> bool:
    try:
        x509.load_pem_x509_certificates(pem)[0].verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
