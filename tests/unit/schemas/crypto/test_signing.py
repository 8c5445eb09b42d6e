"""Signatures: for these bytes, this purpose, this key, and nothing near it."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crypto.failures import SignatureInvalid, WrongPurpose
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.crypto.signing import Verified, sign, verify

SEED = bytes(range(32))
SIGNS = [purpose for purpose, use in USES.items() if use.signs]
KEY = SigningKey.from_seed(KeyPurpose.DEED, SEED)


@given(st.binary(max_size=100))
def test_a_signature_holds_for_the_bytes_it_was_made_of(raw: bytes) -> None:
    verified = verify(KEY.public, KeyPurpose.DEED, raw, sign(KEY, KeyPurpose.DEED, raw), "value")
    assert (verified.value, verified.raw, verified.by) == ("value", raw, KEY.public)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_changed_bit_in_bytes_or_signature_is_noticed(raw: bytes, data: st.DataObject) -> None:
    signature = sign(KEY, KeyPurpose.DEED, raw)
    both = bytearray(raw + signature)
    bit = data.draw(st.integers(0, 8 * len(both) - 1))
    both[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureInvalid):
        verify(KEY.public, KeyPurpose.DEED, bytes(both[: len(raw)]), bytes(both[len(raw) :]), None)


@pytest.mark.parametrize(("made", "checked"), list(permutations(SIGNS, 2)))
def test_a_signature_for_one_purpose_holds_for_no_other(made: KeyPurpose, checked: KeyPurpose) -> None:
    """Even where two purposes were given one private key, the context parts them."""
    signature = sign(SigningKey.from_seed(made, SEED), made, b"bytes")
    with pytest.raises(SignatureInvalid):
        verify(SigningKey.from_seed(checked, SEED).public, checked, b"bytes", signature, None)


def test_a_key_signs_and_verifies_for_its_own_purpose_only() -> None:
    for wrong in (KeyPurpose.GRANT, KeyPurpose.SEAL):
        with pytest.raises(WrongPurpose):
            sign(KEY, wrong, b"")
        with pytest.raises(WrongPurpose):
            verify(KEY.public, wrong, b"", bytes(64), None)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_does_not_hold(length: int) -> None:
    with pytest.raises(SignatureInvalid):
        verify(KEY.public, KeyPurpose.DEED, b"", bytes(length), None)


def test_nobody_but_verify_makes_a_verified_value() -> None:
    with pytest.raises(TypeError):
        Verified("value", b"", KEY.public, object())
