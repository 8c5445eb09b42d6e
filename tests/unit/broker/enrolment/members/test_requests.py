"""Requests that do not hold: each is refused with its reason, which is entered, and nothing is half admitted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from broker.node.home import Home
from broker.node.tls_key import certificate_request, generate_tls_key
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.envelope import digest, pack, unpack
from schemas.failures import Rejected
from schemas.messages.armour import armoured, dearmour
from schemas.messages.enrolment import MARK, state_enrolment
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, PartyStatement, read_party, state_party
from tests.support.clock import NOON
from tests.unit.broker.enrolment.hall import Hall

DAY_MS = 24 * 3600 * 1000


async def _refused(hall: Hall, file: bytes, code: str, **options: object) -> None:
    """That the hub refuses a file for that reason, enters it, and is otherwise as before."""
    before = (await hall.steps(), dict(hall.servers.held), (await hall.command("agencies")))
    with pytest.raises(Rejected) as failure:
        await hall.offer(file, **options)
    assert failure.value.code == code
    await hall.settle()
    assert (await hall.steps())[len(before[0]) :] == [("refused", (await hall.steps())[-1][1], code)]
    assert (hall.servers.held, await hall.command("agencies")) == before[1:]


def _private(home: Home) -> list[SigningKey]:
    keys = home.keys_to_read()
    stated = [one.key for one in home.own().keys if USES[one.key.purpose].signs]
    return [SigningKey.from_seed(key.purpose, keys.get(key.purpose, key.id)) for key in stated]


def _root(home: Home) -> SigningKey:
    keys = home.keys_to_read()
    return SigningKey.from_seed(KeyPurpose.ROOT, keys.get(KeyPurpose.ROOT, keys.names(KeyPurpose.ROOT)[0]))


def _asked(home: Home, party: Party | None = None, *, at: int = NOON, csr: bytes | None = None) -> bytes:
    """A request of that home's, with another statement or certificate request where one is given."""
    request = certificate_request(generate_tls_key()) if csr is None else csr
    return state_enrolment(party or home.own(), _root(home), _private(home), request, requested_at=at)


def _stated(home: Home, change: Callable[[PartyStatement], PartyStatement]) -> Party:
    return read_party(state_party(change(home.own().statement), _root(home)))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda file: b"", "armour_malformed"),
        (lambda file: file[:-200], "armour_malformed"),
        (lambda file: file.replace(b"ENROLMENT", b"PARTY"), "armour_malformed"),
        (lambda file: file + file, "armour_malformed"),
        (lambda file: file.decode().encode("utf-16"), "armour_malformed"),
        (lambda file: armoured(MARK, dearmour(MARK, file)[:-1]), "frame_malformed"),
        (lambda file: armoured(MARK, dearmour(MARK, file) + b"\x00"), "frame_malformed"),
        (lambda file: armoured(MARK, b"\x00" * 50_000), "frame_malformed"),
    ],
)
async def test_a_damaged_file_is_refused(hall: Hall, damage: Callable[[bytes], bytes], code: str) -> None:
    await _refused(hall, damage(hall.ask(hall.agency())), code)


