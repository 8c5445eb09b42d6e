"""Cosignatures: the bytes that are signed, written here by hand, and whose word counts."""

from __future__ import annotations

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger import cosignature
from schemas.ledger.checkpoint import SignedTreeHead, TreeHead, open_checkpoint
from schemas.ledger.cosignature import Ed25519Cosigner, cosignatures_of, verify_cosignature
from schemas.ledger.failures import (
    CosignatureInvalid,
    NoteSignatureRepeated,
    VerifierKeyAmbiguous,
    VerifierKeyUnsuitable,
)
from schemas.ledger.note import NoteSignature, VerifierKey, add_signatures, format_signature_lines
from schemas.vectors.ledger_log import (
    COSIGNED_AT,
    ORIGIN,
    ed25519_cosigner,
    flipped,
    ml_dsa_44_cosigner,
    signed_head,
    signer,
)

SOFA = TreeHead(
    "example.com/behind-the-sofa",
    20852163,
    bytes.fromhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"),
)
SECONDS = COSIGNED_AT // 1000


def _with(*lines: NoteSignature) -> SignedTreeHead:
    raw = add_signatures(signed_head().note, lines)
    return open_checkpoint(raw, log=signer().verifier_key, origin=ORIGIN)


def test_the_ed25519_message_is_the_specification_s() -> None:
    assert cosignature.ed25519_message(SOFA, 1679315147) == (
        b"cosignature/v1\n"
        b"time 1679315147\n"
        b"example.com/behind-the-sofa\n"
        b"20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_ml_dsa_44_message_is_the_specification_s() -> None:
    by_hand = (
        b"subtree/v1\n\x00"
        + b"\x16witness.example.com/w1"
        + bytes.fromhex("00000000641850cb")
        + b"\x1bexample.com/behind-the-sofa"
        + bytes(8)
        + bytes.fromhex("00000000013e2dc3")
        + SOFA.root
    )
    assert cosignature.ml_dsa_44_message("witness.example.com/w1", SOFA, 1679315147) == by_hand


def test_a_line_holds_the_seconds_and_a_signature_over_that_message() -> None:
    checkpoint = signed_head()
    old = ed25519_cosigner().cosign(checkpoint, COSIGNED_AT).signature
    assert struct.unpack(">Q", old[:8]) == (SECONDS,)
    public = Ed25519PublicKey.from_public_bytes(ed25519_cosigner().verifier_key.public)
    public.verify(old[8:], f"cosignature/v1\ntime {SECONDS}\n{checkpoint.head.text}".encode())
    new = ml_dsa_44_cosigner().cosign(checkpoint, COSIGNED_AT).signature
    assert (struct.unpack(">Q", new[:8]), len(new)) == ((SECONDS,), 8 + 2420)
    name = ml_dsa_44_cosigner().verifier_key.name.encode()
    MLDSA44PublicKey.from_public_bytes(ml_dsa_44_cosigner().verifier_key.public).verify(
        new[8:],
        b"subtree/v1\n\x00"
        + bytes([len(name)])
        + name
        + struct.pack(">Q", SECONDS)
        + bytes([len(ORIGIN)])
        + ORIGIN.encode()
        + struct.pack(">QQ", 0, 8)
        + checkpoint.head.root,
    )


def test_the_key_ids_are_those_of_types_four_and_six() -> None:
    assert ed25519_cosigner().verifier_key.algorithm == 0x04
    assert ml_dsa_44_cosigner().verifier_key.algorithm == 0x06
    for cosigner in (ed25519_cosigner(), ml_dsa_44_cosigner()):
        assert VerifierKey.parse(str(cosigner.verifier_key)) == cosigner.verifier_key


def test_both_cosignatures_are_found_with_their_time() -> None:
    old, new = ed25519_cosigner(), ml_dsa_44_cosigner()
    cosigned = _with(new.cosign(signed_head(), COSIGNED_AT), old.cosign(signed_head(), COSIGNED_AT + 5000))
    found = cosignatures_of(cosigned, [old.verifier_key, new.verifier_key])
    assert [(one.key, one.cosigned_at) for one in found] == [
        (old.verifier_key, (SECONDS + 5) * 1000),
        (new.verifier_key, SECONDS * 1000),
    ]
    assert cosignatures_of(signed_head(), [old.verifier_key, new.verifier_key]) == ()
    assert cosignatures_of(cosigned, []) == ()


@pytest.mark.parametrize("cosigner", [ed25519_cosigner(), ml_dsa_44_cosigner()])
def test_a_cosignature_is_for_one_tree_and_one_time(cosigner: cosignature.Cosigner) -> None:
    line, key = cosigner.cosign(signed_head(8), COSIGNED_AT), cosigner.verifier_key
    assert verify_cosignature(signed_head(8), key, line).cosigned_at == SECONDS * 1000
    with pytest.raises(CosignatureInvalid):
        verify_cosignature(signed_head(7), key, line)
    for position in (*range(8), 8, 40, -1):
        changed = NoteSignature(line.name, line.key_id, flipped(line.signature, position))
        with pytest.raises(CosignatureInvalid):
            verify_cosignature(signed_head(8), key, changed)
        with pytest.raises(CosignatureInvalid):
            cosignatures_of(_with(changed), [key])
    for length in (1, 8, len(line.signature) - 1):
        with pytest.raises(CosignatureInvalid):
            verify_cosignature(signed_head(8), key, NoteSignature(line.name, line.key_id, line.signature[:length]))


def test_a_line_under_another_name_is_not_the_cosigner_s() -> None:
    line = ed25519_cosigner().cosign(signed_head(), COSIGNED_AT)
    with pytest.raises(CosignatureInvalid):
        verify_cosignature(
            signed_head(), ed25519_cosigner().verifier_key, NoteSignature("x", line.key_id, line.signature)
        )


def test_one_public_key_counts_once_whatever_its_names() -> None:
    key = ed25519_cosigner().verifier_key
    with pytest.raises(VerifierKeyAmbiguous):
        cosignatures_of(signed_head(), [key, VerifierKey.of("alias.example", key.algorithm, key.public)])


def test_a_cosigner_stands_once_under_a_checkpoint() -> None:
    line = ed25519_cosigner().cosign(signed_head(), COSIGNED_AT)
    raw = signed_head().note + format_signature_lines([line, line])
    twice = open_checkpoint(raw, log=signer().verifier_key, origin=ORIGIN)
    with pytest.raises(NoteSignatureRepeated):
        cosignatures_of(twice, [ed25519_cosigner().verifier_key])


def test_a_note_key_is_no_cosigner_s_key() -> None:
    with pytest.raises(VerifierKeyUnsuitable):
        verify_cosignature(signed_head(), signer().verifier_key, NoteSignature("a", bytes(4), b"s"))


@pytest.mark.parametrize("cosigned_at", [-1, -1000, (cosignature.MAX_TIMESTAMP + 1) * 1000])
def test_a_time_outside_the_calendar_is_not_signed(cosigned_at: int) -> None:
    with pytest.raises(CosignatureInvalid):
        ed25519_cosigner().cosign(signed_head(), cosigned_at)
    with pytest.raises(CosignatureInvalid):
        ml_dsa_44_cosigner().cosign(signed_head(), cosigned_at)


def test_nobody_but_the_verifier_makes_a_cosignature() -> None:
    with pytest.raises(TypeError):
        cosignature.Cosignature(ed25519_cosigner().verifier_key, 0, object())


@given(signature=st.binary(min_size=1, max_size=100), seed=st.binary(min_size=32, max_size=32))
def test_any_bytes_are_a_cosignature_or_refused(signature: bytes, seed: bytes) -> None:
    key = Ed25519Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(seed)).verifier_key
    with pytest.raises(CosignatureInvalid):
        verify_cosignature(signed_head(), key, NoteSignature(key.name, key.key_id, signature))
