"""Seals: opened by one key, for one kind, under one header; and the suite is what SPEC 3.4 says it is."""

from __future__ import annotations

import hashlib
import hmac
from itertools import permutations

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.crypto.failures import PaddingInvalid, SealBroken, WrongPurpose
from schemas.crypto.keys import Identity, hybrid_public
from schemas.crypto.padding import BUCKETS, ContentTooLarge
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import (
    _SUITE,
    ADDENDUM_KEY_BYTES,
    ENCAPSULATION_BYTES,
    OVERHEAD_BYTES,
    Sealing,
    open_sealed,
    seal,
)

PURPOSES = {
    Sealing.REQUEST: KeyPurpose.SEAL,
    Sealing.ANSWER: KeyPurpose.REPLY,
    Sealing.ADDENDUM_KEY: KeyPurpose.ADDENDUM,
    Sealing.CHALLENGE: KeyPurpose.SEAL,
}
BARE = {Sealing.ADDENDUM_KEY, Sealing.CHALLENGE}
SEED = bytes(range(96))
OPENERS = {kind: Identity.from_seed(purpose, SEED) for kind, purpose in PURPOSES.items()}
CONTENT = bytes(ADDENDUM_KEY_BYTES)
HEADER = b'{"a":1}'
OPENER = OPENERS[Sealing.REQUEST]


