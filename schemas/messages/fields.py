"""The field types that messages are made of, each with its one form on the wire (SPEC 2.3)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from schemas.canonical import MAX_INTEGER

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""The name of a hub, agency, officer or other party: lower-case ASCII, so that no two differ by case or homoglyph."""
Hex16 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""Sixteen random bytes, or a key id, as 32 hexadecimal digits."""
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest or a 32-byte key, as 64 hexadecimal digits."""
Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""An Ed25519 signature, as 128 hexadecimal digits."""
Millis = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
"""An instant: whole milliseconds since 1970-01-01T00:00:00Z."""
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Origin = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9./-]{0,126}$")]
"""A log's origin line (C2SP tlog-checkpoint): a schema-less URL without spaces or plus signs."""
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""A rule id, reason code or field name: no spaces, so never a sentence or a name of a person."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text for a person to read; only ever inside a seal."""
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
"""Words of reason; only ever inside a seal."""
IsoDate = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A calendar date as `YYYY-MM-DD`."""


def encode_base64(raw: bytes) -> str:
    """`raw` in base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode("ascii")


def decode_base64(text: str) -> bytes:
    """The bytes of a base64 text that is its own canonical encoding.

    Raises:
        ValueError: it is not.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("not base64") from None
    if encode_base64(raw) != text:
        raise ValueError("not canonical base64")
    return raw


def _canonical_base64(text: str) -> str:
    decode_base64(text)
    return text


Base64 = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_canonical_base64)]
"""Bytes in canonical base64 with padding."""
