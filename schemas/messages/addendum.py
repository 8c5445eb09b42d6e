"""The addendum of a log entry: what the entry must not say, sealed for the IG leads of both sides (SPEC 7.4).

One random key seals the content; the key is wrapped to each IG lead and given to the answering party inside the sealed
body. AES-GCM does not commit to its key, so the header does: everybody who opens an addendum checks that the key he was
given is the one committed to, and therefore all who open it read the same.

    master  = 32 random bytes
    commit  = HKDF-SHA256(master, info = "needtoknow/v1/addendum/commit" | 0x00), 32 bytes
    content = HKDF-SHA256(master, info = "needtoknow/v1/addendum/content" | 0x00), the AES-256-GCM key, used once
    sealed  = AES-256-GCM(content key, nonce of twelve zero bytes, padded content, associated data = header bytes)

The wraps come after the ciphertext in the frame and are bound to the same header bytes.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field, model_validator

from schemas.canonical import without_member
from schemas.crypto.failures import KeyNotCommitted, SealBroken
from schemas.crypto.keys import Identity, PublicKey
from schemas.crypto.padding import BUCKETS, pad, unpad
from schemas.crypto.sealing import ADDENDUM_KEY_BYTES, TAG_BYTES, Sealing, open_sealed, seal
from schemas.envelope import PartMismatch, digest, pack, unpack
from schemas.messages.fields import Hex16, Hex32, Slug
from schemas.messages.model import Message, RuleBroken, read

_NONCE: Final = bytes(12)
"""Fixed, since each content key is derived from fresh random bytes and seals exactly one text."""
MAX_READERS: Final = 8


class AddendumHeader(Message):
    """What everybody may know of an addendum."""

    kind: Literal["addendum"] = "addendum"
    suite: Literal[1] = 1
    hub: Slug
    about: Hex16 = Field(description="The exchange, or another random id, the addendum belongs to.")
    commitment: Hex32
    readers: Annotated[list[Hex16], Field(max_length=MAX_READERS, description="Key ids it is wrapped to, in order.")]
    content_digest: Hex32

    @model_validator(mode="after")
    def _each_reader_once(self) -> AddendumHeader:
        if len(set(self.readers)) != len(self.readers):
            raise RuleBroken("one reader twice")
        return self


class NotAReader(SealBroken):
    """The addendum is not wrapped to that key."""

    code = "not_a_reader"


def make_addendum(hub: str, about: str, content: bytes, readers: Sequence[PublicKey]) -> tuple[bytes, bytes]:
    """A new addendum and its key.

    Args:
        content: canonical bytes; at most 768 KiB.
        readers: public addendum keys of the IG leads.

    Returns:
        The frame (its SHA-256 is the addendum digest) and the 32-byte key.
    """
    key = os.urandom(ADDENDUM_KEY_BYTES)
    commitment = _derive(key, b"commit").hex()
    bare = _bare_header(hub, about, commitment, [reader.id for reader in readers])
    sealed = AESGCM(_derive(key, b"content")).encrypt(_NONCE, pad(content), bare)
    header = AddendumHeader(
        hub=hub,
        about=about,
        commitment=commitment,
        readers=[reader.id for reader in readers],
        content_digest=digest(sealed),
    ).encode()
    wraps = [seal(Sealing.ADDENDUM_KEY, header, key, reader) for reader in readers]
    return pack(header, (), [sealed, *wraps]), key


def open_addendum(raw: bytes, key: bytes, *, hub: str, about: str) -> bytes:
    """The content of an addendum, opened with its key.

    Raises:
        KeyNotCommitted: the key is not the one committed to.
        SealBroken: it does not open, or belongs to another hub or exchange.
        Rejected: it is not an addendum at all.
    """
    header, header_bytes, sealed, _ = _take_apart(raw)
    if header.hub != hub or header.about != about:
        raise SealBroken("an addendum of another hub or exchange")
    if not hmac.compare_digest(_derive(key, b"commit").hex(), header.commitment):
        raise KeyNotCommitted("not the key this addendum commits to")
    if len(sealed) - TAG_BYTES not in BUCKETS:
        raise SealBroken("not a length that sealing makes")
    try:
        bare = without_member(header_bytes, "content_digest")
        return unpad(AESGCM(_derive(key, b"content")).decrypt(_NONCE, sealed, bare))
    except InvalidTag:
        raise SealBroken("it does not open") from None


def key_for_reader(raw: bytes, identity: Identity) -> bytes:
    """The addendum's key, unwrapped by one of its readers; `open_addendum` then checks that it is the right one.

    Raises:
        NotAReader: nothing is wrapped to this identity.
        SealBroken: what is wrapped to it does not open.
    """
    header, header_bytes, _, wraps = _take_apart(raw)
    if identity.id not in header.readers:
        raise NotAReader("this addendum is not wrapped to that key")
    return open_sealed(Sealing.ADDENDUM_KEY, header_bytes, wraps[header.readers.index(identity.id)], identity)


def _take_apart(raw: bytes) -> tuple[AddendumHeader, bytes, bytes, tuple[bytes, ...]]:
    envelope = unpack(raw)
    header = read(AddendumHeader, envelope.header)
    if len(envelope.parts) != 1 + len(header.readers) or envelope.signatures:
        raise SealBroken("not the parts of an addendum")
    sealed, *wraps = envelope.parts
    if digest(sealed) != header.content_digest:
        raise PartMismatch("the content is not the one the header names")
    return header, envelope.header, sealed, tuple(wraps)


def _bare_header(hub: str, about: str, commitment: str, readers: list[str]) -> bytes:
    whole = AddendumHeader(
        hub=hub, about=about, commitment=commitment, readers=readers, content_digest="0" * 64
    ).encode()
    return without_member(whole, "content_digest")


def _derive(key: bytes, use: bytes) -> bytes:
    info = b"needtoknow/v1/addendum/" + use + b"\x00"
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)
