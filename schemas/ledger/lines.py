"""What the lines of C2SP's texts have in common: one base64 form, one decimal form, one set of permitted characters.

Knows no format. Every function returns None, or False, for what is not in its one form; the caller names the failure.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

MAX_NUMBER: Final = 2**63 - 1
"""Largest tree size, index or tile index: what a signed 64-bit column of a store can hold."""
_MAX_DIGITS: Final = len(str(MAX_NUMBER))
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
"""The characters below space that no text of C2SP's may have: all of them but the newline."""


def decode_base64(line: str) -> bytes | None:
    """Return the bytes of a standard base64 text (RFC 4648 section 4), or None unless it is their only encoding."""
    try:
        decoded = base64.b64decode(line, validate=True)
    except ValueError:
        return None
    # Without this, unused trailing bits give one signature several spellings.
    return decoded if encode_base64(decoded) == line else None


def encode_base64(value: bytes) -> str:
    """Return the standard base64 text of some bytes (RFC 4648 section 4)."""
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def decode_decimal(line: str) -> int | None:
    """Return the number an ASCII decimal without leading zeroes stands for, or None (also above `MAX_NUMBER`)."""
    if not 1 <= len(line) <= _MAX_DIGITS or not (line.isascii() and line.isdigit()):
        return None
    if line[0] == "0" and line != "0":
        return None
    number = int(line)
    return number if number <= MAX_NUMBER else None


def decode_text(raw: bytes) -> str | None:
    """Return note text, or None if it is not UTF-8 or has a control character besides newline (signed-note, Format)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def is_text(text: str) -> bool:
    """Say whether a note can hold this text: it has a UTF-8 form and no control character besides newline."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return _CONTROL.search(text) is None


def is_one_line(text: str) -> bool:
    """Say whether a text is a non-empty line that a note can hold."""
    return bool(text) and "\n" not in text and is_text(text)
