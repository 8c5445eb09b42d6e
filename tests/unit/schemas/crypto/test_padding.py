"""Padding: one bucket a length, zero bytes, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.crypto.failures import PaddingInvalid
from schemas.crypto.padding import BUCKETS, LENGTH_BYTES, MAX_CONTENT_BYTES, ContentTooLarge, bucket_for, pad, unpad

lengths = st.integers(0, MAX_CONTENT_BYTES) | st.sampled_from(
    [bucket - LENGTH_BYTES + over for bucket in BUCKETS for over in (-1, 0, 1)][:-1]
)


@given(lengths)
def test_a_length_has_exactly_one_bucket_and_it_is_the_smallest(length: int) -> None:
    fitting = [bucket for bucket in BUCKETS if length + LENGTH_BYTES <= bucket]
    assert bucket_for(length) == fitting[0]


@given(st.binary(max_size=9000))
def test_padding_is_taken_away_again(content: bytes) -> None:
    padded = pad(content)
    assert len(padded) == bucket_for(len(content))
    assert unpad(padded) == content


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_full_bucket_and_one_byte_more_are_two_buckets(bucket: int) -> None:
    full = bytes(bucket - LENGTH_BYTES)
    assert unpad(pad(full)) == full
    assert len(pad(full)) == bucket
    if bucket == BUCKETS[-1]:
        with pytest.raises(ContentTooLarge):
            pad(full + b"x")
    else:
        assert len(pad(full + b"x")) == BUCKETS[BUCKETS.index(bucket) + 1]


@given(st.binary(max_size=4000), st.data())
def test_a_byte_of_padding_that_is_not_zero_is_refused(content: bytes, data: st.DataObject) -> None:
    padded = bytearray(pad(content))
    padded[data.draw(st.integers(LENGTH_BYTES + len(content), len(padded) - 1))] = data.draw(st.integers(1, 255))
    with pytest.raises(PaddingInvalid):
        unpad(bytes(padded))


@given(st.binary(max_size=300))
def test_the_same_content_in_a_larger_bucket_is_refused(content: bytes) -> None:
    for bucket in BUCKETS[1:3]:
        with pytest.raises(PaddingInvalid):
            unpad(pad(content).ljust(bucket, b"\x00"))


@pytest.mark.parametrize("length", [0, 1, 4, 4095, 4097, 12288, 1 << 20])
def test_a_length_that_is_no_bucket_is_refused(length: int) -> None:
    with pytest.raises(PaddingInvalid):
        unpad(bytes(length))


@pytest.mark.parametrize("stated", [4093, 5000, 2**31, 2**32 - 1])
def test_a_stated_length_beyond_the_end_is_refused(stated: int) -> None:
    with pytest.raises(PaddingInvalid):
        unpad(stated.to_bytes(4, "big").ljust(4096, b"\x00"))
