"""Verifier keys: one text each, and no key under which anybody can sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger.failures import LedgerRejected, VerifierKeyMalformed, VerifierKeyWeak
from schemas.ledger.lines import encode_base64
from schemas.ledger.verifier_key import ED25519, ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE, VerifierKey, key_id_of

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def _points_of_small_order() -> set[tuple[int, int]]:
    """Return the multiples of a point of order 8, by the addition law of RFC 8032 section 5.1.4 in affine form."""

    def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        cross = D * a[0] * b[0] * a[1] * b[1]
        x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + cross, -1, P)
        return x % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, -1, P) % P

    y = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    point, points = (x, y), {(x, y)}
    while (point := add(point, (x, y))) not in points:
        points.add(point)
    return points


def _text(point: bytes, algorithm: int = ED25519) -> str:
    return f"a+{key_id_of('a', algorithm, point).hex()}+{encode_base64(bytes([algorithm]) + point)}"


def test_every_damage_to_the_reference_key_is_refused() -> None:
    assert str(VerifierKey.parse(PETER)) == PETER
    for start in range(len(PETER) + 1):
        for end in range(start, len(PETER) + 1):
            if end - start < len(PETER):
                with pytest.raises(VerifierKeyMalformed):
                    VerifierKey.parse(PETER[start:end])
    for position, character in enumerate(PETER):
        with pytest.raises(VerifierKeyMalformed):
            VerifierKey.parse(PETER[:position] + chr(ord(character) + 1) + PETER[position + 1 :])


def test_none_of_the_eight_points_of_small_order_is_a_key() -> None:
    points = _points_of_small_order()
    assert len(points) == 8
    for x, y in points:
        encoded = (y | (x & 1) << 255).to_bytes(32, "little")
        for algorithm in (ED25519, ED25519_COSIGNATURE):
            with pytest.raises(VerifierKeyWeak):
                VerifierKey.parse(_text(encoded, algorithm))


@pytest.mark.parametrize("y", range(P, 2**255))
@pytest.mark.parametrize("sign", [0, 1])
def test_no_second_encoding_of_a_point_is_a_key(y: int, sign: int) -> None:
    with pytest.raises(VerifierKeyWeak):
        VerifierKey.parse(_text((y | sign << 255).to_bytes(32, "little")))


@pytest.mark.parametrize("name", ["", "a b", "a\u00a0b", "a\u2003b", "a+b", "a\nb", "a\x00b", "\ud800", "é" * 128])
def test_a_name_that_could_not_stand_on_a_signature_line_is_refused(name: str) -> None:
    with pytest.raises(VerifierKeyMalformed):
        VerifierKey.of(name, ED25519, VerifierKey.parse(PETER).public)


@pytest.mark.parametrize(("algorithm", "length"), [(0, 32), (2, 32), (5, 32), (255, 32), (1, 31), (4, 33), (6, 32)])
def test_an_unknown_type_or_a_wrong_length_is_refused(algorithm: int, length: int) -> None:
    with pytest.raises(VerifierKeyMalformed):
        VerifierKey.of("a", algorithm, bytes([9] * length))


@given(
    name=st.text(st.characters(exclude_categories=("Z", "Cs", "Cc"), exclude_characters="+"), min_size=1, max_size=40),
    kind=st.sampled_from([(ED25519, 32), (ED25519_COSIGNATURE, 32), (ML_DSA_44_COSIGNATURE, 1312)]),
    filling=st.binary(min_size=1, max_size=32),
)
def test_a_key_reads_back_as_itself(name: str, kind: tuple[int, int], filling: bytes) -> None:
    public = (b"\x07\x05" + filling * kind[1])[: kind[1] - 1] + b"\x33"
    key = VerifierKey.of(name, kind[0], public)
    assert VerifierKey.parse(str(key)) == key


@given(st.one_of(st.text(), st.text("+0123456789abcdefAB=/", max_size=80)))
def test_any_text_is_a_key_in_its_one_form_or_refused(text: str) -> None:
    try:
        key = VerifierKey.parse(text)
    except LedgerRejected:
        return
    assert str(key) == text
