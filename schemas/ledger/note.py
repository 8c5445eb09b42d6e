"""Signed notes: a text, and lines that say who signed it.

C2SP signed-note v1.0.0. Knows nothing of what the text means. Signature lines by keys we do not know are carried and
ignored; a line that claims a key we know must hold, and stand once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.ledger.failures import (
    NoteMalformed,
    NoteNotSigned,
    NoteSignatureInvalid,
    NoteSignatureRepeated,
    NoteTooLarge,
    VerifierKeyAmbiguous,
    VerifierKeyUnsuitable,
)
from schemas.ledger.lines import decode_base64, decode_text, encode_base64, is_text
from schemas.ledger.verifier_key import ED25519, KEY_ID_BYTES, VerifierKey, is_key_name

__all__ = [
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "Ed25519NoteSigner",
    "Note",
    "NoteSignature",
    "NoteSigner",
    "VerifiedNote",
    "VerifierKey",
    "add_signatures",
    "claimed_by",
    "format_note",
    "format_signature_lines",
    "open_note",
    "parse_note",
    "parse_signature_lines",
]

MAX_SIGNATURES: Final = 64
"""A log's two keys and two for each of thirty agencies; the specification asks for at least 16."""
MAX_NOTE_BYTES: Final = 256 * 1024
"""Room for 64 ML-DSA-44 cosignatures, 3.3 kB a line."""
_SIGNATURE_START: Final = "— "
_CHECKED: Final = object()


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who is said to have signed, and the bytes to prove it.

    Raises:
        NoteMalformed: a name no key may have, a key ID that is not 4 bytes, or no signature bytes.
    """

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.key_id) != KEY_ID_BYTES or not self.signature:
            raise NoteMalformed("signature")


@dataclass(frozen=True, slots=True)
class Note:
    """A well-formed note whose signatures nobody has checked: the text ends in a newline, which is signed too.

    Raises:
        NoteMalformed: the text does not end in a newline or holds a control character, or there is no signature.
        NoteTooLarge: more than `MAX_SIGNATURES`.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        if not is_text(self.text) or not self.text.endswith("\n"):
            raise NoteMalformed("text")
        if not self.signatures:
            raise NoteMalformed("no signature line")
        if len(self.signatures) > MAX_SIGNATURES:
            raise NoteTooLarge("signatures")


@dataclass(frozen=True, slots=True)
class VerifiedNote:
    """A text that at least one key we know has signed, and which keys those were. Only `open_note` makes one."""

    text: str
    signed_by: tuple[VerifierKey, ...]
    checked: InitVar[object]

    def __post_init__(self, checked: object) -> None:
        if checked is not _CHECKED:
            raise TypeError("only open_note makes a VerifiedNote")


class NoteSigner(Protocol):
    """Who can put a signature line under a text."""

    @property
    def name(self) -> str:
        """The key name of the line."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell this key from others of the name."""

    def sign(self, text: bytes) -> bytes:
        """Return the signature over the whole text, final newline included, without the key ID."""


