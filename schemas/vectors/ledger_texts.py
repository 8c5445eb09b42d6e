"""Vectors of the sharing log's texts: verifier keys, notes, checkpoints, cosignatures, proofs and receipts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from schemas.ledger.checkpoint import sign_checkpoint
from schemas.ledger.lines import encode_base64
from schemas.ledger.merkle import inclusion_proof
from schemas.ledger.note import Ed25519NoteSigner, NoteSignature, add_signatures, format_signature_lines
from schemas.ledger.proof import TlogProof, format_proof
from schemas.ledger.receipt import issue_receipt
from schemas.ledger.verifier_key import ED25519, key_id_of
from schemas.vectors.ledger_log import (
    COSIGNED_AT,
    CT_LEAVES,
    ORIGIN,
    ed25519_cosigner,
    flipped,
    grown,
    head,
    ml_dsa_44_cosigner,
    signed_head,
    signer,
)
from schemas.vectors.ledger_ml_dsa_44 import SIGNATURE

Case = dict[str, object]

_C2SP_KEY: Final = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
_C2SP_NOTE: Final = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
_PETER_KEY: Final = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
_ORDER_8: Final = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
_WEAK_POINTS: Final = (
    ("the neutral point", "01" + "00" * 31),
    ("the point of order 2", "ec" + "ff" * 30 + "7f"),
    ("a point of order 4", "00" * 32),
    ("a point of order 8", _ORDER_8),
    ("a point of order 8, other sign", _ORDER_8[:-2] + "fa"),
    ("the prime itself", "ed" + "ff" * 30 + "7f"),
    ("one encoded as the prime and one", "ee" + "ff" * 31),
)


def verifier_keys() -> list[Case]:
    """Return texts that are, or are nearly, verifier keys."""
    cosigners = str(ed25519_cosigner().verifier_key), str(ml_dsa_44_cosigner().verifier_key)
    sound = [("C2SP's example", _C2SP_KEY), ("x/mod's example", _PETER_KEY), ("Ed25519 cosigner", cosigners[0])]
    sound.append(("ML-DSA-44 cosigner", cosigners[1]))
    weak = [(name, _key_text("weak.example", bytes([ED25519]) + bytes.fromhex(point))) for name, point in _WEAK_POINTS]
    malformed = [
        ("no key", "example.com/foo+530d903a+"),
        ("no name", _key_text("", bytes([ED25519]) + signer().verifier_key.public)),
        ("a space in the name", _key_text("a b", bytes([ED25519]) + signer().verifier_key.public)),
        ("a no-break space in the name", _key_text("a\u00a0b", bytes([ED25519]) + signer().verifier_key.public)),
        ("another key ID", _C2SP_KEY.replace("530d903a", "530d903b")),
        ("upper-case key ID", _C2SP_KEY.replace("530d903a", "530D903A")),
        ("unused bits in the base64", cosigners[0][:-1] + ("B" if cosigners[0][-1] == "A" else "A")),
        ("a final newline", _C2SP_KEY + "\n"),
        ("a key too long (x/mod)", "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="),
        ("an unknown type (x/mod)", "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
    ]
    expected = {"ok": sound, "verifier_key_weak": weak, "verifier_key_malformed": malformed}
    return [
        {"name": name, "verifier_key": text, "expect": expect}
        for expect, cases in expected.items()
        for name, text in cases
    ]


def notes() -> list[Case]:
    """Return notes, the keys trusted for each, and what opening them must end in."""
    ours, other = signer(), signer(2, "other.example")
    text = b"one line\n\nand another\n"
    own, foreign = _line(ours, text), _line(other, text)
    key, other_key = str(ours.verifier_key), str(other.verifier_key)
    bad = format_signature_lines([NoteSignature(ours.name, ours.key_id, flipped(ours.sign(text), 0))])
    impostor = format_signature_lines([NoteSignature("impostor.example", ours.key_id, ours.sign(text))])
    crowd = b"".join(_line(signer(seed, f"w{seed}.example"), text) for seed in range(5, 68))
    cases: list[tuple[str, bytes, list[str], str]] = [
        ("C2SP's example", _C2SP_NOTE.encode(), [_C2SP_KEY], "ok"),
        ("text with an empty line", text + b"\n" + own, [key], "ok"),
        ("an unknown signature beside ours", text + b"\n" + foreign + own, [key], "ok"),
        ("two known signatures", text + b"\n" + foreign + own, [key, other_key], "ok"),
        ("our key ID under another name", text + b"\n" + impostor + own, [key], "ok"),
        ("64 signatures", text + b"\n" + crowd + own, [key], "ok"),
        ("65 signatures", text + b"\n" + crowd + own + foreign, [key], "note_too_large"),
        ("no known signature", text + b"\n" + foreign, [key], "note_not_signed"),
        ("nobody trusted", text + b"\n" + own, [], "note_not_signed"),
        ("a bad signature", text + b"\n" + bad, [key], "note_signature_invalid"),
        ("a bad signature beside a good one", text + b"\n" + bad + foreign, [key, other_key], "note_signature_invalid"),
        ("another text", b"An" + text[2:] + b"\n" + own, [key], "note_signature_invalid"),
        ("our signature twice", text + b"\n" + own + own, [key], "note_signature_repeated"),
        ("a key trusted twice", text + b"\n" + own, [key, key], "verifier_key_ambiguous"),
        ("a cosigner's key", text + b"\n" + own, [str(ed25519_cosigner().verifier_key)], "verifier_key_unsuitable"),
        ("no signature line", text, [key], "note_malformed"),
        ("no empty line", text[:9] + own, [key], "note_malformed"),
        ("no final newline", text + b"\n" + own[:-1], [key], "note_malformed"),
        ("a line that is no signature", text + b"\n" + own + b"x\n", [key], "note_malformed"),
        ("a tab", b"\t" + text + b"\n" + _line(ours, b"\t" + text), [key], "note_malformed"),
        ("carriage returns", (text + b"\n" + own).replace(b"\n", b"\r\n"), [key], "note_malformed"),
        ("not UTF-8", b"\xff" + text + b"\n" + _line(ours, b"\xff" + text), [key], "note_malformed"),
        ("a hyphen for the dash", text + b"\n" + own.replace("—".encode(), b"-"), [key], "note_malformed"),
        ("a space in the name", text + b"\n" + own.replace(b"hub.", b"hub ."), [key], "note_malformed"),
        ("a plus in the name", text + b"\n" + own.replace(b"hub.", b"hub+"), [key], "note_malformed"),
        ("unused bits in the base64", text + b"\n" + _respelt(own), [key], "note_malformed"),
        ("a key ID and nothing more", text + b"\n" + "— a AAAAAA==\n".encode(), [key], "note_malformed"),
    ]
    return [
        {"name": name, "raw": encode_base64(raw), "trusted": trusted, "expect": expect}
        for name, raw, trusted, expect in cases
    ]


def checkpoints() -> list[Case]:
    """Return checkpoints and what opening them, as the vectors' log, must end in."""
    root = encode_base64(head().root)

    def signed(text: str, by: Ed25519NoteSigner | None = None) -> bytes:
        return text.encode() + b"\n" + _line(by or signer(), text.encode())

    return _documents(
        [
            ("eight leaves", sign_checkpoint(head(), signer()), "ok"),
            ("an empty tree", sign_checkpoint(head(0), signer()), "ok"),
            ("an extension line", signed(f"{ORIGIN}\n8\n{root}\nmore\n"), "checkpoint_malformed"),
            ("two lines", signed(f"{ORIGIN}\n8\n"), "checkpoint_malformed"),
            ("a leading zero", signed(f"{ORIGIN}\n08\n{root}\n"), "checkpoint_malformed"),
            ("a sign", signed(f"{ORIGIN}\n+8\n{root}\n"), "checkpoint_malformed"),
            ("digits that are not ASCII", signed(f"{ORIGIN}\n\u0668\n{root}\n"), "checkpoint_malformed"),
            ("a size of 2^63", signed(f"{ORIGIN}\n{2**63}\n{root}\n"), "checkpoint_malformed"),
            ("a short root", signed(f"{ORIGIN}\n8\n{encode_base64(bytes(31))}\n"), "checkpoint_malformed"),
            ("an empty tree with a root", signed(f"{ORIGIN}\n0\n{root}\n"), "checkpoint_malformed"),
            ("no origin", signed(f"\n8\n{root}\n"), "checkpoint_malformed"),
            ("another origin", signed(f"{ORIGIN}/7\n8\n{root}\n"), "checkpoint_foreign"),
            ("another log's key", signed(f"{ORIGIN}\n8\n{root}\n", signer(2)), "note_not_signed"),
            ("no signature", f"{ORIGIN}\n8\n{root}\n".encode(), "note_malformed"),
        ],
    )


