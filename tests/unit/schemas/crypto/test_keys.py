"""Keys: only sound ones, each for one purpose, and none that shows itself."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.crypto.failures import KeyMalformed, WrongPurpose
from schemas.crypto.keys import (
    _SMALL_ORDER_U,
    _SMALL_ORDER_Y,
    ED25519_BYTES,
    HYBRID_PRIVATE_BYTES,
    HYBRID_PUBLIC_BYTES,
    Identity,
    SigningKey,
    key_id,
    public_key,
)
from schemas.crypto.purposes import USES, KeyPurpose

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
A = 486662
SIGNS = [purpose for purpose, use in USES.items() if use.signs]
SEALS = [KeyPurpose.SEAL, KeyPurpose.REPLY, KeyPurpose.ADDENDUM]


def edwards_doubled(y: int) -> int:
    """The y of twice a point, by the addition law; its x is squared throughout, so the sign does not matter."""
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return (y * y + xx) * pow(1 - D * xx * y * y, -1, P) % P


def montgomery_doubled(u: int) -> tuple[int, int]:
    """Twice a point of Curve25519 or its twist as a fraction; a denominator of zero is the neutral point."""
    return (u * u - 1) ** 2 % P, 4 * u * (u * u + A * u + 1) % P


def test_the_refused_ed25519_points_are_exactly_those_of_small_order() -> None:
    order_4 = {y for y in _SMALL_ORDER_Y if edwards_doubled(y) == P - 1}
    order_8 = {y for y in _SMALL_ORDER_Y if edwards_doubled(y) in order_4}
    assert order_4 == {0}
    assert len(order_8) == 2
    assert {1, P - 1} | order_4 | order_8 == _SMALL_ORDER_Y


def test_the_refused_x25519_points_are_exactly_those_of_small_order() -> None:
    order_2 = {u for u in _SMALL_ORDER_U if u == 0}
    order_4 = {u for u in _SMALL_ORDER_U - order_2 if montgomery_doubled(u)[0] == 0}
    order_8 = {
        u
        for u in _SMALL_ORDER_U - order_2 - order_4
        for above, below in [montgomery_doubled(u)]
        if above * pow(below, -1, P) % P in order_4
    }
    assert order_4 == {1, P - 1}
    assert order_2 | order_4 | order_8 == _SMALL_ORDER_U
    assert len(order_8) == 2


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", [*sorted(_SMALL_ORDER_Y), P, P + 1, P + 3, 2**255 - 1])
def test_a_weak_or_second_encoding_is_no_signing_key(y: int, sign: int) -> None:
    with pytest.raises(KeyMalformed):
        public_key(KeyPurpose.DEED, (y | sign).to_bytes(32, "little"))


def test_only_points_of_the_curve_are_signing_keys() -> None:
    refused = 0
    for y in range(2, 40):
        try:
            public_key(KeyPurpose.DEED, y.to_bytes(32, "little"))
        except KeyMalformed:
            refused += 1
    assert 8 < refused < 30  # half of all numbers are no point's y
    for _ in range(20):
        raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert public_key(KeyPurpose.DEED, raw).raw == raw


@pytest.mark.parametrize("u", [*sorted(_SMALL_ORDER_U), P, P + 9, 2**255 - 1, 2**255 + 9])
def test_a_weak_or_second_encoding_is_no_sealing_key(u: int) -> None:
    sound = Identity.generate(KeyPurpose.SEAL).public.raw
    with pytest.raises(KeyMalformed):
        public_key(KeyPurpose.SEAL, sound[:-32] + u.to_bytes(32, "little"))


@pytest.mark.parametrize("coefficient", [3329, 3330, 4095])
@pytest.mark.parametrize("position", [0, 383, 767])
def test_a_sealing_key_with_an_unreduced_coefficient_is_refused(coefficient: int, position: int) -> None:
    sound = Identity.generate(KeyPurpose.SEAL).public.raw
    packed = int.from_bytes(sound[:1152], "little")
    mask = 4095 << (12 * position)
    changed = (packed & ~mask) | (coefficient << (12 * position))
    with pytest.raises(KeyMalformed):
        public_key(KeyPurpose.SEAL, changed.to_bytes(1152, "little") + sound[1152:])


@pytest.mark.parametrize("purpose", SIGNS)
@pytest.mark.parametrize("length", [0, 31, 33, HYBRID_PUBLIC_BYTES])
def test_a_signing_key_of_another_length_is_refused(purpose: KeyPurpose, length: int) -> None:
    with pytest.raises(KeyMalformed):
        public_key(purpose, bytes(length))


@pytest.mark.parametrize("purpose", SEALS)
@pytest.mark.parametrize("length", [0, 32, HYBRID_PUBLIC_BYTES - 1, HYBRID_PUBLIC_BYTES + 1])
def test_a_sealing_key_of_another_length_is_refused(purpose: KeyPurpose, length: int) -> None:
    with pytest.raises(KeyMalformed):
        public_key(purpose, bytes(length))


def test_a_storage_key_has_no_public_half() -> None:
    with pytest.raises(KeyMalformed):
        public_key(KeyPurpose.STORAGE, bytes(32))


@pytest.mark.parametrize("purpose", SIGNS)
def test_a_signing_key_is_the_key_of_its_seed(purpose: KeyPurpose) -> None:
    key = SigningKey.generate(purpose)
    assert SigningKey.from_seed(purpose, key.seed()).public == key.public
    assert key.purpose is purpose


@pytest.mark.parametrize("purpose", SEALS)
def test_an_identity_is_the_key_of_its_seed(purpose: KeyPurpose) -> None:
    key = Identity.generate(purpose)
    assert len(key.seed()) == HYBRID_PRIVATE_BYTES
    assert Identity.from_seed(purpose, key.seed()).public == key.public


def test_a_key_is_made_only_for_a_purpose_that_uses_it() -> None:
    with pytest.raises(WrongPurpose):
        SigningKey.from_seed(KeyPurpose.SEAL, bytes(ED25519_BYTES))
    with pytest.raises(WrongPurpose):
        Identity.from_seed(KeyPurpose.DEED, bytes(HYBRID_PRIVATE_BYTES))
    with pytest.raises(KeyMalformed):
        SigningKey.from_seed(KeyPurpose.DEED, bytes(ED25519_BYTES + 1))
    with pytest.raises(KeyMalformed):
        Identity.from_seed(KeyPurpose.SEAL, bytes(HYBRID_PRIVATE_BYTES - 1))


def test_one_key_has_another_id_for_each_purpose() -> None:
    raw = SigningKey.generate(KeyPurpose.DEED).public.raw
    assert len({key_id(purpose, raw) for purpose in KeyPurpose}) == len(KeyPurpose)


def test_no_private_byte_shows_in_a_representation() -> None:
    signer, opener = SigningKey.generate(KeyPurpose.DEED), Identity.generate(KeyPurpose.SEAL)
    for key in (signer, opener):
        for shown in (repr(key), str(key), f"{key}"):
            assert key.seed().hex() not in shown
            assert repr(key.seed())[2:-1] not in shown
