"""Padding inside the seal, so that a ciphertext's length tells only a bucket (SPEC 3.5).

Padded text = u32 big-endian length, the content, zero bytes up to the bucket. Buckets are the powers of two from 4 KiB
to 512 KiB, and 768 KiB, the largest part there is. A content may have only its smallest bucket: one length, one size.
"""

from __future__ import annotations

from typing import Final

from schemas.crypto.failures import PaddingInvalid
from schemas.failures import Rejected

LENGTH_BYTES: Final = 4
MAX_PADDED_BYTES: Final = 768 * 1024
"""Largest sealed part: with its header, nested envelopes and proofs it stays under the bus's 1 MiB payload."""
BUCKETS: Final[tuple[int, ...]] = (*(2**n for n in range(12, 20)), MAX_PADDED_BYTES)
MAX_CONTENT_BYTES: Final = MAX_PADDED_BYTES - LENGTH_BYTES


class ContentTooLarge(Rejected):
    """More content than one sealed part may hold."""

    code = "content_too_large"


def bucket_for(content_bytes: int) -> int:
    """The padded length, in bytes, of so much content.

    Raises:
        ContentTooLarge: more than 768 KiB less the length field.
    """
    for bucket in BUCKETS:
        if content_bytes + LENGTH_BYTES <= bucket:
            return bucket
    raise ContentTooLarge(f"{content_bytes} bytes, at most {MAX_CONTENT_BYTES}")


def pad(content: bytes) -> bytes:
    """`content` in its bucket.

    Raises:
        ContentTooLarge: it fits none.
    """
    return (len(content).to_bytes(LENGTH_BYTES, "big") + content).ljust(bucket_for(len(content)), b"\x00")


def unpad(padded: bytes) -> bytes:
    """The content of a padded text.

    Raises:
        PaddingInvalid: not the one padded form of its content.
    """
    if len(padded) not in BUCKETS:
        raise PaddingInvalid("not a bucket's length")
    length = int.from_bytes(padded[:LENGTH_BYTES], "big")
    if length > len(padded) - LENGTH_BYTES or bucket_for(length) != len(padded):
        raise PaddingInvalid("the stated length belongs in another bucket")
    content, rest = padded[LENGTH_BYTES : LENGTH_BYTES + length], padded[LENGTH_BYTES + length :]
    if rest.count(0) != len(rest):
        raise PaddingInvalid("padding that is not zero bytes")
    return content