def open_by_rfc_9180(kind: str, header: bytes, sealed: bytes, seed: bytes) -> bytes:
    """SPEC 3.4 written out: X-Wing's decapsulation, RFC 9180's key schedule in base mode, AES-256-GCM."""
    mlkem = MLKEM768PrivateKey.from_seed_bytes(seed[:64])
    x25519 = X25519PrivateKey.from_private_bytes(seed[64:])
    mlkem_text, share, text = sealed[:1088], sealed[1088:1120], sealed[1120:]
    shared = mlkem.decapsulate(mlkem_text) + x25519.exchange(X25519PublicKey.from_public_bytes(share))
    public = x25519.public_key().public_bytes_raw()
    secret = hashlib.sha3_256(shared + share + public + b"\\.//^\\").digest()
    suite = b"HPKE" + b"\x64\x7a" + b"\x00\x01" + b"\x00\x02"

    def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")

    def expand(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return hmac.digest(key, labelled + b"\x01", "sha256")[:length]

    info = b"needtoknow/v1/seal/" + kind.encode() + b"\x00" + header
    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    base = extract(secret, b"secret", b"")
    key, nonce = expand(base, b"key", context, 32), expand(base, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, text, b"")


@given(st.sampled_from(Sealing), st.binary(max_size=200))
@settings(max_examples=30)
def test_the_suite_is_what_the_specification_writes_out(kind: Sealing, header: bytes) -> None:
    sealed = seal(kind, header, CONTENT, OPENERS[kind].public)
    plain = open_by_rfc_9180(kind.value, header, sealed, SEED)
    expected = CONTENT if kind in BARE else (b"\x00\x00\x00\x20" + CONTENT).ljust(4096, b"\x00")
    assert plain == expected


@given(st.binary(max_size=9000), st.binary(max_size=100))
@settings(max_examples=40)
def test_sealed_content_is_opened_by_its_key_under_its_header(content: bytes, header: bytes) -> None:
    sealed = seal(Sealing.REQUEST, header, content, OPENER.public)
    assert len(sealed) - OVERHEAD_BYTES in BUCKETS
    assert open_sealed(Sealing.REQUEST, header, sealed, OPENER) == content


def test_two_seals_of_one_content_differ() -> None:
    assert seal(Sealing.REQUEST, HEADER, b"", OPENER.public) != seal(Sealing.REQUEST, HEADER, b"", OPENER.public)


@pytest.mark.parametrize(("made", "opened"), list(permutations(Sealing, 2)))
def test_one_kind_of_seal_does_not_open_as_another(made: Sealing, opened: Sealing) -> None:
    """Even where both kinds were sealed to one private key: `info` parts them, or the length does."""
    sealed = seal(made, HEADER, CONTENT, OPENERS[made].public)
    with pytest.raises(SealBroken):
        open_sealed(opened, HEADER, sealed, OPENERS[opened])


def test_a_key_of_another_purpose_neither_seals_nor_opens() -> None:
    reply = OPENERS[Sealing.ANSWER]
    with pytest.raises(WrongPurpose):
        seal(Sealing.REQUEST, HEADER, b"", reply.public)
    with pytest.raises(WrongPurpose):
        open_sealed(Sealing.REQUEST, HEADER, seal(Sealing.REQUEST, HEADER, b"", OPENER.public), reply)


@given(st.data())
@settings(max_examples=40)
def test_a_changed_byte_a_missing_byte_or_another_header_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(seal(Sealing.REQUEST, HEADER, b"content", OPENER.public))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        open_sealed(Sealing.REQUEST, HEADER, bytes(sealed), OPENER)


@pytest.mark.parametrize("header", [b"", b'{"a":2}', HEADER + b" "])
def test_another_header_does_not_open_a_seal(header: bytes) -> None:
    with pytest.raises(SealBroken):
        open_sealed(Sealing.REQUEST, header, seal(Sealing.REQUEST, HEADER, b"", OPENER.public), OPENER)


def test_another_identity_does_not_open_a_seal() -> None:
    with pytest.raises(SealBroken):
        open_sealed(
            Sealing.REQUEST,
            HEADER,
            seal(Sealing.REQUEST, HEADER, b"", OPENER.public),
            Identity.generate(KeyPurpose.SEAL),
        )


@pytest.mark.parametrize("length", [0, 16, ENCAPSULATION_BYTES, OVERHEAD_BYTES, OVERHEAD_BYTES + 4095])
def test_a_length_that_sealing_never_makes_is_refused_before_a_key_is_used(length: int) -> None:
    with pytest.raises(SealBroken, match="length"):
        open_sealed(Sealing.REQUEST, HEADER, bytes(length), OPENER)


def test_a_share_of_small_order_is_refused() -> None:
    sealed = seal(Sealing.REQUEST, HEADER, b"", OPENER.public)
    for u in (0, 1):
        weak = sealed[: ENCAPSULATION_BYTES - 32] + u.to_bytes(32, "little") + sealed[ENCAPSULATION_BYTES:]
        with pytest.raises(SealBroken):
            open_sealed(Sealing.REQUEST, HEADER, weak, OPENER)


def test_info_is_never_empty_and_a_seal_without_it_does_not_open() -> None:
    for info in (b"", HEADER):
        foreign = _SUITE.encrypt(bytes(4096), hybrid_public(OPENER.public), info=info)
        for header in (b"", HEADER):
            with pytest.raises(SealBroken):
                open_sealed(Sealing.REQUEST, header, foreign, OPENER)


def test_content_that_was_not_padded_as_prescribed_is_refused() -> None:
    info = b"needtoknow/v1/seal/request\x00" + HEADER
    odd = _SUITE.encrypt(b"\x00\x00\x00\x01" + bytes([1]) * 4092, hybrid_public(OPENER.public), info=info)
    with pytest.raises(PaddingInvalid):
        open_sealed(Sealing.REQUEST, HEADER, odd, OPENER)


@pytest.mark.parametrize("kind", sorted(BARE))
def test_what_is_not_padded_has_its_one_length(kind: Sealing) -> None:
    opener = OPENERS[kind]
    for length in (0, 31, 33):
        sealed = seal(kind, HEADER, bytes(length), opener.public)
        with pytest.raises(SealBroken):
            open_sealed(kind, HEADER, sealed, opener)


def test_more_than_a_part_holds_is_not_sealed() -> None:
    with pytest.raises(ContentTooLarge):
        seal(Sealing.REQUEST, HEADER, bytes(BUCKETS[-1]), OPENER.public)
