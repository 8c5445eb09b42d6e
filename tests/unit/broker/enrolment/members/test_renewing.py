"""Renewals: a newer statement is taken and answered with claims and certificate; what does not hold changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.node.bus.claims import decode
from broker.node.home import Home
from broker.node.post.port import Received, Reply
from broker.node.restating import next_sealing_epoch, replaced
from broker.node.tls_key import certificate_request, generate_tls_key, public_of, split_chain
from schemas.crypto import nkey
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.entry import nonce
from schemas.messages.fields import encode_base64
from schemas.messages.party import Party, PartyStatement, read_party, state_party
from schemas.messages.transport import Renewal
from tests.unit.broker.enrolment.hall import Hall


@dataclass
class Renewing:
    """An agency that tells admission of its statements."""

    hall: Hall
    home: Home

    async def send(self, party: Party, request: bytes = b"", challenge: str | None = None) -> tuple[bytes, ...]:
        """What admission answers; it has checked everything that every message is checked for."""
        now = self.hall.clock.now()
        outer = Renewal(
            hub="testhub",
            sender=party.id,
            receiver="admission",
            message_key="0" * 32,
            message_id=nonce(),
            sent_at=now,
            expires_at=now + 60_000,
            epoch="0" * 32,
            parts=[],
            challenge_digest=challenge,
        )
        admission = self.hall.admission
        sender = admission.room.register.party(self.home.own().id)
        received = Received(outer, (party.frame, request), sender, "0" * 64, now)
        correspondent = admission.ground.post.correspondent
        assert correspondent is not None
        work = await correspondent.prepare(received)

        def run(tx: object) -> Reply:
            reply = work(tx)  # type: ignore[arg-type]
            assert isinstance(reply, Reply)
            return reply

        reply = await admission.ground.post.commit(run)
        await self.hall.turn(1_000)
        await self.hall.turn(1_000)  # renewals that come together are one directory
        return reply.parts

    def stated(self, statement: PartyStatement) -> Party:
        """A statement, signed by the agency's root."""
        keys = self.home.keys_to_read()
        root = SigningKey.from_seed(KeyPurpose.ROOT, keys.get(KeyPurpose.ROOT, keys.names(KeyPurpose.ROOT)[0]))
        return read_party(state_party(statement, root))

    def rotated(self, purpose: KeyPurpose, *, emergency: bool) -> Party:
        """The next statement, with another key of that purpose."""
        fresh = SigningKey.generate(purpose).public
        return self.stated(replaced(self.home.own().statement, fresh, now=self.hall.clock.now(), emergency=emergency))


@pytest.fixture
async def renewing(hall: Hall) -> Renewing:
    home = hall.agency()
    await hall.enrol(home)
    await hall.turn(60_000)
    return Renewing(hall, home)


async def test_a_newer_statement_is_in_the_next_directory_and_an_entry_says_so(renewing: Renewing) -> None:
    hall, own = renewing.hall, renewing.home.own()
    fresh = Identity.generate(KeyPurpose.SEAL).public
    party = renewing.stated(next_sealing_epoch(own.statement, fresh, now=hall.clock.now()))
    await renewing.send(party)
    lines = {line.party: line for line in hall.admission.room.register.lines()}
    assert (lines["northshire"].serial, lines["northshire"].statement_digest) == (2, party.digest)
    assert (await hall.steps())[-1] == ("renewed", "northshire", None)
    assert await hall.versions() == [1, 2, 3]


async def test_a_new_account_of_a_rotation_lives_beside_the_old_one_and_a_revoked_one_is_gone(
    renewing: Renewing,
) -> None:
    old = renewing.home.own().token
    claims, _ = await renewing.send(renewing.rotated(KeyPurpose.BUS_ACCOUNT, emergency=False))
    new = decode(claims.decode()).subject
    assert new != old
    held = renewing.hall.servers.held
    assert decode(held[new]).body["limits"]["conn"] > 0
    assert decode(held[old]).body["limits"]["conn"] > 0


