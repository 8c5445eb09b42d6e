"""Frames: one byte string for the pieces, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crypto.failures import SignatureInvalid, SignatureMissing, WrongPurpose
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_HEADER_BYTES,
    MAX_PARTS,
    MAX_SIGNATURES,
    Envelope,
    FrameMalformed,
    PartMismatch,
    Signature,
    check_parts,
    digest,
    pack,
    signed,
    unpack,
    verify_header,
)
from schemas.vectors.parties import AGENCY, DESK, signing_key

signatures = st.builds(
    Signature, st.binary(min_size=16, max_size=16).map(bytes.hex), st.binary(min_size=64, max_size=64)
)
envelopes = st.builds(
    Envelope,
    st.binary(max_size=60),
    st.lists(signatures, max_size=MAX_SIGNATURES).map(tuple),
    st.lists(st.binary(max_size=40), max_size=MAX_PARTS).map(tuple),
)
REQUEST = KeyPurpose.REQUEST


def packed(envelope: Envelope) -> bytes:
    return pack(envelope.header, envelope.signatures, envelope.parts)


@given(envelopes)
def test_a_frame_gives_back_the_pieces_it_was_made_of(envelope: Envelope) -> None:
    assert unpack(packed(envelope)) == envelope


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda raw: b"ntk1" + raw))
def test_bytes_are_the_one_frame_of_their_pieces_or_refused(raw: bytes) -> None:
    try:
        envelope = unpack(raw)
    except FrameMalformed:
        return
    assert packed(envelope) == raw


def test_every_truncation_and_every_extension_of_a_frame_is_refused() -> None:
    key = signing_key(DESK, REQUEST)
    raw = signed(b'{"a":1}', [key, key], [b"", b"part", b"x" * 50])
    for length in range(len(raw)):
        with pytest.raises(FrameMalformed):
            unpack(raw[:length])
    for extra in range(256):
        with pytest.raises(FrameMalformed):
            unpack(raw + bytes([extra]))


@pytest.mark.parametrize(
    "pieces",
    [
        (b"x" * (MAX_HEADER_BYTES + 1), [], []),
        (b"", [Signature("00" * 16, bytes(64))] * (MAX_SIGNATURES + 1), []),
        (b"", [], [b""] * (MAX_PARTS + 1)),
        (b"", [], [bytes(MAX_ENVELOPE_BYTES)]),
        (b"", [Signature("00", bytes(64))], []),
        (b"", [Signature("00" * 16, bytes(63))], []),
    ],
)
def test_pieces_over_a_limit_are_not_packed(pieces: tuple[bytes, list[Signature], list[bytes]]) -> None:
    with pytest.raises(FrameMalformed):
        pack(*pieces)


def test_the_largest_frame_is_packed_and_one_byte_more_is_not_read() -> None:
    overhead = len(pack(b"", [], [b""]))
    raw = pack(b"", [], [bytes(MAX_ENVELOPE_BYTES - overhead)])
    assert len(raw) == MAX_ENVELOPE_BYTES
    assert packed(unpack(raw)) == raw
    with pytest.raises(FrameMalformed):
        unpack(raw + b"x")


def test_the_digest_of_an_envelope_is_that_of_its_header() -> None:
    assert unpack(pack(b"{}", [], [b"part"])).digest == digest(b"{}")


def test_a_header_is_verified_by_the_key_that_signed_it() -> None:
    key = signing_key(DESK, REQUEST)
    verified = verify_header(unpack(signed(b"{}", [key])), key.public, REQUEST)
    assert verified.value == verified.raw == b"{}"
    assert verified.by == key.public


def test_a_signature_does_not_hold_for_another_header() -> None:
    key = signing_key(DESK, REQUEST)
    moved = pack(b'{"a":1}', unpack(signed(b"{}", [key])).signatures)
    with pytest.raises(SignatureInvalid):
        verify_header(unpack(moved), key.public, REQUEST)


def test_a_signature_that_is_missing_or_claimed_twice_is_refused() -> None:
    key, other = signing_key(DESK, REQUEST), signing_key(AGENCY, KeyPurpose.MESSAGE)
    for raw in (pack(b"{}"), signed(b"{}", [other]), signed(b"{}", [key, key])):
        with pytest.raises(SignatureMissing):
            verify_header(unpack(raw), key.public, REQUEST)


def test_a_signature_under_another_key_id_is_refused() -> None:
    key, other = signing_key(DESK, REQUEST), signing_key(AGENCY, KeyPurpose.MESSAGE)
    claimed = Signature(key.id, unpack(signed(b"{}", [other])).signatures[0].raw)
    with pytest.raises(SignatureInvalid):
        verify_header(unpack(pack(b"{}", [claimed])), key.public, REQUEST)


def test_a_key_of_another_purpose_verifies_no_header() -> None:
    key = signing_key(DESK, KeyPurpose.MESSAGE)
    with pytest.raises(WrongPurpose):
        verify_header(unpack(signed(b"{}", [key])), key.public, REQUEST)


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_parts_are_exactly_those_the_header_names(parts: list[bytes], others: list[bytes]) -> None:
    envelope, digests = Envelope(b"", (), tuple(parts)), [digest(part) for part in others]
    if parts == others:
        check_parts(envelope, digests)
    else:
        with pytest.raises(PartMismatch):
            check_parts(envelope, digests)
