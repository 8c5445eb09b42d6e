"""The field types that messages are made of, each with its one form on the wire (SPEC 2.3)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from schemas.canonical import MAX_INTEGER
from schemas.records.fields import IsoDate

__all__ = [
    "Address",
    "Base64",
    "Count",
    "Hex16",
    "Hex32",
    "Hex64",
    "IsoDate",
    "Line",
    "Millis",
    "One",
    "Origin",
    "Prose",
    "Slug",
    "Token",
    "Word",
    "decode_base64",
    "encode_base64",
]

# Control characters break a log or a terminal, and bidirectional overrides make a text read as another.
_HIDDEN: Final = r"\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"

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
One = Annotated[int, Field(ge=1, le=1)]
"""The number 1, and not `true`, which a Literal would let pass."""
Origin = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9./-]{0,126}$")]
"""A log's origin line (C2SP tlog-checkpoint): a schema-less URL without spaces or plus signs."""
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""A rule id, reason code or field name: no spaces, so never a sentence or a name of a person."""
Address = Annotated[
    str,
    StringConstraints(
        max_length=512,
        pattern=r"^(tls|wss)://([a-z0-9][a-z0-9.-]{0,252}|\[[0-9a-f:.]{2,45}\])(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*/?$",
    ),
]
"""Where a server of the bus is; a plaintext one has no address."""
Token = Annotated[str, StringConstraints(pattern=r"^A[A-Z2-7]{55}$")]
"""The nkey of a bus account: what stands for an agent in subjects."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=rf"^[^\u0000-\u001f{_HIDDEN}]+$")]
"""One line of text for a person to read; only ever inside a seal."""
Prose = Annotated[
    str, StringConstraints(min_length=1, max_length=4000, pattern=rf"^[^\u0000-\u0008\u000b-\u001f{_HIDDEN}]+$")
]
"""Words of reason, in lines; only ever inside a seal."""


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
