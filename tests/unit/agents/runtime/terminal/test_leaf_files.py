"""The files of an agency's own server: what nats-server and the agent make of them, and what is kept when rewritten."""

from __future__ import annotations

import ssl
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.runtime.terminal.leaf_files import RENEW_AHEAD_MS, LeafWritten, write_leaf
from broker.enrolment.at_rest.founding import identity_of
from broker.enrolment.configuration.leaf import LEAF_FILES, Leaf, leaf_configuration
from broker.node.bus.access import HomeAccess
from broker.node.bus.claims import decode, encode
from broker.node.bus.leaf import LeafNotAllowed
from broker.node.certificates import HostInvalid
from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.endings import check_endings
from broker.node.doctor.expiring import expiries
from broker.node.home import Home, write_whole
from schemas.crypto import nkey
from tests.support.clock import NOON
from tests.unit.broker.enrolment.hall import Hall

NAMES = set(LEAF_FILES)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """A hub that admits."""
    hall = Hall(tmp_path)
    await hall.start()
    yield hall
    await hall.stop()


@pytest.fixture
async def home(hall: Hall) -> Home:
    """An agency that may run a leaf node."""
    made = hall.agency()
    offered = await hall.offer(hall.ask(made), may_run_leaf=True)
    hall.take(made, offered["reply"])
    return made


def written(
    home: Home, folder: Path, *, now: int = NOON, hosts: tuple[str, ...] = ("leaf.police.example",)
) -> LeafWritten:
    return write_leaf(home, folder, hosts, now=now)


def test_every_file_is_there_and_its_owners_alone(home: Home, tmp_path: Path) -> None:
    written(home, tmp_path / "leaf")
    assert {path.name for path in (tmp_path / "leaf").iterdir()} == NAMES
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "leaf").iterdir()} == {0o600}


def test_the_agent_trusts_its_own_server_beside_the_hubs(home: Home, tmp_path: Path) -> None:
    before = len(HomeAccess.load(home, home.keys_to_read()).tls().get_ca_certs())
    written(home, tmp_path / "leaf")
    assert len(HomeAccess.load(home, home.keys_to_read()).tls().get_ca_certs()) == before + 1


def test_both_certificates_go_with_their_keys(home: Home, tmp_path: Path) -> None:
    written(home, tmp_path / "leaf")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name in ("server", "client"):
        context.load_cert_chain(tmp_path / "leaf" / f"{name}.pem", tmp_path / "leaf" / f"{name}.key")


def test_written_again_the_certificate_is_kept_and_the_credentials_are_new(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "leaf"
    assert written(home, folder).has_new_certificate
    before = {name: (folder / name).read_bytes() for name in NAMES}
    assert not written(home, folder, now=NOON + 1000).has_new_certificate
    assert {name for name in NAMES if (folder / name).read_bytes() != before[name]} == {"leaf.creds"}


def test_a_certificate_that_ends_soon_is_made_anew_and_the_agent_trusts_both_until_then(
    home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "leaf"
    written(home, folder)
    trusted = home.path / "bus" / "local-ca.pem"
    before = trusted.read_bytes()
    assert written(home, folder, now=NOON + 397 * 86_400_000 - RENEW_AHEAD_MS).has_new_certificate
    assert trusted.read_bytes().endswith(before)
    assert trusted.read_bytes() != before


def test_another_host_is_another_certificate(home: Home, tmp_path: Path) -> None:
    written(home, tmp_path / "leaf")
    assert written(home, tmp_path / "leaf", hosts=("127.0.0.1",)).has_new_certificate


@pytest.mark.parametrize("host", ["", "Leaf.example", "leaf_1", "-leaf", "leaf:4222", "tls://leaf", "a" * 64])
def test_a_host_that_is_no_name_is_refused(host: str, home: Home, tmp_path: Path) -> None:
    with pytest.raises(HostInvalid):
        written(home, tmp_path / "leaf", hosts=(host,))
    assert not (tmp_path / "leaf").exists()


async def test_an_agency_without_leave_is_told_what_to_ask_for(hall: Hall, tmp_path: Path) -> None:
    home = hall.agency()
    await hall.enrol(home)
    with pytest.raises(LeafNotAllowed, match="broker agency leaf"):
        written(home, tmp_path / "leaf")
    assert not (tmp_path / "leaf").exists()


def test_the_agents_doctor_tells_ahead_when_the_servers_credentials_end(home: Home, tmp_path: Path) -> None:
    made = written(home, tmp_path / "leaf")
    ends = {one.label: one for one in expiries(home)}
    assert ends["leaf-credentials"].ends_at == made.ends_at
    assert ends["leaf-certificate"].ends_at > made.ends_at
    for days, ahead in ((60, 60), (30, 30), (14, 14), (3, 3)):
        found = check_endings("police", [ends["leaf-credentials"]], made.ends_at - days * DAY_MS)
        assert isinstance(found, Warned)
        assert f"own server ends in {days} days ({ahead}-day notice), run: agent leaf" in found.said
    with pytest.raises(NotWell, match="the credentials of the agency's own server ended"):
        check_endings("police", [ends["leaf-credentials"]], made.ends_at)


def test_nothing_is_told_of_a_server_that_is_renewed_every_day_or_was_never_there(home: Home, tmp_path: Path) -> None:
    assert not any("own server" in one.what for one in expiries(home))
    written(home, tmp_path / "leaf")
    later = NOON + 300 * DAY_MS
    written(home, tmp_path / "leaf", now=later)
    own = [one for one in expiries(home) if "own server" in one.what]
    assert len(own) == 2
    assert not isinstance(check_endings("police", own, later + DAY_MS), Warned)


async def test_claims_by_a_key_that_the_servers_configuration_does_not_know_wait_for_the_next_one(
    hall: Hall, home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "leaf"
    written(home, folder)
    admission, hub = hall.home("admission"), [hall.home("coordinator"), hall.home("desk")]

    def configure() -> None:
        identity = identity_of(admission, hub, admission.keys_to_read(), now=NOON)
        text = leaf_configuration(Leaf("127.0.0.1:4222", ["hub.example:7422"], home.own().token, folder), identity)
        (folder / "leaf.conf").write_text(text)

    configure()
    before = (folder / "account.conf").read_text()
    assert not written(home, folder).waits_for_configuration
    await hall.command("bus-rotate", what="operator-signer", emergency=True)
    # What the agent takes with its next renewal.
    claims = decode(before.split()[1])
    signer = hall.admission.room.issuer().signer
    write_whole(
        home.path / "bus" / "account.jwt", encode(replace(claims, issuer=nkey.of(signer.public)), signer).encode()
    )
    assert written(home, folder).waits_for_configuration
    assert (folder / "account.conf").read_text() == before
    configure()
    assert not written(home, folder).waits_for_configuration
    assert (folder / "account.conf").read_text() != before
