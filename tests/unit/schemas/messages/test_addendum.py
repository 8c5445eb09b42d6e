"""Addenda: whoever opens one reads what all the others read."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.canonical import without_member
from schemas.crypto.failures import KeyNotCommitted, SealBroken, WrongPurpose
from schemas.crypto.keys import Identity
from schemas.crypto.padding import BUCKETS, pad
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import Sealing, seal
from schemas.envelope import FrameMalformed, PartMismatch, digest, pack, unpack
from schemas.failures import Rejected
from schemas.messages.addendum import (
    AddendumHeader,
    NotAReader,
    _derive,
    key_for_reader,
    make_addendum,
    open_addendum,
)
from schemas.messages.model import FieldInvalid, read

HUB, ABOUT = "example-hub", "0f" * 16
HUB_LEAD, AGENCY_LEAD = (Identity.from_seed(KeyPurpose.ADDENDUM, bytes([n]) * 96) for n in (1, 2))
READERS = [HUB_LEAD.public, AGENCY_LEAD.public]
CONTENT = b'{"told":1}'
FRAME, KEY = make_addendum(HUB, ABOUT, CONTENT, READERS)


def reopened(frame: bytes, key: bytes = KEY) -> bytes:
    return open_addendum(frame, key, hub=HUB, about=ABOUT)


@given(st.binary(max_size=9000))
@settings(max_examples=20)
def test_content_is_read_by_its_key_and_by_every_reader(content: bytes) -> None:
    frame, key = make_addendum(HUB, ABOUT, content, READERS)
    assert reopened(frame, key) == content
    for reader in (HUB_LEAD, AGENCY_LEAD):
        assert key_for_reader(frame, reader) == key
    assert len(unpack(frame).parts[0]) - 16 in BUCKETS


def test_a_substituted_key_does_not_open_even_what_it_sealed() -> None:
    """AES-GCM alone would let one ciphertext open to two texts under two keys; the commitment does not."""
    other = os.urandom(32)
    with pytest.raises(KeyNotCommitted):
        reopened(FRAME, other)
    header = unpack(FRAME).header
    bare = without_member(header, "content_digest")
    sealed = AESGCM(_derive(other, b"content")).encrypt(bytes(12), pad(b"another story"), bare)
    forged = AddendumHeader.model_validate_json(header).model_copy(update={"content_digest": digest(sealed)}).encode()
    with pytest.raises(KeyNotCommitted):
        reopened(pack(forged, (), [sealed, *unpack(FRAME).parts[1:]]), other)


def test_a_reader_who_was_given_another_key_notices() -> None:
    envelope = unpack(FRAME)
    other = seal(Sealing.ADDENDUM_KEY, envelope.header, os.urandom(32), AGENCY_LEAD.public)
    frame = pack(envelope.header, (), [*envelope.parts[:2], other])
    with pytest.raises(KeyNotCommitted):
        reopened(frame, key_for_reader(frame, AGENCY_LEAD))


@pytest.mark.parametrize("names", [{"hub": "other-hub"}, {"about": "00" * 16}])
def test_an_addendum_of_another_hub_or_exchange_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(SealBroken):
        open_addendum(FRAME, KEY, **{"hub": HUB, "about": ABOUT, **names})


@pytest.mark.parametrize("names", [{"hub": "other-hub"}, {"about": "00" * 16}, {"readers": ["00" * 16] * 1}])
def test_an_addendum_moved_to_another_header_does_not_open(names: dict[str, object]) -> None:
    envelope = unpack(FRAME)
    header = AddendumHeader.model_validate_json(envelope.header).model_copy(update=names)
    frame = pack(header.encode(), (), envelope.parts[: 1 + len(header.readers)])
    with pytest.raises(SealBroken):
        open_addendum(frame, KEY, hub=header.hub, about=header.about)


def test_who_is_not_a_reader_is_told_so() -> None:
    with pytest.raises(NotAReader):
        key_for_reader(FRAME, Identity.generate(KeyPurpose.ADDENDUM))
    with pytest.raises(WrongPurpose):
        make_addendum(HUB, ABOUT, CONTENT, [Identity.generate(KeyPurpose.SEAL).public])


def test_one_readers_wrap_does_not_serve_another() -> None:
    envelope = unpack(FRAME)
    frame = pack(envelope.header, (), [envelope.parts[0], envelope.parts[2], envelope.parts[1]])
    with pytest.raises(SealBroken):
        key_for_reader(frame, HUB_LEAD)


def test_changed_content_and_missing_parts_are_refused() -> None:
    envelope = unpack(FRAME)
    changed = bytes([envelope.parts[0][0] ^ 1]) + envelope.parts[0][1:]
    with pytest.raises(PartMismatch):
        reopened(pack(envelope.header, (), [changed, *envelope.parts[1:]]))
    for parts in (envelope.parts[:2], (*envelope.parts, b""), ()):
        with pytest.raises(SealBroken):
            reopened(pack(envelope.header, (), parts))
    with pytest.raises(FrameMalformed):
        reopened(FRAME[:-1])


def test_content_of_a_length_that_sealing_never_makes_is_refused() -> None:
    envelope = unpack(FRAME)
    bare = without_member(envelope.header, "content_digest")
    sealed = AESGCM(_derive(KEY, b"content")).encrypt(bytes(12), bytes(100), bare)
    header = AddendumHeader.model_validate_json(envelope.header).model_copy(update={"content_digest": digest(sealed)})
    with pytest.raises(SealBroken, match="length"):
        reopened(pack(header.encode(), (), [sealed, *envelope.parts[1:]]))


def test_no_reader_is_named_twice() -> None:
    header = AddendumHeader.model_validate_json(unpack(FRAME).header)
    with pytest.raises(FieldInvalid):
        read(AddendumHeader, header.model_copy(update={"readers": [HUB_LEAD.id] * 2}).encode())


@given(st.data())
@settings(max_examples=60)
def test_a_changed_byte_anywhere_is_refused(data: st.DataObject) -> None:
    raw = bytearray(FRAME)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Rejected):  # noqa: PT012
        for reader in (HUB_LEAD, AGENCY_LEAD):
            assert reopened(bytes(raw), key_for_reader(bytes(raw), reader)) == CONTENT
