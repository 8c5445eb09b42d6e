"""Admission's own keys are replaced like everybody's, and the hub's claims and directory follow."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.enrolment.books import records
from broker.node.bus.claims import decode
from broker.node.rotation import NotRotatedHere
from broker.node.tls_key import public_of
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from tests.unit.broker.enrolment.hall import Hall


def _signers(hall: Hall) -> set[str]:
    hub = hall.admission.room.issuer().hub
    return {scope["key"] for scope in decode(hall.servers.held[hub]).body["signing_keys"]}


async def _rotate(hall: Hall, purpose: KeyPurpose, *, emergency: bool) -> None:
    await hall.command("rotate-key", purpose=purpose.value, emergency=emergency)
    await hall.turn(1_000)


async def test_a_new_signing_key_is_in_the_hubs_claims_and_an_old_one_that_was_stolen_is_not(hall: Hall) -> None:
    old = next(nkey.of(one.key) for one in hall.admission.ground.me.keys if one.key.purpose is KeyPurpose.BUS_SIGNER)
    assert old in _signers(hall)
    await _rotate(hall, KeyPurpose.BUS_SIGNER, emergency=True)
    assert old not in _signers(hall)
    mine = {nkey.of(one.key) for one in hall.admission.ground.me.keys if one.key.purpose is KeyPurpose.BUS_SIGNER}
    assert _signers(hall) & mine
    kept = (hall.home("admission").path / "bus" / "account.jwt").read_text()
    assert kept == hall.servers.held[hall.admission.room.issuer().hub]


async def test_a_new_directory_key_signs_the_next_directory_and_everybody_takes_it(hall: Hall) -> None:
    await _rotate(hall, KeyPurpose.DIRECTORY, emergency=True)
    assert await hall.versions() == [1, 2]
    await hall.enrol(hall.agency())
    assert (await hall.command("status"))["directory"] == 3
    assert (await hall.member())["state"] == "admitted"


async def _hears_of_admission(hall: Hall) -> bool:
    """The coordinator goes by admission's newest statement, and a directory that names it is in the log."""
    for _ in range(10):
        await hall.turn(5_000)
    mine = hall.admission.ground.me
    kept = await hall.admission.ground.store.read(lambda tx: records.newest_directory(tx, given_out=True))
    assert kept is not None
    known = hall.coordinator.ground.post.directory.party(mine.id)
    return known.digest == mine.digest and mine.digest.encode() in kept.lines


@pytest.mark.parametrize(
    "purposes",
    [
        (KeyPurpose.MESSAGE,),
        (KeyPurpose.DEED,),
        (KeyPurpose.MESSAGE, KeyPurpose.DEED),
        (KeyPurpose.DEED, KeyPurpose.MESSAGE),
        (KeyPurpose.DIRECTORY,),
        (KeyPurpose.DEED, KeyPurpose.DEED),
        (KeyPurpose.DIRECTORY, KeyPurpose.ADMISSION, KeyPurpose.MESSAGE, KeyPurpose.DEED, KeyPurpose.BUS_SIGNER),
    ],
)
async def test_everybody_hears_of_an_admission_whose_keys_died(hall: Hall, purposes: tuple[KeyPurpose, ...]) -> None:
    # The newest directory is about the agency: nothing but admission itself brings admission's statement.
    await hall.enrol(hall.agency())
    for purpose in purposes:
        await _rotate(hall, purpose, emergency=True)
    assert await _hears_of_admission(hall)


async def test_a_coordinator_that_was_away_hears_of_an_admission_whose_keys_died_before_its_last_start(
    hall: Hall,
) -> None:
    await hall.enrol(hall.agency())
    await hall.coordinator.stop()
    for purpose in (KeyPurpose.DEED, KeyPurpose.MESSAGE, KeyPurpose.DIRECTORY, KeyPurpose.DEED):
        await _rotate(hall, purpose, emergency=True)
    await hall.admission.stop()
    await hall.start_admission()
    await hall.start_coordinator()
    assert await _hears_of_admission(hall)
    await hall.command("suspend", agency="northshire")
    assert (await hall.member())["state"] == "suspended"


async def test_a_new_tls_key_has_a_certificate_of_its_own_and_the_old_one_is_destroyed(hall: Hall) -> None:
    path, keys = hall.home("admission").path / "bus" / "client.pem", hall.admission.ground.keys
    (before,) = keys.names(KeyPurpose.TLS)
    await hall.command("rotate-key", purpose="tls", emergency=True)
    (after,) = keys.names(KeyPurpose.TLS)
    assert after != before
    public = x509.load_pem_x509_certificate(path.read_bytes()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == public_of(keys.get(KeyPurpose.TLS, after))


async def test_the_hubs_account_stays(hall: Hall) -> None:
    with pytest.raises(NotRotatedHere):
        await hall.command("rotate-key", purpose="bus-account", emergency=False)
