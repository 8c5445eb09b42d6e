"""The proof that an entry is in a log, as one text: where it stands, the path, the checkpoint.

C2SP `tlog-proof@v1`. Reads and writes the form; `schemas.ledger.receipt` says whether a proof holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.ledger.checkpoint import read_checkpoint
from schemas.ledger.failures import ProofMalformed
from schemas.ledger.lines import decode_base64, decode_decimal, decode_text, encode_base64
from schemas.ledger.merkle import HASH_BYTES, MAX_PATH, MAX_TREE_SIZE
from schemas.ledger.note import MAX_NOTE_BYTES

MAX_EXTRA_BYTES: Final = 4096
"""As much as a leaf: nothing we make has more to say beside it."""
MAX_PROOF_BYTES: Final = MAX_NOTE_BYTES + 16 * 1024
"""The largest checkpoint, the longest path (63 lines of 45 bytes) and the longest extra."""
_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A well-formed proof that nobody has checked. `extra` is signed by nobody.

    Raises:
        ProofMalformed: an index, a hash or an extra that the form cannot hold.
        NoteMalformed, NoteTooLarge, CheckpointMalformed: the checkpoint is none.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_TREE_SIZE:
            raise ProofMalformed("index")
        if len(self.hashes) > MAX_PATH or not set(map(len, self.hashes)) <= {HASH_BYTES}:
            raise ProofMalformed("hashes")
        if self.extra is not None and not 1 <= len(self.extra) <= MAX_EXTRA_BYTES:
            raise ProofMalformed("extra")
        read_checkpoint(self.checkpoint)


def format_proof(proof: TlogProof) -> bytes:
    """Return the text of a proof, the checkpoint in it byte for byte."""
    lines = [_FIRST_LINE]
    if proof.extra is not None:
        lines.append(f"extra {encode_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines += map(encode_base64, proof.hashes)
    return "\n".join([*lines, "", ""]).encode("ascii") + proof.checkpoint


def parse_proof(raw: bytes) -> TlogProof:
    """Read a proof in its one form. `format_proof` gives the same bytes back.

    Raises:
        ProofMalformed: not such a text.
        NoteMalformed, NoteTooLarge, CheckpointMalformed: the checkpoint in it is none.
    """
    if len(raw) > MAX_PROOF_BYTES:
        raise ProofMalformed("too long")
    start, blank, checkpoint = raw.partition(b"\n\n")
    text = decode_text(start)
    if not blank or text is None:
        raise ProofMalformed("no checkpoint")
    lines = text.split("\n")
    if lines.pop(0) != _FIRST_LINE:
        raise ProofMalformed("first line")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise ProofMalformed("extra")
    if not lines or not lines[0].startswith("index "):
        raise ProofMalformed("index")
    index = decode_decimal(lines.pop(0).removeprefix("index "))
    if index is None:
        raise ProofMalformed("index")
    hashes = [one for one in map(decode_base64, lines) if one is not None]
    if len(hashes) != len(lines):
        raise ProofMalformed("hashes")
    return TlogProof(index, tuple(hashes), checkpoint, extra)
