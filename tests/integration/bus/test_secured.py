"""A bus as it is in use: TLS 1.3 both ways, operator mode, own JWTs; and what is said when any of it does not hold."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from broker.enrolment.tls.authority import Authority, read_request
from broker.node.bus.access import ADMITTED_ANEW, Access, HomeAccess, home_access
from broker.node.bus.address import read_address
from broker.node.bus.claims import user_claims
from broker.node.bus.embedded import HOST, EmbeddedServer, ServerFailed
from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.doctor.bus import check_access, check_bus
from broker.node.doctor.checked import NotWell
from broker.node.home import Home
from broker.node.tls_key import certificate_request, ensure_tls_key
from schemas.logfields import may_be_logged
from schemas.messages.party import PartyKind
from tests.contract.bus.rig import QUICK, Owner
from tests.integration.bus.secured import SecuredHub, now_ms, token
from tests.integration.bus.waiting import connected, until, until_trouble

EXPIRED_SERVER = "the certificate of the server has expired - the hub writes another by broker bus config"
UNKNOWN = "the server does not admit us - our account or key is unknown there"


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[SecuredHub]:
    """Not started yet."""
    made = SecuredHub(tmp_path)
    yield made
    await made.stop()


def _other_authority() -> Authority:
    return Authority.create([HOST, "localhost"], now=now_ms())


def _server_certificate(hub: SecuredHub, authority: Authority, *, life_ms: int) -> None:
    from broker.enrolment.configuration.files import _key

    folder = hub.folders[0]
    request = read_request(certificate_request(_key(folder)))
    certificate = authority.issue_server(request, [HOST], now=now_ms(), life_ms=life_ms)
    (folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


def _client_certificate(home: Home, authority: Authority, *, life_ms: int) -> None:
    keys = home.keystore()
    request = read_request(certificate_request(ensure_tls_key(keys)))
    keys.close()
    certificate = authority.issue_client(request, PartyKind.AGENT, now=now_ms(), life_ms=life_ms)
    (home.path / "bus" / "client.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


async def test_parties_reach_each_other_over_their_accounts(hub: SecuredHub) -> None:
    north, south = hub.agency("north"), hub.agency("south")
    await hub.start()
    desk, desk_ear = hub.bus(PartyKind.DESK), await connected(hub.bus(PartyKind.DESK), "from.*.desk")
    desk_owner = Owner()
    await desk.start(desk_owner)
    await desk_owner.until("connected")
    agent = hub.bus(north)
    owner, ear = await connected(agent, f"to.{token(north)}.>")
    _, other = await connected(hub.bus(south), f"to.{token(south)}.>")
    await agent.publish(f"from.{token(north)}.desk", b"an answer")
    assert await desk_ear[1].next() == (f"from.{token(north)}.desk", b"an answer")
    await desk.publish(f"to.{token(north)}.desk", b"thanks")
    assert await ear.next() == (f"to.{token(north)}.desk", b"thanks")
    assert other.heard == []
    await agent.publish(f"from.{token(north)}.coordinator", b"nobody is there")
    await owner.until(f"unheard from.{token(north)}.coordinator")


async def test_a_party_connects_through_a_websocket_with_its_certificate(hub: SecuredHub) -> None:
    north = hub.agency("north")
    await hub.start()
    bus = hub.bus(north, hub.websocket_url)
    owner, ear = await connected(bus, f"to.{token(north)}.>")
    coordinator = hub.bus(PartyKind.COORDINATOR)
    await connected(coordinator, "hub.coordinator")
    large = bytes(range(256)) * 4096
    for payload in (b"small", large, b""):
        await coordinator.publish(f"to.{token(north)}.in", payload)
        assert await ear.next() == (f"to.{token(north)}.in", payload)
    await bus.publish(f"from.{token(north)}.desk", large)
    await owner.until(f"unheard from.{token(north)}.desk")
    assert owner.told[0] == "connected"
    await hub.servers[0].stop()
    await owner.until("disconnected")
    await hub.servers[0].start()
    await owner.until("connected")


async def _says(hub: SecuredHub, who: Home | PartyKind, words: str, *urls: str, **options: object) -> None:
    """Once, in a line that may be logged; and then with growing waits, never in a tight loop."""
    bus, owner = hub.bus(who, *urls, **options), Owner()
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    with capture_logs() as lines:
        await bus.start(owner)
        await until_trouble(bus, words)
        await asyncio.sleep(0.2)
        assert bus.trouble == words
        assert 1 <= bus._supervision._tried <= 20 + 100 * (loop.time() - started_at)
    assert [line["event"] for line in lines] == ["bus_away"]
    assert all(may_be_logged(name, value) for name, value in lines[0].items() if name not in ("event", "log_level"))
    assert owner.told == []
    await bus.close()


async def test_a_server_of_another_authority_is_not_trusted(hub: SecuredHub) -> None:
    north = hub.agency("north")
    (north.path / "bus" / "ca.pem").write_bytes(_other_authority().pem)
    await hub.start()
    words = "the certificate of the server is not from an authority that we trust"
    await _says(hub, north, words)
    await _says(hub, north, words, hub.websocket_url)


async def test_a_server_under_another_name_is_not_trusted(hub: SecuredHub) -> None:
    await hub.start()
    words = "the certificate of the server is for another host name"
    await _says(hub, PartyKind.DESK, words, f"tls://localhost:{hub.nodes[0].port}")
    await _says(hub, PartyKind.DESK, words, f"wss://localhost:{hub.nodes[0].websocket_port}")


async def test_a_server_whose_certificate_has_expired_is_not_trusted(hub: SecuredHub) -> None:
    _server_certificate(hub, hub.authority, life_ms=-1000)
    await hub.start()
    await _says(hub, PartyKind.DESK, EXPIRED_SERVER)


async def test_a_client_certificate_of_another_authority_is_told_as_refused(hub: SecuredHub) -> None:
    north = hub.agency("north")
    _client_certificate(north, _other_authority(), life_ms=3_600_000)
    await hub.start()
    await _says(hub, north, "the server refuses our certificate")
    await _says(hub, north, "the server refuses our certificate", hub.websocket_url)


async def test_an_expired_client_certificate_is_told_with_its_end_and_what_to_run(hub: SecuredHub) -> None:
    north = hub.agency("north")
    _client_certificate(north, hub.authority, life_ms=-5000)
    await hub.start()
    bus = hub.bus(north)
    await bus.start(Owner())
    await until(lambda: bus.trouble is not None)
    assert bus.trouble is not None
    assert bus.trouble.startswith("the client certificate has expired, at 20")
    assert bus.trouble.endswith(f"Z; run: {ADMITTED_ANEW}")


async def test_the_doctor_says_that_a_server_refuses_an_expired_client_certificate(hub: SecuredHub) -> None:
    north = hub.agency("north")
    _client_certificate(north, hub.authority, life_ms=-5000)
    await hub.start()
    now = now_ms()
    with pytest.raises(NotWell, match=r"the client certificate ended 2.*; run: agent enrol --replace-root"):
        await asyncio.to_thread(check_access, north, now)
    for url in (hub.urls[0], hub.websocket_url):
        with pytest.raises(NotWell, match="the server refuses our certificate"):
            await asyncio.to_thread(check_bus, north, [read_address(url, setting="bus.urls")], None, now)


async def test_an_expired_account_is_told_with_its_end_and_what_to_run(hub: SecuredHub) -> None:
    north = hub.agency("north")
    hub.hand_over(north, account_life_ms=-5000)
    await hub.start()
    bus = hub.bus(north)
    await bus.start(Owner())
    await until(lambda: bus.trouble is not None)
    assert bus.trouble is not None
    assert bus.trouble.startswith("the JWT of the account has expired, at 20")
    assert bus.trouble.endswith(f"Z; run: {ADMITTED_ANEW}")


async def test_an_account_that_the_server_does_not_know_is_told_and_connects_once_it_does(hub: SecuredHub) -> None:
    north = hub.agency("north")
    known = hub.folders[0] / "accounts" / f"{token(north)}.jwt"
    claims = known.read_text()
    known.unlink()
    await hub.start()
    await _says(hub, north, UNKNOWN)
    bus, owner = hub.bus(north), Owner()
    await bus.start(owner)
    await until_trouble(bus, UNKNOWN)
    known.write_text(claims)
    await owner.until("connected")


async def test_an_account_that_is_suspended_is_told(hub: SecuredHub) -> None:
    north = hub.agency("north")
    hub.suspend(north)
    await hub.start()
    await _says(hub, north, "our account may hold no more connections - or it is suspended")


async def test_a_rejected_party_knocks_ever_more_seldom(hub: SecuredHub) -> None:
    north = hub.agency("north")
    (hub.folders[0] / "accounts" / f"{token(north)}.jwt").unlink()
    await hub.start()
    timings = replace(QUICK, first_wait=timedelta(milliseconds=50), longest_wait=timedelta(milliseconds=50))
    bus = hub.bus(north, timings=replace(timings, longest_wait_refused=timedelta(hours=1)))
    await bus.start(Owner())
    await until_trouble(bus, UNKNOWN)
    await asyncio.sleep(2)
    # Waits of up to 50 ms each would be eighty knocks; doubling ones are a handful.
    assert bus._supervision._tried < 20


async def test_a_server_without_tls_is_not_spoken_to(hub: SecuredHub, tmp_path: Path) -> None:
    plain = EmbeddedServer(tmp_path / "plain")
    await plain.start()
    try:
        url = f"tls://{HOST}:{plain.port}"
        await _says(hub, PartyKind.DESK, "the server does not begin with TLS", url)
        await _says(hub, PartyKind.DESK, "the server does not begin with TLS", url.replace("tls", "wss"))
    finally:
        await plain.stop()


async def test_a_server_that_offers_tls_only_after_plaintext_is_not_spoken_to(hub: SecuredHub) -> None:
    weak = hub.configuration(hub.folders[0]).replace("handshake_first: true", "handshake_first: false")
    hub.servers = [EmbeddedServer(hub.folders[0], configuration=weak)]
    await hub.start()
    await _says(hub, PartyKind.DESK, "the server does not begin with TLS")


async def test_a_server_that_has_tls_and_admits_anybody_is_not_the_bus(hub: SecuredHub) -> None:
    whole = hub.configuration(hub.folders[0])
    open_door = whole[: whole.index("operator:")]
    hub.servers = [EmbeddedServer(hub.folders[0], configuration=open_door)]
    await hub.start()
    await _says(hub, PartyKind.DESK, "the server asks nobody for credentials - it is not set up as the bus")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x15\x03\x03\x00\x02\x02\x46", "the server does not offer a TLS as new as ours"),  # alert protocol_version
        (b"\x15\x03\x03\x00\x02\x02\x28", "the TLS of the server does not hold"),  # alert handshake_failure
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server does not begin with TLS"),
        (b"", "the connection broke"),
    ],
)
async def test_a_server_that_has_no_tls_for_us_is_told_as_such(hub: SecuredHub, answer: bytes, words: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(refuse, HOST, 0) as server:
        await _says(hub, PartyKind.DESK, words, f"tls://{HOST}:{server.sockets[0].getsockname()[1]}")


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        ("tls", b"", "the server closed the connection"),
        ("tls", b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server closed the connection"),
        ("tls", b"x" * 200_000, "the server does not speak NATS as we know it"),
        ("wss", b"", "no WebSocket is spoken there"),
        ("wss", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "no WebSocket is spoken there"),
        ("wss", b"x" * 200_000, "no WebSocket is spoken there"),
    ],
)
async def test_what_does_not_speak_as_the_bus_does_is_told_as_such(
    hub: SecuredHub, scheme: str, answer: bytes, words: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(hub.folders[0] / "server.pem", hub.folders[0] / "server.key")

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if scheme == "wss":
            await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(refuse, HOST, 0, ssl=context) as server:
        await _says(hub, PartyKind.DESK, words, f"{scheme}://{HOST}:{server.sockets[0].getsockname()[1]}")


async def test_credentials_that_are_missing_are_named_and_used_once_they_are_there(hub: SecuredHub) -> None:
    north = hub.agency("north")
    await hub.start()
    certificate = north.path / "bus" / "client.pem"
    kept = certificate.read_bytes()
    certificate.unlink()
    words = (
        "our own credentials are incomplete: bus/client.pem is missing; it comes with the hub's reply to an enrolment"
    )
    await _says(hub, north, words)
    bus, owner = hub.bus(north), Owner()
    await bus.start(owner)
    await until_trouble(bus, words)
    certificate.write_bytes(kept)
    await bus.renew()
    await owner.until("connected")


@pytest.mark.parametrize("ahead_ms", [-PERMITTED_SKEW_MS, PERMITTED_SKEW_MS])
async def test_a_clock_that_is_two_minutes_off_connects(hub: SecuredHub, ahead_ms: int) -> None:
    await hub.start()

    class Skewed:
        def now(self) -> int:
            return now_ms() + ahead_ms

    bus, owner = hub.bus(PartyKind.DESK, clock=Skewed()), Owner()
    await bus.start(owner)
    await owner.until("connected")


def _short_lived(home: Home, life: timedelta, made: list[HomeAccess]) -> Callable[[], Access]:
    """The access of a home, but its user's JWT lives no longer than this."""
    make = home_access(home, home.keys_to_read())

    class ShortLived(HomeAccess):
        __slots__ = ()

        def user_jwt(self, now: int) -> str:
            return user_claims(self._user.public, self.account, self._signer, now=now, life=life)

    def access() -> Access:
        found = make()
        assert isinstance(found, HomeAccess)
        found.__class__ = ShortLived
        made.append(found)
        return found

    return access


