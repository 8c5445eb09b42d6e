"""Canonical JSON: RFC 8785's bytes, and a reader that takes nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    DuplicateKey,
    Malformed,
    NotCanonical,
    OutsideProfile,
    TooLarge,
    encode,
    parse,
    without_member,
)

LIMIT_BYTES = 100_000

keys = st.text(st.characters(max_codepoint=127), max_size=6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
objects = st.dictionaries(keys, values, max_size=5)


@given(objects)
def test_the_bytes_are_those_of_rfc_8785(value: dict[str, Any]) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(objects)
def test_what_was_encoded_is_read_back(value: dict[str, Any]) -> None:
    assert parse(encode(value), limit_bytes=LIMIT_BYTES) == value


@given(st.binary(max_size=40) | texts.map(lambda text: ('{"a":' + text + "}").encode()))
def test_bytes_are_canonical_or_refused_by_name(raw: bytes) -> None:
    try:
        value = parse(raw, limit_bytes=LIMIT_BYTES)
    except (Malformed, DuplicateKey, OutsideProfile, NotCanonical):
        return
    assert rfc8785.dumps(value) == raw


@given(objects, st.sampled_from([{"indent": 1}, {"separators": (", ", ":")}, {"ensure_ascii": True}]))
def test_another_spelling_of_the_same_value_is_refused(value: dict[str, Any], how: dict[str, Any]) -> None:
    raw = json.dumps(value, **{"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False, **how}).encode()
    if raw != encode(value):
        with pytest.raises(NotCanonical):
            parse(raw, limit_bytes=LIMIT_BYTES)


@pytest.mark.parametrize("value", [None, 1.0, float("nan"), 2**53, -(2**53), {1: 2}, {"é": 1}, b"", {1, 2}, "\ud800"])
def test_a_value_outside_the_profile_is_not_encoded(value: object) -> None:
    with pytest.raises(OutsideProfile):
        encode({"a": value})


def _nested(depth: int) -> object:
    return [_nested(depth - 1)] if depth else 1


def test_nesting_has_a_limit_that_reading_and_writing_share() -> None:
    whole = encode({"a": _nested(MAX_DEPTH - 1)})
    assert parse(whole, limit_bytes=LIMIT_BYTES)
    with pytest.raises(OutsideProfile):
        encode({"a": _nested(MAX_DEPTH)})
    for depth in (MAX_DEPTH, 1_000, 40_000):
        with pytest.raises(OutsideProfile):
            parse(b'{"a":' + b"[" * depth + b"1" + b"]" * depth + b"}", limit_bytes=LIMIT_BYTES)


def test_the_first_check_that_fails_is_the_one_told() -> None:
    worst = b'{"b":null,"a":{"x":1,"x":2}'
    for raw, limit_bytes, expected in [
        (worst, 5, TooLarge),
        (worst, LIMIT_BYTES, Malformed),
        (worst + b"}", LIMIT_BYTES, DuplicateKey),
        (b'{"b":null,"a":1}', LIMIT_BYTES, OutsideProfile),
        (b'{"b":1,"a":1}', LIMIT_BYTES, NotCanonical),
    ]:
        with pytest.raises(expected):
            parse(raw, limit_bytes=limit_bytes)


@given(objects, st.text("0123456789abcdef", max_size=8))
def test_cutting_a_member_out_leaves_the_canonical_form_of_the_rest(value: dict[str, Any], digits: str) -> None:
    value.pop("zz", None)
    assert without_member(encode({**value, "zz": digits}), "zz") == encode(value)
    assert without_member(encode({"!": 1, **value, "!!": digits}), "!!") == encode({"!": 1, **value})


@given(st.dictionaries(keys, texts, max_size=4))
def test_no_text_or_key_can_pass_for_the_member_that_is_cut(value: dict[str, str]) -> None:
    value = {**value, ',"sig":"00"': 'x,"sig":"00"', '"sig': "00", 'a"sig': "00"}
    value.pop("sig", None)
    raw = encode(value)
    with pytest.raises(Malformed):
        without_member(raw, "sig")
    assert without_member(encode({**value, "sig": "ff"}), "sig") == raw


@pytest.mark.parametrize("raw", [b"{}", b'{"d":1}', b'{"d":"AB"}', b'{"d":"g"}', b'{"a":{"d":"00"},"d":"00"}'])
def test_a_member_that_is_not_there_exactly_once_is_not_cut(raw: bytes) -> None:
    with pytest.raises(Malformed):
        without_member(raw, "d")
