"""T10: a stranger on the network tries to get onto the bus, to see what it carries, or to keep others from it.

What a stranger may have: any client, certificates and keys of its own making, and everything public of an admitted
agency, its claims included. Each attempt is made while a hub and an agency go on talking.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from broker.node.bus.embedded import HOST
from broker.node.clock import SystemClock
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from tests.support.canary import Canary
from tests.support.hostile_jwt import SCOPED, UNSCOPED, Nkey, altered, forged, user_of
from tests.support.raw_nats import WITHIN_S, Credentials, RawNats, Refused
from tests.support.walled import DAY_MS, Seat, TlsFiles, Walls

HANDSHAKES = 300
"""Enough to see that each costs the others nothing that stays; how many a server bears is in the benchmarks."""
SILENT = 200


@pytest.fixture
async def canary(walls: Walls) -> AsyncIterator[Canary]:
    """The conversation that goes on meanwhile, and is looked at afterwards."""
    async with Canary(walls, "south") as canary:
        yield canary


async def refused(walls: Walls, context: ssl.SSLContext | None) -> None:
    """No byte of the server's own is had by who dials like this."""
    with pytest.raises((Refused, OSError)):
        await RawNats.dial(HOST, walls.port, context)


async def test_nothing_is_said_to_who_does_not_begin_with_tls(walls: Walls, canary: Canary) -> None:
    reader, writer = await asyncio.open_connection(HOST, walls.port)
    writer.write(b'CONNECT {"verbose":true}\r\nPING\r\nSUB > 1\r\n')
    said = b""
    with suppress(OSError):
        async with asyncio.timeout(WITHIN_S):
            said = await reader.read()
    writer.close()
    assert b"INFO" not in said
    assert b"nonce" not in said


def trusting(walls: Walls) -> ssl.SSLContext:
    """A context that believes the server, as a stranger's may."""
    return walls.tls.context()


async def test_an_older_tls_is_refused(walls: Walls, canary: Canary) -> None:
    context = walls.tls.context(chain=walls.tls.client())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    await refused(walls, context)


async def test_a_certificate_is_asked_for_and_only_the_hubs_authority_is_believed(
    walls: Walls, canary: Canary, tmp_path: Path
) -> None:
    another, hour = TlsFiles(tmp_path / "another"), 3_600_000
    ended = walls.tls.client(now=SystemClock().now() - DAY_MS, life_ms=hour)
    await refused(walls, trusting(walls))
    for chain in (another.client(), another.server(), ended):
        context = trusting(walls)
        context.load_cert_chain(*chain)
        await refused(walls, context)


