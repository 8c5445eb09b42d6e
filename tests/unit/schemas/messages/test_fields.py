"""Field types: each has one form on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter, ValidationError

from schemas.canonical import MAX_INTEGER
from schemas.messages import fields
from schemas.messages.fields import decode_base64, encode_base64

GOOD: list[tuple[str, object]] = [
    ("Slug", "a"),
    ("Slug", "o-4f2a9c"),
    ("Slug", "a" * 63),
    ("Hex16", "0f" * 16),
    ("Hex32", "0f" * 32),
    ("Hex64", "0f" * 64),
    ("Millis", 0),
    ("Millis", MAX_INTEGER),
    ("One", 1),
    ("Origin", "hub.example/sharing-log/2026"),
    ("Word", "a.b_c-D9"),
    ("Line", "Ærø naïve 家"),
    ("Prose", "two\nlines\tand more"),
    ("IsoDate", "2024-02-29"),
    ("Base64", ""),
    ("Base64", "AAA="),
]
BAD: list[tuple[str, object]] = [
    ("Slug", ""),
    ("Slug", "A"),
    ("Slug", "9a"),
    ("Slug", "a b"),
    ("Slug", "a\n"),
    ("Slug", "а"),
    ("Slug", "a" * 64),
    ("Hex16", "0F" * 16),
    ("Hex16", "0f" * 15),
    ("Hex32", "0f" * 32 + "\n"),
    ("Hex64", "0f" * 63 + "0g"),
    ("Millis", -1),
    ("Millis", True),
    ("Millis", "1"),
    ("Millis", MAX_INTEGER + 1),
    ("One", 0),
    ("One", 2),
    ("One", True),
    ("Origin", "Hub.example"),
    ("Origin", "hub+example"),
    ("Word", "two words"),
    ("Word", "-a"),
    ("Word", "a" * 65),
    ("Line", ""),
    ("Line", "a\nb"),
    ("Line", "a\x85b"),
    ("Line", "a\u202eb"),
    ("Line", "a\u2066b"),
    ("Line", "a" * 201),
    ("Prose", ""),
    ("Prose", "a\x1bb"),
    ("Prose", "a\rb"),
    ("Prose", "a\u202eb"),
    ("Prose", "a" * 4001),
    ("IsoDate", "2026-02-29"),
    ("IsoDate", "20260228"),
    ("IsoDate", "0000-01-01"),
    ("Base64", "AAA"),
    ("Base64", "AB=="),
    ("Base64", "AA ="),
    ("Base64", "AA-_"),
    ("Base64", "é==="),
]


def adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(fields, name), config=ConfigDict(strict=True))


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_value_in_its_one_form_is_taken(name: str, value: object) -> None:
    assert adapter(name).validate_python(value) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_value_in_another_form_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        adapter(name).validate_python(value)


@given(st.binary(max_size=100))
def test_bytes_have_one_base64_form(raw: bytes) -> None:
    assert decode_base64(encode_base64(raw)) == raw


@given(st.text("ABCDabcd+/=", max_size=8))
def test_a_text_is_the_base64_of_its_bytes_or_refused(text: str) -> None:
    try:
        raw = decode_base64(text)
    except ValueError:
        return
    assert encode_base64(raw) == text
