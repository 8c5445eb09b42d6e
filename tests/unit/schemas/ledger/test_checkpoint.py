"""Checkpoints: three lines, by the log they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger.checkpoint import SignedTreeHead, TreeHead, open_checkpoint, parse_tree_head, sign_checkpoint
from schemas.ledger.failures import (
    CheckpointForeign,
    CheckpointMalformed,
    LedgerRejected,
    NoteNotSigned,
    VerifierKeyUnsuitable,
)
from schemas.ledger.merkle import EMPTY_ROOT
from schemas.ledger.note import NoteSignature, add_signatures
from schemas.vectors.ledger_log import ORIGIN, ed25519_cosigner, flipped, head, signed_head, signer
from tests.unit.schemas.ledger.samples import damaged

LOG = signer().verifier_key


def test_a_checkpoint_is_the_specification_s_three_lines() -> None:
    example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    read = parse_tree_head(example)
    assert (read.origin, read.size, read.text) == ("example.com/behind-the-sofa", 20852163, example)


def test_a_checkpoint_opens_for_the_log_that_signed_it() -> None:
    raw = sign_checkpoint(head(), signer())
    opened = open_checkpoint(raw, log=LOG, origin=ORIGIN)
    assert (opened.head, opened.note) == (head(), raw)


def test_other_signatures_beside_the_log_s_do_no_harm() -> None:
    raw = add_signatures(signed_head().note, [NoteSignature("w.example", bytes(4), b"whatever")])
    assert open_checkpoint(raw, log=LOG, origin=ORIGIN).head == head()


def test_a_log_signs_under_its_own_origin_only() -> None:
    with pytest.raises(CheckpointForeign):
        sign_checkpoint(head(), signer(1, "other.example"))
    with pytest.raises(CheckpointForeign):
        open_checkpoint(signed_head().note, log=LOG, origin="other.example")
    with pytest.raises(CheckpointForeign):
        open_checkpoint(signed_head().note, log=signer(1, "other.example").verifier_key, origin=ORIGIN)


def test_another_key_of_the_log_s_name_did_not_sign() -> None:
    with pytest.raises(NoteNotSigned):
        open_checkpoint(signed_head().note, log=signer(2).verifier_key, origin=ORIGIN)


def test_a_cosigner_s_key_is_no_log_key() -> None:
    cosigner = ed25519_cosigner().verifier_key
    with pytest.raises(VerifierKeyUnsuitable):
        open_checkpoint(signed_head().note, log=cosigner, origin=cosigner.name)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, bytes(32)),
        ("a\nb", 1, bytes(32)),
        ("a\tb", 1, bytes(32)),
        ("\ud800", 1, bytes(32)),
        ("é" * 128, 1, bytes(32)),
        ("a", -1, bytes(32)),
        ("a", 2**63, bytes(32)),
        ("a", 1, bytes(31)),
        ("a", 0, bytes(32)),
    ],
)
def test_a_head_no_tree_can_have_is_refused(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(CheckpointMalformed):
        TreeHead(origin, size, root)


@pytest.mark.parametrize("size", ["", "00", "01", "-1", "+1", " 1", "1 ", "1_0", "0x1", "١", "²", "9" * 19, "1" * 5000])
def test_a_size_in_another_form_is_refused(size: str) -> None:
    with pytest.raises(CheckpointMalformed):
        parse_tree_head(f"a\n{size}\n{'A' * 43}=\n")


def test_nobody_but_open_checkpoint_says_a_head_is_signed() -> None:
    with pytest.raises(TypeError):
        SignedTreeHead(head(), b"", object())


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60), st.integers(1, 2**63 - 1))
def test_a_head_reads_back_as_itself(origin: str, size: int) -> None:
    for written in (TreeHead(origin, size, bytes(range(32))), TreeHead(origin, 0, EMPTY_ROOT)):
        assert parse_tree_head(written.text) == written


def test_no_changed_bit_of_a_checkpoint_opens() -> None:
    raw = signed_head().note
    for position in range(len(raw)):
        with pytest.raises(LedgerRejected):
            open_checkpoint(flipped(raw, position), log=LOG, origin=ORIGIN)


@given(damaged(signed_head().note))
def test_any_bytes_are_the_checkpoint_or_refused(raw: bytes) -> None:
    try:
        opened = open_checkpoint(raw, log=LOG, origin=ORIGIN)
    except LedgerRejected:
        return
    assert opened.head == head()