async def test_a_partys_certificate_does_not_serve_to_pose_as_the_server(walls: Walls, tmp_path: Path) -> None:
    """Whoever can turn an agent's packets away to a server of its own still has none that the agent believes."""

    async def pose(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    for chain in (walls.tls.client(), TlsFiles(tmp_path / "another").server()):
        posing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        posing.load_cert_chain(*chain)
        server = await asyncio.start_server(pose, HOST, 0, ssl=posing)
        async with server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await RawNats.dial(HOST, server.sockets[0].getsockname()[1], trusting(walls))


Shown = Callable[[Walls], Credentials | None]


def foreign(walls: Walls) -> Credentials:
    """An operator, an account and a user of the stranger's own making."""
    operator, account, signer = Nkey.make("operator"), Nkey.make("account"), Nkey.make("account")
    forged(operator, account.public, "account", {"signing_keys": [signer.public]})
    return user_of(signer, account.public)


def self_signed(walls: Walls) -> Credentials:
    """A user that calls itself one of an admitted account's."""
    return user_of(Nkey.make("account"), walls.agencies["south"].token, SCOPED)


def stolen(walls: Walls) -> Credentials:
    """An admitted user's public claims, and the stranger's own key."""
    return Credentials(walls.agencies["south"].credentials().jwt, Nkey.make("user").sign)


def of_the_account(walls: Walls) -> Credentials:
    """An account's claims in the place of a user's."""
    return Credentials(walls.agencies["south"].jwt, Nkey.make("user").sign)


def put_in(walls: Walls) -> Credentials:
    """An admitted user's claims with the stranger's key put in, under the old signature."""
    key = Nkey.make("user")
    return Credentials(altered(walls.agencies["south"].credentials().jwt, sub=key.public), key.sign)


def pretended(walls: Walls) -> Credentials:
    """Claims that name the true issuer and are signed by the stranger."""
    key, seat = Nkey.make("user"), walls.agencies["south"]
    issuer = seat.as_attacker("signer").public
    body = {**SCOPED, "issuer_account": seat.token}
    return Credentials(forged(Nkey.make("account"), key.public, "user", body, issuer_name=issuer), key.sign)


def unsigned(walls: Walls) -> Credentials:
    """Claims whose header says that no signature is needed."""
    key, seat = Nkey.make("user"), walls.agencies["south"]
    body = {**UNSCOPED, "issuer_account": seat.token}
    jwt = forged(Nkey.make("account"), key.public, "user", body, algorithm="none")
    return Credentials(jwt.rpartition(".")[0] + ".", key.sign)


def silent(walls: Walls) -> Credentials:
    """An admitted user's claims, and no signature of the nonce."""
    return Credentials(walls.agencies["south"].credentials().jwt, lambda nonce: b"")


def zeros(walls: Walls) -> Credentials:
    """The same with a signature of nothing but zeros."""
    return Credentials(walls.agencies["south"].credentials().jwt, lambda nonce: bytes(64))


def of_another_nonce(walls: Walls) -> Credentials:
    """The same with a true signature, overheard when another nonce was asked."""
    true = walls.agencies["south"].credentials()
    return Credentials(true.jwt, lambda nonce: true.sign(b"another nonce"))


def over(walls: Walls) -> Credentials:
    """A true user's whose claims have run out: a copy of yesterday's disk."""
    return walls.agencies["south"].credentials(expires_in_s=-5, issued_ago_s=86_400)


def by_the_account_itself(walls: Walls) -> Credentials:
    """A user signed by the account's own key, which has no template."""
    seat = walls.agencies["south"]
    return user_of(seat.as_attacker("account"), seat.token, UNSCOPED)


def system(walls: Walls) -> Credentials:
    """A user who calls itself one of the system account's."""
    return user_of(Nkey.make("account"), Seat(walls.system, walls.system_signer).token)


def another_partys_signer(walls: Walls) -> Credentials:
    """A user of the hub's account, signed by an admitted agency's signing key."""
    return user_of(walls.agencies["north"].as_attacker("signer"), walls.hub_token, SCOPED)


SHOWN: tuple[Shown, ...] = (
    *(foreign, self_signed, stolen, of_the_account, put_in, pretended, unsigned, silent, zeros, of_another_nonce, over),
    *(by_the_account_itself, system, another_partys_signer, lambda walls: None),
)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.__name__.strip("<>"))
async def test_a_certificate_alone_admits_nobody(walls: Walls, canary: Canary, shown: Shown) -> None:
    with pytest.raises(Refused, match=r"Authorization Violation|Authentication Expired"):
        await walls.enter(shown(walls))


OTHER_WAYS = (
    {"user": "admin", "pass": "admin"},
    {"auth_token": "x"},
    {"nkey": Nkey.make("user").public, "sig": "AA"},
    {"user": "sys", "pass": "", "account": "SYS", "new_account": True},
    {"bearer_token": True},
)


@pytest.mark.parametrize("fields", OTHER_WAYS, ids=lambda fields: next(iter(fields)))
async def test_no_other_way_of_saying_who_one_is_is_open(walls: Walls, canary: Canary, fields: dict[str, str]) -> None:
    with pytest.raises(Refused, match="Authorization Violation"):
        await walls.enter(None, **fields)