async def test_a_jwt_is_renewed_before_it_ends_without_anybody_noticing(hub: SecuredHub) -> None:
    north = hub.agency("north")
    await hub.start()
    made: list[HomeAccess] = []
    bus = hub.bus(north, access=_short_lived(north, timedelta(seconds=5), made))
    owner, ear = await connected(bus, f"to.{token(north)}.>")
    coordinator = hub.bus(PartyKind.COORDINATOR)
    await connected(coordinator, "hub.coordinator")
    sent = 0
    while len(made) < 3:
        await coordinator.publish(f"to.{token(north)}.in", b"%d" % sent)
        sent += 1
        await asyncio.sleep(0.002)
    heard = [await ear.next() for _ in range(sent)]
    assert [int(payload) for _, payload in heard] == list(range(sent))
    assert owner.told == ["connected"]
    assert bus.counts.reconnects == 0


async def test_a_jwt_that_cannot_be_renewed_ends_the_connection_and_is_told(hub: SecuredHub) -> None:
    north = hub.agency("north")
    await hub.start()
    bus = hub.bus(north, access=_short_lived(north, timedelta(seconds=2), []))
    owner, _ = await connected(bus, f"to.{token(north)}.>")
    (north.path / "bus" / "account.jwt").rename(north.path / "bus" / "kept")
    with capture_logs() as lines:
        await owner.until("disconnected")
    assert [line["event"] for line in lines][:2] == ["bus_not_renewed", "bus_away"]
    assert lines[1]["reason"] == "our JWT was at its end"
    (north.path / "bus" / "kept").rename(north.path / "bus" / "account.jwt")
    await owner.until("connected")