class Ed25519NoteSigner:
    """Signs notes with an Ed25519 key (signature type 0x01)."""

    __slots__ = ("_private", "verifier_key")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.verifier_key = VerifierKey.of(name, ED25519, private.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """The key name of the line."""
        return self.verifier_key.name

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell this key from others of the name."""
        return self.verifier_key.key_id

    def sign(self, text: bytes) -> bytes:
        """Return the 64 bytes of RFC 8032 over the text."""
        return self._private.sign(text)


def parse_note(raw: bytes) -> Note:
    """Read a signed note, checking its form and no signature. `format_note` gives the same bytes back.

    Raises:
        NoteMalformed: not a note.
        NoteTooLarge: above `MAX_NOTE_BYTES` or `MAX_SIGNATURES`.
    """
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteTooLarge("bytes")
    whole = decode_text(raw)
    if whole is None:
        raise NoteMalformed("characters")
    text, blank, lines = whole.rpartition("\n\n")  # the last empty line separates
    if not blank:
        raise NoteMalformed("no empty line")
    return Note(text + "\n", _read_signature_lines(lines))


def format_note(note: Note) -> bytes:
    """Return the bytes of a note.

    Raises:
        NoteTooLarge: above `MAX_NOTE_BYTES`.
    """
    raw = note.text.encode("utf-8") + b"\n" + format_signature_lines(note.signatures)
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteTooLarge("bytes")
    return raw


def parse_signature_lines(raw: bytes) -> tuple[NoteSignature, ...]:
    """Read signature lines that stand without their text, as a witness answers them (tlog-witness, add-checkpoint).

    Raises:
        NoteMalformed: not one or more signature lines.
        NoteTooLarge: above `MAX_NOTE_BYTES` or `MAX_SIGNATURES`.
    """
    if len(raw) > MAX_NOTE_BYTES:
        raise NoteTooLarge("bytes")
    lines = decode_text(raw)
    if lines is None:
        raise NoteMalformed("characters")
    return _read_signature_lines(lines)


def format_signature_lines(signatures: Sequence[NoteSignature]) -> bytes:
    """Return signature lines, one for each, in the order given."""
    return "".join(
        f"{_SIGNATURE_START}{one.name} {encode_base64(one.key_id + one.signature)}\n" for one in signatures
    ).encode("utf-8")


def add_signatures(raw: bytes, added: Sequence[NoteSignature]) -> bytes:
    """Return a note with more signature lines under it; the bytes before them stay as they are.

    Raises:
        NoteMalformed, NoteTooLarge: as `parse_note`.
        NoteSignatureRepeated: a key would have signed twice.
    """
    note = parse_note(raw)
    signatures = (*note.signatures, *added)
    if len({(one.name, one.key_id) for one in signatures}) != len(signatures):
        raise NoteSignatureRepeated
    return format_note(Note(note.text, signatures))


def claimed_by(signatures: Sequence[NoteSignature], key: VerifierKey) -> NoteSignature | None:
    """Return the one signature that claims this key, unchecked, or None.

    Raises:
        NoteSignatureRepeated: there are two.
    """
    claims = [one for one in signatures if one.name == key.name and one.key_id == key.key_id]
    if len(claims) > 1:
        raise NoteSignatureRepeated
    return claims[0] if claims else None


def open_note(raw: bytes, trusted: Sequence[VerifierKey]) -> VerifiedNote:
    """Return the text of a note that at least one of these Ed25519 keys has signed, and which of them did.

    Raises:
        NoteMalformed, NoteTooLarge: as `parse_note`.
        VerifierKeyUnsuitable: a trusted key is not of signature type 0x01 (see `schemas.ledger.cosignature`).
        VerifierKeyAmbiguous: two trusted keys have the same name and key ID.
        NoteSignatureRepeated: a trusted key signed twice.
        NoteSignatureInvalid: a line that claims a trusted key is not by it.
        NoteNotSigned: no trusted key signed.
    """
    if any(key.algorithm != ED25519 for key in trusted):
        raise VerifierKeyUnsuitable
    if len({(key.name, key.key_id) for key in trusted}) != len(trusted):
        raise VerifierKeyAmbiguous
    note = parse_note(raw)
    signed = note.text.encode("utf-8")
    signed_by = []
    for key in trusted:
        claim = claimed_by(note.signatures, key)
        if claim is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(claim.signature, signed)
        except InvalidSignature:
            raise NoteSignatureInvalid from None
        signed_by.append(key)
    if not signed_by:
        raise NoteNotSigned
    return VerifiedNote(note.text, tuple(signed_by), _CHECKED)


def _read_signature_lines(lines: str) -> tuple[NoteSignature, ...]:
    if not lines.endswith("\n"):
        raise NoteMalformed("last line")
    rows = lines[:-1].split("\n", MAX_SIGNATURES)
    if len(rows) > MAX_SIGNATURES:
        raise NoteTooLarge("signatures")
    return tuple(_read_signature_line(row) for row in rows)


def _read_signature_line(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_SIGNATURE_START).partition(" ")
    if not line.startswith(_SIGNATURE_START) or not space:
        raise NoteMalformed("signature line")
    decoded = decode_base64(encoded)
    if decoded is None:
        raise NoteMalformed("base64")
    return NoteSignature(name, decoded[:KEY_ID_BYTES], decoded[KEY_ID_BYTES:])