async def test_a_file_changed_in_any_place_is_refused(hall: Hall) -> None:
    frame = dearmour(MARK, hall.ask(hall.agency()))
    for at in range(0, len(frame), len(frame) // 40):
        changed = bytearray(frame)
        changed[at] ^= 4
        with pytest.raises(Rejected):
            await hall.offer(armoured(MARK, bytes(changed)))
    assert {step for step, _, _ in await hall.steps()} == {"refused"}


async def test_a_request_to_another_hub_is_refused(hall: Hall) -> None:
    await _refused(hall, hall.ask(hall.agency(hub="otherhub")), "enrolment_foreign")


async def test_a_request_that_somebody_else_signed_again_is_refused(hall: Hall) -> None:
    home, thief = hall.agency(), SigningKey.generate(KeyPurpose.ROOT)
    statement = home.own().statement.model_copy(update={"root": encode_base64(thief.public.raw)})
    stolen = read_party(state_party(statement, thief))
    envelope = unpack(dearmour(MARK, hall.ask(home)))
    header = envelope.header.replace(home.own().digest.encode(), stolen.digest.encode())
    from schemas.envelope import signed

    await _refused(hall, armoured(MARK, signed(header, [thief], [stolen.frame, envelope.parts[1]])), "proof_invalid")


async def test_a_request_with_another_partys_statement_is_refused(hall: Hall) -> None:
    one, other = hall.agency(), hall.agency("southshire")
    await _refused(hall, _asked(one, other.own()), "signature_missing")


async def test_an_old_request_and_one_from_the_future_are_refused(hall: Hall) -> None:
    home = hall.agency()
    await _refused(hall, _asked(home, at=NOON - 31 * DAY_MS), "enrolment_untimely")
    await _refused(hall, _asked(home, at=NOON + 10 * 60_000), "enrolment_untimely")


async def test_a_replayed_request_is_refused(hall: Hall) -> None:
    home = hall.agency()
    file = hall.ask(home)
    offered = await hall.offer(file)
    await hall.command("admit", agency="northshire", words=offered["words"])
    await _refused(hall, file, "enrolment_repeated")
    await hall.command("expel", agency="northshire")
    await _refused(hall, file, "enrolment_repeated")


async def test_one_key_for_two_purposes_is_refused(hall: Hall) -> None:
    home = hall.agency()
    keys = home.own().statement.keys
    deed = next(key for key in keys if key.purpose is KeyPurpose.DEED)

    def twice(statement: PartyStatement) -> PartyStatement:
        changed = [
            key.model_copy(update={"public": deed.public}) if key.purpose is KeyPurpose.ANSWER else key for key in keys
        ]
        return statement.model_copy(update={"keys": changed})

    party = _stated(home, twice)
    seed = home.keys_to_read().get(
        KeyPurpose.DEED, next(one.key.id for one in home.own().keys if one.key.purpose is KeyPurpose.DEED)
    )
    signers = [key for key in _private(home) if key.purpose is not KeyPurpose.ANSWER]
    signers.append(SigningKey.from_seed(KeyPurpose.ANSWER, seed))
    csr = certificate_request(generate_tls_key())
    await _refused(hall, state_enrolment(party, _root(home), signers, csr, requested_at=NOON), "key_shared")


async def test_a_key_of_another_agency_is_refused(hall: Hall) -> None:
    one = hall.agency()
    await hall.enrol(one)
    other = hall.agency("southshire")
    taken = next(key for key in one.own().statement.keys if key.purpose is KeyPurpose.SEAL)
    keys = [key for key in other.own().statement.keys if key.purpose is not KeyPurpose.SEAL]
    party = _stated(other, lambda statement: statement.model_copy(update={"keys": [*keys, taken]}))
    await _refused(hall, _asked(other, party), "key_shared")


async def test_a_tls_key_of_another_agency_is_refused(hall: Hall) -> None:
    tls = generate_tls_key()
    one, other = hall.agency(), hall.agency("southshire")
    offered = await hall.offer(_asked(one, csr=certificate_request(tls)))
    await hall.command("admit", agency="northshire", words=offered["words"])
    await _refused(hall, _asked(other, csr=certificate_request(tls)), "key_shared")


async def test_a_key_of_the_hubs_own_is_refused(hall: Hall) -> None:
    home = hall.agency()
    theirs = next(key for key in hall.home("desk").own().statement.keys if key.purpose is KeyPurpose.ADDENDUM)
    keys = [key for key in home.own().statement.keys if key.purpose is not KeyPurpose.ADDENDUM]
    party = _stated(home, lambda statement: statement.model_copy(update={"keys": [*keys, theirs]}))
    await _refused(hall, _asked(home, party), "key_shared")


@pytest.mark.parametrize(
    "raw", [bytes(32), b"\x01" + bytes(31), (2**255 - 18).to_bytes(32, "little"), bytes([2]) + bytes(31)]
)
async def test_a_small_order_or_non_canonical_key_is_refused(hall: Hall, raw: bytes) -> None:
    home = hall.agency()

    def weak(statement: PartyStatement) -> PartyStatement:
        answer = next(key for key in statement.keys if key.purpose is KeyPurpose.ANSWER)
        stated = KeyStatement(
            purpose=KeyPurpose.ANSWER,
            public=encode_base64(raw),
            not_before=answer.not_before,
            not_after=answer.not_after,
        )
        return statement.model_copy(update={"keys": [*statement.keys, stated]})

    from schemas.envelope import signed

    statement = signed(weak(home.own().statement).encode(), [_root(home)])
    envelope = unpack(dearmour(MARK, hall.ask(home)))
    header = envelope.header.replace(home.own().digest.encode(), digest(statement).encode())
    await _refused(hall, armoured(MARK, signed(header, [_root(home)], [statement, envelope.parts[1]])), "key_malformed")


async def test_a_missing_and_an_additional_proof_are_refused(hall: Hall) -> None:
    home = hall.agency()
    csr = certificate_request(generate_tls_key())
    fewer = state_enrolment(home.own(), _root(home), _private(home)[1:], csr, requested_at=NOON)
    await _refused(hall, fewer, "proof_missing")
    more = [*_private(home), SigningKey.generate(KeyPurpose.ANSWER)]
    await _refused(hall, state_enrolment(home.own(), _root(home), more, csr, requested_at=NOON), "proof_unasked")


async def test_a_certificate_request_that_does_not_hold_is_refused(hall: Hall) -> None:
    home = hall.agency()
    good = certificate_request(generate_tls_key())
    await _refused(hall, _asked(home, csr=good[:-1]), "certificate_request_malformed")
    await _refused(hall, _asked(home, csr=good + b"\x00"), "certificate_request_malformed")
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    await _refused(hall, _asked(home, csr=flipped), "certificate_request_unsigned")


@pytest.mark.parametrize("name", ["northshire", "north-shire", "n0rthshire", "northsh1re", "northshlre"])
async def test_a_name_that_is_taken_or_reads_like_one_is_refused(hall: Hall, name: str) -> None:
    await hall.enrol(hall.agency())
    folder = hall.folder
    hall.folder = folder / "second"
    hall.folder.mkdir()
    home = hall.agency(name)
    hall.folder = folder
    await _refused(hall, hall.ask(home), "agency_known" if name == "northshire" else "name_confusable")


@pytest.mark.parametrize("name", ["desk", "c00rdinator", "admission"])
async def test_the_name_of_one_of_the_hubs_own_parties_is_refused(hall: Hall, name: str) -> None:
    folder = hall.folder
    hall.folder = folder / "second"
    hall.folder.mkdir()
    home = hall.agency(name)
    hall.folder = folder
    await _refused(hall, hall.ask(home), "name_confusable" if "0" in name else "agency_known")


@pytest.mark.parametrize("name", ["Northshire", "nоrthshire", "north shire"])
async def test_a_name_in_capitals_or_letters_of_another_alphabet_cannot_even_be_written(hall: Hall, name: str) -> None:
    home = hall.agency()
    envelope = unpack(dearmour(MARK, hall.ask(home)))
    header = envelope.header.replace(b'"northshire"', f'"{name}"'.encode())
    file = armoured(MARK, pack(header, envelope.signatures, envelope.parts))
    with pytest.raises(Rejected) as failure:
        await hall.offer(file)
    assert failure.value.code in ("field_invalid", "outside_profile")


async def test_a_stranger_named_in_a_file_is_not_named_in_the_log(hall: Hall) -> None:
    await _refused(hall, _asked(hall.agency(), at=NOON - 31 * DAY_MS), "enrolment_untimely")
    assert (await hall.steps())[-1][1] is None


async def test_a_pasted_block_survives_what_e_mail_does_to_it(hall: Hall) -> None:
    file = hall.ask(hall.agency()).replace(b"\n", b" \r\n\r\n")
    assert (await hall.offer(file))["agency"] == "northshire"
