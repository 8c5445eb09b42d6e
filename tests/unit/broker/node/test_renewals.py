"""Certificates that come late, or for a key that was given up: a party is never left with one whose key it has not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.enrolment.tls.authority import Authority, read_request
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import Ground, open_ground
from broker.node.home import Home, PartyPlan
from broker.node.metrics import build_metrics
from broker.node.renewals import Renewals
from broker.node.tls_key import certificate_request, ensure_tls_key, public_of
from schemas.crypto.purposes import KeyPurpose
from schemas.failure_codes import COMMITTED
from schemas.messages.entry import nonce
from schemas.messages.party import PartyKind
from schemas.messages.transport import Acknowledgement
from tests.support.clock import NOON, HandClock


@dataclass
class Asking:
    """A desk that asks for certificates, and the authority that it asks."""

    ground: Ground
    renewals: Renewals
    authority: Authority = field(default_factory=lambda: Authority.create(["bus.hub.example"], now=NOON))

    async def answered(self, request: bytes) -> None:
        """The answer to a renewal with that certificate request."""
        leaf = self.authority.issue_client(read_request(request), PartyKind.DESK, now=NOON)
        chain = leaf.public_bytes(Encoding.PEM) + self.authority.pem
        said = Acknowledgement(
            hub="testhub",
            sender="admission",
            receiver="desk",
            message_key="0" * 32,
            message_id=nonce(),
            sent_at=NOON,
            expires_at=NOON + 1,
            epoch="0" * 32,
            acknowledges=nonce(),
            acknowledged_digest="0" * 64,
            code=COMMITTED,
            parts=[],
        )
        await self.renewals.taken(said, (b"", chain))

    @property
    def has_key(self) -> bool:
        """Whether the private key of the certificate in use is here."""
        pem = (self.ground.home.path / "bus" / "client.pem").read_bytes()
        wanted = x509.load_pem_x509_certificate(pem).public_key()
        return wanted.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) in self.held

    @property
    def held(self) -> list[bytes]:
        """The public halves of the TLS keys that are here."""
        keys = self.ground.keys
        return [public_of(keys.get(KeyPurpose.TLS, name)) for name in keys.names(KeyPurpose.TLS)]


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Asking]:
    home = Home(tmp_path / "desk")
    home.create(PartyPlan("testhub", "desk", PartyKind.DESK, "The hub"), now=NOON, ig_lead_key=tmp_path / "lead.key")
    bus = MemoryBus(MemoryHub(), "desk")
    ground = await open_ground(home, migrations=(), bus=bus, clock=HandClock(), metrics=build_metrics())
    (home.path / "bus").mkdir(exist_ok=True)
    side = Asking(ground, Renewals(home, ground.keys, ground.post))
    await side.answered(certificate_request(ensure_tls_key(ground.keys)))
    yield side
    await ground.close()


async def test_a_new_key_is_used_once_its_certificate_has_come_and_the_old_one_destroyed(asking: Asking) -> None:
    (before,) = asking.held
    request = asking.renewals.new_tls_key()
    assert len(asking.held) == 2
    assert asking.has_key
    await asking.answered(request)
    assert asking.has_key
    assert before not in asking.held
    assert len(asking.held) == 1


async def test_an_answer_about_the_old_key_does_not_destroy_the_one_that_is_waited_for(asking: Asking) -> None:
    earlier, request = asking.renewals.request_again(), asking.renewals.new_tls_key()
    await asking.answered(earlier)
    assert asking.has_key
    await asking.answered(request)
    assert asking.has_key
    assert len(asking.held) == 1


async def test_an_answer_to_a_request_that_was_given_up_changes_nothing(asking: Asking) -> None:
    given_up, request = asking.renewals.new_tls_key(), asking.renewals.new_tls_key()
    await asking.answered(given_up)
    assert asking.has_key
    await asking.answered(request)
    await asking.answered(given_up)
    assert asking.has_key
    assert len(asking.held) == 1


async def test_whose_key_was_lost_asks_for_a_certificate_of_a_new_one(asking: Asking) -> None:
    for name in asking.ground.keys.names(KeyPurpose.TLS):
        asking.ground.keys.destroy(KeyPurpose.TLS, name)
    assert not asking.has_key
    await asking.answered(asking.renewals.request_again())
    assert asking.has_key