async def test_an_account_that_the_operator_did_not_sign_is_none(walls: Walls, canary: Canary) -> None:
    """Even one that has been put onto the server: its store takes whatever the system account gives it."""
    account, signer = SigningKey.generate(KeyPurpose.BUS_ACCOUNT), SigningKey.generate(KeyPurpose.BUS_SIGNER)
    seat = Seat(account, signer)
    imports = [{"name": "to", "subject": "to.*.>", "account": walls.hub_token, "type": "stream"}]
    body = {"signing_keys": [seat.as_attacker("signer").public], "imports": imports}
    for issuer in (seat.as_attacker("account"), Nkey.make("operator"), Nkey("operator", account.private)):
        await walls.push(forged(issuer, seat.token, "account", body))
        with pytest.raises(Refused, match="Authorization Violation"):
            await walls.enter(seat.credentials())


async def test_what_is_said_before_admission_is_not_carried(walls: Walls, canary: Canary) -> None:
    client = await walls.dial()
    await client.send(f"PUB to.{canary.token}.in 6\r\nforged\r\nSUB > 1\r\n".encode())
    with pytest.raises(Refused):
        await client.enter(None)
    assert not client.heard


async def test_nobody_is_let_in_twice_by_one_answer(walls: Walls, canary: Canary) -> None:
    """An admitted connection's CONNECT, overheard, is of no use: each connection has a nonce of its own."""
    first, second = await walls.dial(), await walls.dial()
    assert first.server["nonce"] != second.server["nonce"]
    true = walls.agencies["south"].credentials()
    said = true.sign(str(first.server["nonce"]).encode())
    with pytest.raises(Refused, match="Authorization Violation"):
        await second.enter(Credentials(true.jwt, lambda nonce: said))


async def test_what_the_server_tells_before_admission_names_nobody(walls: Walls) -> None:
    client = await walls.dial()
    told = str(client.server)
    await client.close()
    assert not [seat for seat in walls.agencies.values() if seat.token in told]
    assert "connect_urls" not in client.server
    assert client.server["tls_required"]
    assert not client.server.get("jetstream", False)


async def knock(walls: Walls, number: int) -> None:
    """One bad handshake, each of a kind of its own in turn."""
    first = (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00" + b"\xff" * 512, b"\x00" * 64, b"PING\r\n")
    reader, writer = await asyncio.open_connection(HOST, walls.port)
    writer.write(first[number % len(first)])
    writer.transport.abort() if number % 2 else writer.close()
    with suppress(OSError):
        async with asyncio.timeout(WITHIN_S):
            await reader.read()


async def test_bad_handshakes_keep_nobody_out(walls: Walls, canary: Canary) -> None:
    before = canary.rounds
    for start in range(0, HANDSHAKES, 50):
        await asyncio.gather(*(knock(walls, number) for number in range(start, start + 50)))
        newcomer = await walls.agency("north")
        await newcomer.close()
    assert canary.rounds > before


async def test_connections_that_never_speak_keep_nobody_out(walls: Walls, canary: Canary) -> None:
    sockets = [socket.create_connection((HOST, walls.port)) for _ in range(SILENT)]
    try:
        newcomer = await walls.agency("north")
        await newcomer.close()
        await canary.some_rounds(10)
        loop = asyncio.get_running_loop()
        sockets[0].setblocking(False)
        async with asyncio.timeout(WITHIN_S):  # the server gives up on them by itself
            while await loop.sock_recv(sockets[0], 1024):
                pass
    finally:
        for one in sockets:
            one.close()


async def test_many_who_are_refused_keep_nobody_out(walls: Walls, canary: Canary) -> None:
    async def try_it(number: int) -> None:
        with pytest.raises(Refused):
            await walls.enter(SHOWN[number % len(SHOWN)](walls))

    for start in range(0, 60, 15):
        await asyncio.gather(*(try_it(number) for number in range(start, start + 15)))
        await (await walls.agency("north")).close()


async def test_attempts_that_are_refused_are_in_the_servers_log_without_what_was_shown(walls: Walls) -> None:
    with pytest.raises(Refused):
        await walls.enter(stolen(walls), **{"user": "somebody", "pass": "hunter2"})
    log = walls.server.log()
    assert "authentication error" in log
    assert "hunter2" not in log
    assert "TLS handshake error" in log
