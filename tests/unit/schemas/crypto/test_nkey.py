"""nkeys: each key has one text, and nothing else is read."""

from __future__ import annotations

from base64 import b32decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crypto import nkey
from schemas.crypto.failures import KeyMalformed
from schemas.crypto.keys import SigningKey, public_key
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
KEY = SigningKey.from_seed(KeyPurpose.BUS_ACCOUNT, bytes(range(32))).public


@pytest.mark.parametrize("kind", list(nkey.Kind))
def test_an_nkey_begins_with_its_kind_and_is_read_back(kind: nkey.Kind) -> None:
    text = nkey.encode(kind, KEY.raw)
    assert len(text) == nkey.LENGTH
    assert text.startswith(kind)
    assert nkey.decode(kind, text) == KEY.raw


def test_an_nkey_is_the_one_that_nats_has_for_the_key() -> None:
    # The pair that NATS's own documentation of nkeys shows; a seed has two prefix bytes.
    seed = b32decode("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY" + "======")[2:-2]
    public = SigningKey.from_seed(KeyPurpose.BUS_USER, seed).public
    assert nkey.of(public) == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
    assert nkey.read(KeyPurpose.BUS_USER, nkey.of(public)) == public


@pytest.mark.parametrize("kind", list(nkey.Kind))
def test_an_nkey_of_another_kind_is_refused(kind: nkey.Kind) -> None:
    for other in nkey.Kind:
        if other is not kind:
            with pytest.raises(KeyMalformed, match="another kind"):
                nkey.decode(kind, nkey.encode(other, KEY.raw))


@pytest.mark.parametrize(
    "text",
    [
        "",
        nkey.of(KEY)[:-1],
        nkey.of(KEY) + "=",
        nkey.of(KEY) + "\n",
        nkey.of(KEY).lower(),
        nkey.of(KEY).replace("A", "\u0410", 1),
        nkey.of(KEY)[:-1] + "1",
        " " + nkey.of(KEY)[1:],
    ],
)
def test_a_text_that_is_not_base32_of_that_length_is_refused(text: str) -> None:
    with pytest.raises(KeyMalformed, match="letters and digits"):
        nkey.decode(nkey.Kind.ACCOUNT, text)


@given(st.integers(0, nkey.LENGTH - 1), st.sampled_from(ALPHABET))
def test_an_nkey_with_a_changed_letter_is_refused(position: int, letter: str) -> None:
    text = nkey.of(KEY)
    if text[position] != letter:
        with pytest.raises(KeyMalformed):
            nkey.decode(nkey.Kind.ACCOUNT, text[:position] + letter + text[position + 1 :])


@pytest.mark.parametrize("raw", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"\x02" + bytes(31)])
def test_a_sound_text_of_an_unsound_key_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyMalformed):
        nkey.read(KeyPurpose.BUS_ACCOUNT, nkey.encode(nkey.Kind.ACCOUNT, raw))


def test_only_bus_keys_have_an_nkey() -> None:
    assert {one for one in KeyPurpose if one.startswith("bus-")} == nkey.KIND_OF.keys()
    with pytest.raises(KeyError):
        nkey.of(SigningKey.generate(KeyPurpose.MESSAGE).public)


@pytest.mark.parametrize("purpose", [one for one in KeyPurpose if USES[one].algorithm is Algorithm.ECDSA_P256])
def test_a_tls_key_is_none_that_a_party_states(purpose: KeyPurpose) -> None:
    with pytest.raises(KeyMalformed):
        public_key(purpose, KEY.raw)
