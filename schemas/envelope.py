"""The frame: header bytes, signatures, parts, in one unambiguous byte string (SPEC 4.1).

    "ntk1" | u32 header length | header | u8 signatures | (16 key id, 64 signature)* | u8 parts | (u32 length, bytes)*

Integers are big-endian; nothing follows the last part. The frame knows no keys and no message kinds: the header, which
is canonical JSON, names the digest of every part, and whoever reads a kind checks that (`schemas.messages`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.crypto.failures import SignatureMissing
from schemas.crypto.keys import KEY_ID_BYTES, PublicKey, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import SIGNATURE_BYTES, Verified, sign, verify
from schemas.failures import Rejected

MAGIC: Final = b"ntk1"
MAX_HEADER_BYTES: Final = 32 * 1024
"""A request header of sixteen subjects and sixty-four categories has 9 kB; a grant that names every field 20."""
MAX_SIGNATURES: Final = 4
MAX_PARTS: Final = 16
MAX_ENVELOPE_BYTES: Final = 1_000_000
"""Below the bus's payload of 1 MiB, with room for the subject and the bus's own framing."""


class FrameMalformed(Rejected):
    """Bytes that are no frame: wrong magic, a length that does not fit, more than the limits, bytes left over."""

    code = "frame_malformed"


class PartMismatch(Rejected):
    """Parts that are not the ones the header names."""

    code = "part_mismatch"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the key id it claims to be by."""

    key_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A frame taken apart; nothing in it has been checked yet but its form."""

    header: bytes
    signatures: tuple[Signature, ...]
    parts: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the header bytes, in hexadecimal: what others name this envelope by."""
        return digest(self.header)


def digest(raw: bytes) -> str:
    """SHA-256 over complete transmitted bytes, as 64 hexadecimal digits (SPEC 2.4)."""
    return hashlib.sha256(raw).hexdigest()


def pack(header: bytes, signatures: Sequence[Signature] = (), parts: Sequence[bytes] = ()) -> bytes:
    """The frame of these pieces.

    Raises:
        FrameMalformed: over a limit, or a key id or signature of another length than theirs.
    """
    if len(header) > MAX_HEADER_BYTES or len(signatures) > MAX_SIGNATURES or len(parts) > MAX_PARTS:
        raise FrameMalformed("more header, signatures or parts than a frame holds")
    if any(len(one.key_id) != 2 * KEY_ID_BYTES or len(one.raw) != SIGNATURE_BYTES for one in signatures):
        raise FrameMalformed("a key id is 16 bytes and a signature 64")
    pieces = [MAGIC, len(header).to_bytes(4, "big"), header, bytes([len(signatures)])]
    pieces += [bytes.fromhex(signature.key_id) + signature.raw for signature in signatures]
    pieces.append(bytes([len(parts)]))
    pieces += [len(part).to_bytes(4, "big") + part for part in parts]
    raw = b"".join(pieces)
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise FrameMalformed(f"more than {MAX_ENVELOPE_BYTES} bytes")
    return raw


def unpack(raw: bytes) -> Envelope:
    """The pieces of a frame.

    Raises:
        FrameMalformed: `raw` is not exactly one frame within the limits.
    """
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise FrameMalformed(f"more than {MAX_ENVELOPE_BYTES} bytes")
    cursor = _Cursor(raw)
    if cursor.take(len(MAGIC)) != MAGIC:
        raise FrameMalformed("not a frame of version 1")
    header = cursor.take(cursor.integer(4, MAX_HEADER_BYTES))
    signatures = tuple(
        Signature(cursor.take(KEY_ID_BYTES).hex(), cursor.take(SIGNATURE_BYTES))
        for _ in range(cursor.integer(1, MAX_SIGNATURES))
    )
    parts = tuple(cursor.take(cursor.integer(4, MAX_ENVELOPE_BYTES)) for _ in range(cursor.integer(1, MAX_PARTS)))
    cursor.finish()
    return Envelope(header, signatures, parts)


def signed(header: bytes, keys: Sequence[SigningKey], parts: Sequence[bytes] = ()) -> bytes:
    """The frame of `header` signed by each key, under each key's own purpose."""
    return pack(header, [Signature(key.id, sign(key, key.purpose, header)) for key in keys], parts)


def verify_header(envelope: Envelope, key: PublicKey, purpose: KeyPurpose) -> Verified[bytes]:
    """The header bytes, now known to be signed by `key` for `purpose`.

    Raises:
        SignatureMissing: no signature, or more than one, claims that key.
        SignatureInvalid, WrongPurpose: it does not hold.
    """
    claimed = [signature for signature in envelope.signatures if signature.key_id == key.id]
    if len(claimed) != 1:
        raise SignatureMissing(f"not exactly one signature by the {purpose} key")
    return verify(key, purpose, envelope.header, claimed[0].raw, envelope.header)


def check_parts(envelope: Envelope, digests: Sequence[str]) -> None:
    """That the parts are exactly those of `digests`, in that order.

    Raises:
        PartMismatch: they are not.
    """
    if len(envelope.parts) != len(digests):
        raise PartMismatch(f"{len(envelope.parts)} parts, the header names {len(digests)}")
    for number, (part, expected) in enumerate(zip(envelope.parts, digests, strict=True)):
        if digest(part) != expected:
            raise PartMismatch(f"part {number} is not the one the header names")


class _Cursor:
    """Reads a frame from front to back and never past its end."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._raw):
            raise FrameMalformed("it ends too early")
        piece = self._raw[self._at : end]
        self._at = end
        return piece

    def integer(self, length: int, limit: int) -> int:
        value = int.from_bytes(self.take(length), "big")
        if value > limit:
            raise FrameMalformed(f"a length or count over its limit of {limit}")
        return value

    def finish(self) -> None:
        if self._at != len(self._raw):
            raise FrameMalformed("bytes left over after the last part")