async def test_a_stolen_account_lets_nobody_in_from_the_renewal_on(renewing: Renewing) -> None:
    old = renewing.home.own().token
    claims, _ = await renewing.send(renewing.rotated(KeyPurpose.BUS_ACCOUNT, emergency=True))
    new = decode(claims.decode()).subject
    assert new != old
    assert decode(renewing.hall.servers.held[old]).body["limits"]["conn"] == 0
    # In this order: whoever is cut off finds the new account there.
    assert [one for one in renewing.hall.servers.shown if one in (new, old)][-2:] == [new, old]


async def test_a_stolen_signing_key_issues_no_user_any_more(renewing: Renewing) -> None:
    own = renewing.home.own()
    old = next(nkey.of(one.key) for one in own.keys if one.key.purpose is KeyPurpose.BUS_SIGNER)
    await renewing.send(renewing.rotated(KeyPurpose.BUS_SIGNER, emergency=True))
    body = decode(renewing.hall.servers.held[own.token]).body
    assert old not in {scope["key"] for scope in body["signing_keys"]}


async def test_a_stolen_user_key_is_revoked_for_good(renewing: Renewing) -> None:
    own = renewing.home.own()
    old = next(nkey.of(one.key) for one in own.keys if one.key.purpose is KeyPurpose.BUS_USER)
    await renewing.send(renewing.rotated(KeyPurpose.BUS_USER, emergency=True))
    assert old in decode(renewing.hall.servers.held[own.token]).body["revocations"]


async def test_a_certificate_request_is_answered_with_a_certificate_and_every_authority(renewing: Renewing) -> None:
    key = generate_tls_key()
    room = renewing.hall.admission.room
    room.authorities.create(["bus.hub.example"], now=renewing.hall.clock.now())
    _, chain = await renewing.send(renewing.home.own(), certificate_request(key))
    own, authorities = split_chain(chain)
    public = x509.load_pem_x509_certificate(own).public_key()
    assert public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public_of(key)
    assert len(x509.load_pem_x509_certificates(authorities)) == 2
    assert authorities == room.authorities.trusted()


async def test_the_answer_to_the_challenge_proves_the_sealing_key_and_a_wrong_one_is_refused(
    renewing: Renewing,
) -> None:
    assert (await renewing.hall.member())["is_proven"] is False
    with pytest.raises(Rejected, match="challenge_wrong"):
        await renewing.send(renewing.home.own(), challenge="0" * 64)
    assert (await renewing.hall.member())["is_proven"] is False
    answer = (renewing.home.path / "bus" / "challenge").read_text()
    await renewing.send(renewing.home.own(), challenge=answer)
    assert (await renewing.hall.member())["is_proven"] is True


async def test_an_older_statement_another_root_and_somebody_elses_are_refused(renewing: Renewing) -> None:
    hall, own = renewing.hall, renewing.home.own()
    await renewing.send(renewing.rotated(KeyPurpose.ANSWER, emergency=False))
    with pytest.raises(Rejected, match="party_file_invalid"):
        await renewing.send(own)
    root = SigningKey.generate(KeyPurpose.ROOT)
    other = own.statement.model_copy(update={"root": encode_base64(root.public.raw), "serial": 9})
    with pytest.raises(Rejected, match="party_file_invalid"):
        await renewing.send(read_party(state_party(other, root)))
    south = hall.agency("southshire")
    await hall.enrol(south)
    with pytest.raises(Rejected, match="statement_foreign"):
        await renewing.send(south.own())


async def test_a_key_that_is_anothers_is_not_taken_by_renewal(renewing: Renewing) -> None:
    south = renewing.hall.agency("southshire")
    await renewing.hall.enrol(south)
    theirs = next(one.key for one in south.own().keys if one.key.purpose is KeyPurpose.ANSWER)
    statement = replaced(renewing.home.own().statement, theirs, now=renewing.hall.clock.now(), emergency=False)
    with pytest.raises(Rejected, match="key_shared"):
        await renewing.send(renewing.stated(statement))
    assert renewing.hall.admission.room.register.agencies["northshire"].statement.serial == 1


async def test_an_expelled_agency_renews_nothing(renewing: Renewing) -> None:
    party = renewing.rotated(KeyPurpose.ANSWER, emergency=False)
    await renewing.hall.command("expel", agency="northshire")
    with pytest.raises(Rejected, match="not_a_member"):
        await renewing.send(party)
