"""The hub's answer, and the ten words over both files: whoever stands between cannot make them agree."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mnemonic import Mnemonic

from schemas.crypto.failures import SealBroken
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, unpack
from schemas.failures import Rejected
from schemas.messages.admission import (
    MARK,
    AdmissionHeader,
    AdmissionReply,
    ReplyForeign,
    ReplyUntimely,
    open_challenge,
    read_reply,
    seal_challenge,
    state_reply,
)
from schemas.messages.armour import dearmour
from schemas.messages.enrolment import EnrolmentRequest, read_enrolment, state_enrolment
from schemas.messages.fields import encode_base64
from schemas.messages.party import Party, PartyFileInvalid, read_party, state_party
from schemas.messages.words import WordsDiffer, ceremony_words, check_words, words_of
from schemas.vectors.ceremony import (
    ADDRESSES,
    ANSWERED_AT,
    CERTIFICATE_REQUEST,
    enrolment_request,
    reply_file,
    signing_keys,
    welcome,
)
from schemas.vectors.parties import (
    ADMISSION,
    AGENCY,
    COORDINATOR,
    DAY_MS,
    DESK,
    HUB,
    OFFICER,
    T0,
    identity,
    party,
    signing_key,
    statement,
)

REQUEST = enrolment_request()
FILE = reply_file()
HUB_PARTIES = [party(name) for name in (COORDINATOR, DESK, ADMISSION)]


def read_it(file: bytes = FILE, now: int = ANSWERED_AT, request: EnrolmentRequest = REQUEST) -> AdmissionReply:
    return read_reply(file, request=request, now=now)


def replied(
    hub: list[Party] = HUB_PARTIES, request: EnrolmentRequest = REQUEST, key: SigningKey | None = None
) -> bytes:
    key = key or signing_key(ADMISSION, KeyPurpose.ADMISSION)
    until = ANSWERED_AT + DAY_MS
    return state_reply(request, hub, welcome(), ADDRESSES, key, issued_at=ANSWERED_AT, expires_at=until)


def asked_again() -> EnrolmentRequest:
    root = signing_key(AGENCY, KeyPurpose.ROOT)
    file = state_enrolment(party(AGENCY), root, signing_keys(), CERTIFICATE_REQUEST, requested_at=T0)
    return read_enrolment(file, hub=HUB, now=T0)


def test_a_reply_brings_the_hubs_keys_and_all_that_an_agency_needs() -> None:
    reply = read_it()
    assert [reply.coordinator, reply.desk, reply.admission] == HUB_PARTIES
    assert reply.welcome == welcome()
    assert reply.welcome.officers == (party(OFFICER),)
    assert tuple(reply.header.addresses) == ADDRESSES
    assert reply.digest == digest(unpack(dearmour(MARK, FILE)).header)


@given(st.data())
@settings(max_examples=80)
def test_a_reply_with_a_changed_byte_is_refused(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(FILE) - 1))
    letter = data.draw(st.sampled_from(b"ABCxyz019+/=-"))
    if FILE[position] in b"\n" or FILE[position] == letter:
        return
    with pytest.raises(Rejected):
        read_it(FILE[:position] + bytes([letter]) + FILE[position + 1 :])


@given(st.integers(0, len(FILE) - 2))
@settings(max_examples=40)
def test_a_reply_that_ends_too_early_is_refused(length: int) -> None:
    with pytest.raises(Rejected):
        read_it(FILE[:length])


def test_a_reply_to_another_request_is_refused_the_same_agencys_included() -> None:
    with pytest.raises(ReplyForeign):
        read_it(replied(request=asked_again()))


def test_a_reply_is_good_for_its_time() -> None:
    assert read_it(now=ANSWERED_AT + 2 * DAY_MS - 1)
    with pytest.raises(ReplyUntimely):
        read_it(now=ANSWERED_AT + 2 * DAY_MS)


def test_the_agencys_own_keys_are_nobodys_at_the_hub() -> None:
    root, mine = signing_key(DESK, KeyPurpose.ROOT), statement(AGENCY).keys[0]
    thief = read_party(state_party(statement(DESK, keys=[mine]), root))
    with pytest.raises(PartyFileInvalid, match="twice"):
        read_it(replied([party(COORDINATOR), thief, party(ADMISSION)]))


@pytest.mark.parametrize(
    "address",
    [
        "nats://hub:4222",
        "ws://hub",
        "hub:4222",
        "tls://user:word@hub",
        "tls://hub:0",
        "tls://HUB",
        "tls://hub?x=1",
        "tls://",
    ],
)
def test_an_address_without_tls_or_with_anything_beside_it_is_none(address: str) -> None:
    header = AdmissionHeader.model_validate_json(unpack(dearmour(MARK, FILE)).header)
    with pytest.raises(ValueError, match="addresses"):
        AdmissionHeader.model_validate({**header.model_dump(), "addresses": [address]})


@pytest.mark.parametrize("address", ["tls://hub", "tls://10.0.0.1:4222", "wss://[::1]:443", "wss://hub.example/bus/1"])
def test_an_address_names_a_server_and_where_it_listens(address: str) -> None:
    header = AdmissionHeader.model_validate_json(unpack(dearmour(MARK, FILE)).header)
    assert AdmissionHeader.model_validate({**header.model_dump(), "addresses": [address]}).addresses == [address]


def test_a_challenge_is_opened_by_the_sealing_key_of_the_request_and_by_no_other() -> None:
    sealed, answer = seal_challenge(REQUEST, T0)
    opener = identity(AGENCY, KeyPurpose.SEAL)
    assert open_challenge(REQUEST, sealed, opener) == answer
    with pytest.raises(SealBroken):
        open_challenge(REQUEST, sealed, Identity.generate(KeyPurpose.SEAL))
    with pytest.raises(SealBroken):
        open_challenge(asked_again(), sealed, opener)


def test_both_sides_have_the_same_ten_words() -> None:
    words = ceremony_words(REQUEST, read_it())
    assert len(words) == 10
    check_words(" ".join(words), words)
    check_words("  " + "\n".join(words).upper() + "\t", words)


def test_any_other_request_reply_or_key_of_the_hub_gives_other_words() -> None:
    words = ceremony_words(REQUEST, read_it())
    assert ceremony_words(REQUEST, read_it(replied())) != words
    again = asked_again()
    assert ceremony_words(again, read_it(replied(request=again), request=again)) != words
    root, key = SigningKey.generate(KeyPurpose.ROOT), signing_key(ADMISSION, KeyPurpose.ADMISSION)
    swapped = read_party(state_party(statement(ADMISSION, root=encode_base64(root.public.raw)), root))
    between = read_it(replied([party(COORDINATOR), party(DESK), swapped], key=key))
    with pytest.raises(WordsDiffer):
        check_words(" ".join(words), ceremony_words(REQUEST, between))


@pytest.mark.parametrize("said", ["", "abandon", "abandon " * 10, "zoo"])
def test_other_words_are_refused(said: str) -> None:
    with pytest.raises(WordsDiffer):
        check_words(said, ceremony_words(REQUEST, read_it()))


def test_the_words_hold_a_hundred_and_ten_bits_of_the_digest() -> None:
    listed = {words_of("00" * 32, f"{n:064x}") for n in range(200)}
    assert len(listed) == 200
    assert len({word for words in listed for word in words}) > 1000


def test_the_list_of_words_is_the_one_the_specification_names() -> None:
    listed = Mnemonic("english").wordlist
    text = "".join(f"{word}\n" for word in listed)
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    )
    assert len({word[:4] for word in listed}) == 2048
    assert set(ceremony_words(REQUEST, read_it())) <= set(listed)
