"""Checkpoints: what a log says its tree is, signed.

C2SP tlog-checkpoint v1.0.0, without extension lines: ML-DSA-44 cosignatures do not cover them, so we have none and read
none. Knows nothing of how the tree came to be or of who must cosign.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from functools import lru_cache
from typing import Final

from schemas.ledger.failures import CheckpointForeign, CheckpointMalformed
from schemas.ledger.lines import decode_base64, decode_decimal, encode_base64, is_one_line
from schemas.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_TREE_SIZE
from schemas.ledger.note import Note, NoteSignature, NoteSigner, VerifierKey, format_note, open_note, parse_note

MAX_ORIGIN_BYTES: Final = 255
"""The longest origin that fits `log_origin<1..2^8-1>` of tlog-cosignature."""
_CHECKED: Final = object()
_KEPT_CLAIMS: Final = 16
"""Checkpoints whose reading is remembered. Every receipt of a group carries the same one, so a few are enough."""
_KEPT_OPENED: Final = 64
"""Checkpoints whose signature is remembered as holding: only bytes that the log itself signed can fill this."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A log, the number of its entries, and the root of their tree. Nobody need have signed it.

    Raises:
        CheckpointMalformed: an origin that is no line of 1 to 255 bytes, a size or root no tree has.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not is_one_line(self.origin) or len(self.origin.encode("utf-8")) > MAX_ORIGIN_BYTES:
            raise CheckpointMalformed("origin")
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise CheckpointMalformed("size")
        if len(self.root) != HASH_BYTES or (self.size == 0 and self.root != EMPTY_ROOT):
            raise CheckpointMalformed("root")

    @property
    def text(self) -> str:
        """The three lines that are signed, final newline included (tlog-checkpoint, *Note text*)."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class SignedTreeHead:
    """A tree head whose log's signature was checked, with the note it came in. Only `open_checkpoint` makes one."""

    head: TreeHead
    note: bytes
    checked: InitVar[object]

    def __post_init__(self, checked: object) -> None:
        if checked is not _CHECKED:
            raise TypeError("only open_checkpoint makes a SignedTreeHead")


def parse_tree_head(text: str) -> TreeHead:
    """Read the text of a checkpoint, proving nothing.

    Raises:
        CheckpointMalformed: not exactly the three lines.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise CheckpointMalformed("lines")
    size, root = decode_decimal(lines[1]), decode_base64(lines[2])
    if size is None or root is None:
        raise CheckpointMalformed("size" if size is None else "root")
    return TreeHead(lines[0], size, root)


@lru_cache(maxsize=_KEPT_CLAIMS)
def read_checkpoint(raw: bytes) -> TreeHead:
    """Read the tree head that a note claims, proving nothing.

    The same bytes are read once: what they say depends on nothing else, and a failure is not remembered.

    Raises:
        NoteMalformed, NoteTooLarge: as `parse_note`.
        CheckpointMalformed: as `parse_tree_head`.
    """
    return parse_tree_head(parse_note(raw).text)


def sign_checkpoint(head: TreeHead, signer: NoteSigner) -> bytes:
    """Return a checkpoint of this tree head with the log's signature.

    Whoever calls this vouches that the head is consistent with every head ever signed for the origin.

    Raises:
        CheckpointForeign: the signer's name is not the head's origin.
    """
    if signer.name != head.origin:
        raise CheckpointForeign("key name")
    signature = signer.sign(head.text.encode("utf-8"))
    return format_note(Note(head.text, (NoteSignature(signer.name, signer.key_id, signature),)))


@lru_cache(maxsize=_KEPT_OPENED)
def open_checkpoint(raw: bytes, *, log: VerifierKey, origin: str) -> SignedTreeHead:
    """Return the tree head of a checkpoint that this log signed.

    The same bytes under the same key and origin are verified once: whether they hold depends on nothing else (whether
    the key is in force is for whoever chose it), and a failure is not remembered.

    Raises:
        CheckpointForeign: the key or the checkpoint is not that of `origin`.
        NoteMalformed, NoteTooLarge, NoteNotSigned, NoteSignatureInvalid, NoteSignatureRepeated: as `open_note`.
        VerifierKeyUnsuitable: the log's key is not of signature type 0x01.
        CheckpointMalformed: the log signed something that is not a checkpoint of three lines.
    """
    if log.name != origin:  # 1  a log's key bears its origin
        raise CheckpointForeign("key name")
    note = open_note(raw, [log])  # 2  signed by the log
    head = parse_tree_head(note.text)  # 3  three lines
    if head.origin != origin:  # 4  of this log
        raise CheckpointForeign("origin")
    return SignedTreeHead(head, raw, _CHECKED)