def cosignatures() -> list[Case]:
    """Return cosigned eight-leaf checkpoints and what asking for both cosigners' cosignatures must end in."""
    checkpoint = signed_head()
    old, new = ed25519_cosigner(), ml_dsa_44_cosigner()
    by_old = old.cosign(checkpoint, COSIGNED_AT)
    by_new = NoteSignature(new.verifier_key.name, new.verifier_key.key_id, SIGNATURE)
    bare, doubled = checkpoint.note, checkpoint.note + format_signature_lines([by_old, by_old])

    def changed(line: NoteSignature, position: int) -> NoteSignature:
        return NoteSignature(line.name, line.key_id, flipped(line.signature, position))

    cases = [
        ("nobody", bare, "ok", 0),
        ("Ed25519", add_signatures(bare, [by_old]), "ok", 1),
        ("both", add_signatures(bare, [by_old, by_new]), "ok", 2),
        ("another time, Ed25519", add_signatures(bare, [changed(by_old, 7)]), "cosignature_invalid", 0),
        ("another time, ML-DSA-44", add_signatures(bare, [changed(by_new, 7)]), "cosignature_invalid", 0),
        ("a time beyond 9999", add_signatures(bare, [changed(by_old, 0)]), "cosignature_invalid", 0),
        ("a changed signature", add_signatures(bare, [by_old, changed(by_new, 1000)]), "cosignature_invalid", 0),
        ("twice", doubled, "note_signature_repeated", 0),
    ]
    keys = [str(old.verifier_key), str(new.verifier_key)]
    return [
        {"name": name, "raw": encode_base64(raw), "cosigners": keys, "found": found, "expect": expect}
        | ({"cosigned_at": COSIGNED_AT // 1000 * 1000} if found else {})
        for name, raw, expect, found in cases
    ]


def proofs() -> list[Case]:
    """Return texts that are, or are nearly, `tlog-proof@v1`; reading is all that is asked."""
    path = inclusion_proof(5, 8, grown(8)[1])
    checkpoint = signed_head().note
    plain = format_proof(TlogProof(5, path, checkpoint))
    return _documents(
        [
            ("plain", plain, "ok"),
            ("with extra", format_proof(TlogProof(5, path, checkpoint, b"extra")), "ok"),
            ("one leaf, no hashes", format_proof(TlogProof(0, (), signed_head(1).note)), "ok"),
            ("another version", plain.replace(b"@v1", b"@v2"), "proof_malformed"),
            ("empty extra", plain.replace(b"index", b"extra \nindex"), "proof_malformed"),
            ("extra after index", plain.replace(b"index 5", b"index 5\nextra AAAA"), "proof_malformed"),
            ("no index", plain.replace(b"index 5\n", b""), "proof_malformed"),
            ("a leading zero", plain.replace(b"index 5", b"index 05"), "proof_malformed"),
            ("a short hash", plain.replace(b"index 5\n", b"index 5\nAAAA\n"), "proof_malformed"),
            ("no empty line", plain.replace(b"\n\n", b"\n"), "proof_malformed"),
            ("two empty lines", plain.replace(b"\n\n", b"\n\n\n", 1), "checkpoint_malformed"),
            ("an unsigned checkpoint", plain[: plain.rindex(b"\n\n") + 1], "note_malformed"),
            ("carriage returns", plain.replace(b"\n", b"\r\n"), "proof_malformed"),
        ]
    )


def receipts() -> list[Case]:
    """Return receipts and what verifying them, as the vectors' log, must end in."""
    node, checkpoint, leaf = grown(8)[1], signed_head().note, CT_LEAVES[7]
    path = inclusion_proof(7, 8, node)
    sound = issue_receipt(leaf, 7, 8, node, checkpoint)
    forged = sign_checkpoint(head(), signer(2))
    return _documents(
        [
            ("the last leaf", sound, "ok"),
            ("an empty leaf", issue_receipt(CT_LEAVES[0], 0, 8, node, checkpoint), "ok"),
            ("another leaf", _receipt(flipped(leaf, 0), TlogProof(7, path, checkpoint)), "inclusion_not_proven"),
            ("another index", _receipt(leaf, TlogProof(6, path, checkpoint)), "inclusion_not_proven"),
            ("an index outside the tree", _receipt(leaf, TlogProof(8, path, checkpoint)), "inclusion_not_proven"),
            ("an older tree", _receipt(leaf, TlogProof(7, path, signed_head(7).note)), "inclusion_not_proven"),
            ("another log's key", _receipt(leaf, TlogProof(7, path, forged)), "note_not_signed"),
            ("another checkpoint", sound.replace(b"\n8\n", b"\n9\n"), "note_signature_invalid"),
            ("with extra", _receipt(leaf, TlogProof(7, path, checkpoint, b"x")), "receipt_malformed"),
            ("nothing", b"", "receipt_malformed"),
            ("a length and no leaf", (4096).to_bytes(4, "big"), "receipt_malformed"),
            ("a leaf too long", _receipt(bytes(4097), TlogProof(7, path, checkpoint)), "receipt_too_large"),
            ("a receipt too long", sound + bytes(16 * 1024), "receipt_too_large"),
            ("bytes after the end", sound + b"\n", "note_malformed"),
        ]
    )


def _receipt(leaf: bytes, proof: TlogProof) -> bytes:
    return len(leaf).to_bytes(4, "big") + leaf + format_proof(proof)


def _documents(cases: Iterable[tuple[str, bytes, str]]) -> list[Case]:
    key = str(signer().verifier_key)
    return [{"name": name, "raw": encode_base64(raw), "log": key, "expect": expect} for name, raw, expect in cases]


def _line(by: Ed25519NoteSigner, text: bytes) -> bytes:
    return format_signature_lines([NoteSignature(by.name, by.key_id, by.sign(text))])


def _key_text(name: str, typed_key: bytes) -> str:
    key_id = key_id_of(name, typed_key[0], typed_key[1:])
    return f"{name}+{key_id.hex()}+{encode_base64(typed_key)}"


def _respelt(line: bytes) -> bytes:
    """Return a line whose base64 ends in `=` with one of the unused bits set: the same bytes to a lax reader."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    position = line.rindex(b"=") - 1
    return line[:position] + bytes([alphabet[alphabet.index(line[position]) ^ 1]]) + line[position + 1 :]
