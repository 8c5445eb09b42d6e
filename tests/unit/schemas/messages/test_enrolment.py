"""Asking to be admitted: public keys only, each shown to be held, and nothing that anybody else could have made."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import digest, signed, unpack
from schemas.failures import Rejected
from schemas.messages.armour import ArmourMalformed, armoured, dearmour
from schemas.messages.enrolment import (
    EPOCH_MARGIN_MS,
    MARK,
    MAX_EPOCH_MS,
    MAX_REQUEST_BYTES,
    REQUEST_LIFE_MS,
    SKEW_MS,
    EnrolmentRequest,
    EnrolmentUntimely,
    EpochTooLong,
    KeysIncomplete,
    ProofInvalid,
    ProofMissing,
    check_keys,
    read_enrolment,
    state_enrolment,
)
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, read_party, state_party
from schemas.vectors.ceremony import CERTIFICATE_REQUEST, enrolment_file, signing_keys
from schemas.vectors.parties import AGENCY, DAY_MS, HUB, MINUTE_MS, T0, drawn, identity, party, signing_key, statement

ROOT = signing_key(AGENCY, KeyPurpose.ROOT)
FILE = enrolment_file()
KEYS = statement(AGENCY).keys


def stated(keys: list[KeyStatement]) -> Party:
    return read_party(state_party(statement(AGENCY, keys=keys), ROOT))


def asked(newcomer: Party, keys: list[SigningKey] | None = None) -> EnrolmentRequest:
    file = state_enrolment(
        newcomer, ROOT, signing_keys() if keys is None else keys, CERTIFICATE_REQUEST, requested_at=T0
    )
    return read_enrolment(file, hub=HUB, now=T0)


def test_a_request_says_who_asks_and_with_which_keys() -> None:
    request = read_enrolment(FILE, hub=HUB, now=T0)
    assert request.party == party(AGENCY)
    assert request.certificate_request == CERTIFICATE_REQUEST
    assert request.digest == digest(dearmour(MARK, FILE))
    assert request.file == FILE


def test_a_request_holds_no_private_key() -> None:
    frame = dearmour(MARK, FILE)
    secrets = [signing_key(AGENCY, one.purpose).seed() for one in KEYS if USES[one.purpose].signs]
    secrets += [ROOT.seed(), identity(AGENCY, KeyPurpose.SEAL).seed(), identity(AGENCY, KeyPurpose.ADDENDUM).seed()]
    for secret in secrets:
        assert secret not in frame
        assert secret.hex().encode() not in frame
        assert encode_base64(secret).encode() not in frame


def test_two_requests_of_one_agency_differ() -> None:
    assert asked(party(AGENCY)).digest != asked(party(AGENCY)).digest


@given(st.data())
@settings(max_examples=80)
def test_a_request_with_a_changed_byte_is_refused(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(FILE) - 1))
    letter = data.draw(st.sampled_from(b"ABCxyz019+/=-"))
    if FILE[position] in b"\n" or FILE[position] == letter:
        return
    with pytest.raises(Rejected):
        read_enrolment(FILE[:position] + bytes([letter]) + FILE[position + 1 :], hub=HUB, now=T0)


@given(st.integers(0, len(FILE) - 2))
@settings(max_examples=40)
def test_a_request_that_ends_too_early_is_refused(length: int) -> None:
    with pytest.raises(Rejected):
        read_enrolment(FILE[:length], hub=HUB, now=T0)


def test_a_file_beyond_any_request_is_not_even_decoded() -> None:
    with pytest.raises(ArmourMalformed, match="more than"):
        read_enrolment(FILE + b"\n" * MAX_REQUEST_BYTES, hub=HUB, now=T0)


@pytest.mark.parametrize("place", range(len(signing_keys())))
def test_every_signing_key_is_to_be_proven(place: int) -> None:
    keys = signing_keys()
    with pytest.raises(ProofMissing):
        asked(party(AGENCY), keys[:place] + keys[place + 1 :])


@pytest.mark.parametrize("place", range(len(signing_keys())))
def test_a_key_of_somebody_else_cannot_be_proven(place: int) -> None:
    keys = signing_keys()
    theirs = SigningKey.generate(keys[place].purpose)
    number = [one.purpose for one in KEYS].index(keys[place].purpose)
    copied = [*KEYS[:number], KEYS[number].model_copy(update={"public": encode_base64(theirs.public.raw)})]
    newcomer = stated([*copied, *KEYS[number + 1 :]])
    with pytest.raises(ProofMissing):
        asked(newcomer, keys[:place] + keys[place + 1 :])
    mine = SigningKey.generate(theirs.purpose)
    stolen = asked(newcomer, [*keys[:place], theirs, *keys[place + 1 :]]).header.proofs[place]
    forged = stolen.model_copy(update={"sig": sign(mine, mine.purpose, b"possession").hex()})
    request = asked(newcomer, [*keys[:place], theirs, *keys[place + 1 :]])
    proofs = [*request.header.proofs[:place], forged, *request.header.proofs[place + 1 :]]
    with pytest.raises(ProofInvalid):
        read_enrolment(again(request, request.header.model_copy(update={"proofs": proofs}).encode()), hub=HUB, now=T0)


def test_a_proof_is_for_one_statement_and_one_request() -> None:
    sound = read_enrolment(FILE, hub=HUB, now=T0)
    for other in (asked(party(AGENCY)), asked(stated(KEYS[:2] + KEYS[2:][::-1]))):
        header = other.header.model_copy(update={"proofs": sound.header.proofs})
        with pytest.raises(ProofInvalid):
            read_enrolment(again(other, header.encode()), hub=HUB, now=T0)


def again(request: EnrolmentRequest, header: bytes) -> bytes:
    return armoured(MARK, signed(header, [ROOT], unpack(request.frame).parts))


def test_keys_that_are_over_or_revoked_need_no_proof() -> None:
    old = SigningKey.from_seed(KeyPurpose.DEED, drawn("an old deed key", 32))
    dead = KeyStatement(
        purpose=KeyPurpose.DEED,
        public=encode_base64(old.public.raw),
        not_before=T0 - 9 * DAY_MS,
        not_after=T0 - DAY_MS,
    )
    assert asked(stated([*KEYS, dead]))
    lost = dead.model_copy(update={"not_after": T0 + DAY_MS, "revoked_at": T0 - DAY_MS})
    assert asked(stated([*KEYS, lost]))
    with pytest.raises(ProofMissing):
        asked(stated([*KEYS, lost.model_copy(update={"revoked_at": None})]))


def test_a_request_is_good_for_a_month() -> None:
    at = T0 + MINUTE_MS
    assert read_enrolment(FILE, hub=HUB, now=at - SKEW_MS)
    for now in (at - SKEW_MS - 1, at + REQUEST_LIFE_MS + 1):
        with pytest.raises(EnrolmentUntimely):
            read_enrolment(FILE, hub=HUB, now=now)


@pytest.mark.parametrize("purpose", sorted({one.purpose for one in KEYS} - {KeyPurpose.BUS_ACCOUNT}))
def test_an_agency_without_a_key_it_needs_is_refused(purpose: KeyPurpose) -> None:
    with pytest.raises(KeysIncomplete, match=purpose.value):
        check_keys(stated([one for one in KEYS if one.purpose is not purpose]), T0)


def test_a_key_that_is_not_in_force_is_none() -> None:
    with pytest.raises(KeysIncomplete):
        check_keys(party(AGENCY), T0 + 6 * DAY_MS)


def test_a_sealing_key_lives_for_an_epoch() -> None:
    def living(length: int) -> list[KeyStatement]:
        longer = {"not_after": T0 - DAY_MS + length}
        return [one.model_copy(update=longer) if one.purpose is KeyPurpose.SEAL else one for one in KEYS]

    check_keys(stated(living(MAX_EPOCH_MS + EPOCH_MARGIN_MS)), T0)
    with pytest.raises(EpochTooLong):
        check_keys(stated(living(MAX_EPOCH_MS + EPOCH_MARGIN_MS + 1)), T0)
