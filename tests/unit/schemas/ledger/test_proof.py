"""Proof texts: one form each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger.failures import CheckpointMalformed, NoteMalformed, ProofMalformed
from schemas.ledger.proof import TlogProof, format_proof, parse_proof
from schemas.vectors.ledger_log import signed_head
from tests.unit.schemas.ledger.samples import damaged, reads_or_refuses

CHECKPOINT = signed_head().note
PLAIN = format_proof(TlogProof(7, (bytes(32), bytes(range(32))), CHECKPOINT))


def test_a_proof_is_written_as_the_specification_says() -> None:
    proof = TlogProof(7, (bytes(32),), CHECKPOINT, b"age")
    assert format_proof(proof) == (
        b"c2sp.org/tlog-proof@v1\nextra YWdl\nindex 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + CHECKPOINT
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"c2sp.org/", b"C2SP.org/"),
        (b"@v1\n", b"@v1 \n"),
        (b"@v1\n", b"@v1\nextra\n"),
        (b"@v1\n", b"@v1\nextra \n"),
        (b"@v1\n", b"@v1\nextra YWdm=\n"),
        (b"@v1\n", b"@v1\nextra YWdl\nextra YWdl\n"),
        (b"@v1\n", b"@v1\nmore\n"),
        (b"index 7", b"index  7"),
        (b"index 7", b"index 07"),
        (b"index 7", b"index -7"),
        (b"index 7", b"index "),
        (b"index 7", b"index 9223372036854775807"),
        (b"index 7\n", b""),
        (b"index 7\n", b"index 7\nAAAA\n"),
        (b"AA=\n", b"AB=\n"),
        (b"AA=\n", b"AA=\r\n"),
        (b"\n\n", b"\n"),
        (PLAIN, b""),
        (PLAIN, b"c2sp.org/tlog-proof@v1\n\n" + CHECKPOINT),
        (b"index 7\n", b"index 7\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 62),
    ],
)
def test_a_proof_in_another_form_is_refused(old: bytes, new: bytes) -> None:
    assert old in PLAIN
    with pytest.raises(ProofMalformed):
        parse_proof(PLAIN.replace(old, new))


def test_what_follows_the_empty_line_must_be_a_checkpoint() -> None:
    with pytest.raises(NoteMalformed):
        parse_proof(PLAIN.removesuffix(CHECKPOINT))
    with pytest.raises(CheckpointMalformed):
        parse_proof(PLAIN.removesuffix(CHECKPOINT) + b"\n" + CHECKPOINT)


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [
        (-1, (), None),
        (2**63 - 1, (), None),
        (0, (bytes(31),), None),
        (0, (bytes(32),) * 64, None),
        (0, (), b""),
        (0, (), bytes(4097)),
    ],
)
def test_a_proof_the_form_cannot_hold_is_refused(index: int, hashes: tuple[bytes, ...], extra: bytes | None) -> None:
    with pytest.raises(ProofMalformed):
        TlogProof(index, hashes, CHECKPOINT, extra)


def test_a_proof_too_long_is_not_read() -> None:
    with pytest.raises(ProofMalformed):
        parse_proof(PLAIN + bytes(300 * 1024))


@given(
    st.integers(0, 2**63 - 2),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.one_of(st.none(), st.binary(min_size=1, max_size=100)),
)
def test_a_proof_reads_back_as_itself(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    written = TlogProof(index, tuple(hashes), CHECKPOINT, extra)
    assert parse_proof(format_proof(written)) == written


@given(damaged(PLAIN, format_proof(TlogProof(0, (), CHECKPOINT, b"extra"))))
def test_any_bytes_are_a_proof_in_its_one_form_or_refused(raw: bytes) -> None:
    reads_or_refuses(lambda one: format_proof(parse_proof(one)), raw)


def test_no_changed_bit_makes_a_parser_fail_otherwise() -> None:
    for position in range(len(PLAIN)):
        for bit in range(8):
            raw = PLAIN[:position] + bytes([PLAIN[position] ^ 1 << bit]) + PLAIN[position + 1 :]
            try:
                assert format_proof(parse_proof(raw)) == raw
            except (ProofMalformed, NoteMalformed, CheckpointMalformed):
                continue