async def test_what_was_rotated_is_used_from_the_next_connection_on(hub: SecuredHub) -> None:
    north = hub.agency("north")
    await hub.start()
    bus = hub.bus(north)
    owner, _ = await connected(bus, f"to.{token(north)}.>")
    _client_certificate(north, _other_authority(), life_ms=3_600_000)
    from broker.node.bus.port import BusAway

    with pytest.raises(BusAway, match="the server refuses our certificate"):
        await bus.renew()
    await bus.publish(f"from.{token(north)}.desk", b"the old connection stays")
    _client_certificate(north, hub.authority, life_ms=3_600_000)
    await bus.renew()
    assert "disconnected" not in owner.told


async def test_the_tls_key_is_nowhere_in_plaintext_and_nothing_is_left_behind(
    hub: SecuredHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    seen: list[bytes] = []
    load = ssl.SSLContext.load_cert_chain

    def note(self: ssl.SSLContext, file: str, *, password: str) -> None:
        seen.append(Path(file).read_bytes())
        assert Path(file).stat().st_mode & 0o077 == 0
        load(self, file, password=password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", note)
    home = hub.homes[PartyKind.DESK]
    home_access(home, home.keys_to_read())().tls()
    [written] = seen
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in written
    assert b"BEGIN PRIVATE KEY" not in written
    assert b"BEGIN EC PRIVATE KEY" not in written
    assert list(folder.iterdir()) == []


async def test_a_server_that_is_given_another_certificate_keeps_its_connections(hub: SecuredHub) -> None:
    await hub.start()
    bus = hub.bus(PartyKind.DESK)
    owner, _ = await connected(bus, "hub.desk")
    _server_certificate(hub, hub.authority, life_ms=3_600_000)
    hub.servers[0].reload(hub.configuration(hub.folders[0]))
    await until(lambda: "Reloaded: tls" in hub.servers[0].log_path.read_text())
    await bus.renew()
    assert owner.told == ["connected"]
    await hub.servers[0].stop()
    with pytest.raises(ServerFailed, match="not running"):
        hub.servers[0].reload("")
