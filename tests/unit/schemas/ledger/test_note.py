"""Signed notes: what is signed, by whom, and what is ignored."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger import note
from schemas.ledger.failures import (
    NoteMalformed,
    NoteNotSigned,
    NoteSignatureInvalid,
    NoteSignatureRepeated,
    NoteTooLarge,
    VerifierKeyAmbiguous,
)
from schemas.ledger.lines import decode_base64
from schemas.ledger.note import Ed25519NoteSigner, Note, NoteSignature, VerifierKey
from tests.unit.schemas.ledger.samples import damaged, reads_or_refuses

TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH = VerifierKey.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def _raw(*lines: str, text: str = TEXT) -> bytes:
    return (text + "\n" + "".join(lines)).encode()


def _signer(seed: int, name: str) -> Ed25519NoteSigner:
    return Ed25519NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def _signed(by: Ed25519NoteSigner, text: str = TEXT) -> NoteSignature:
    return NoteSignature(by.name, by.key_id, by.sign(text.encode()))


def test_the_example_of_the_specification_opens() -> None:
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    raw = (
        "This is an example message.\n\n— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    ).encode()
    assert note.open_note(raw, [key]).text == "This is an example message.\n"


def test_the_reference_signer_writes_the_reference_note() -> None:
    # x/mod's test key: PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz
    seed = decode_base64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    assert seed is not None
    signer = Ed25519NoteSigner("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed[1:]))
    assert signer.verifier_key == PETER
    assert note.format_note(Note(TEXT, (_signed(signer),))) == _raw(PETER_LINE)


def test_signatures_by_keys_we_do_not_know_are_ignored() -> None:
    assert note.open_note(_raw(PETER_LINE, ENOCH_LINE), [PETER]).signed_by == (PETER,)
    assert note.open_note(_raw(ENOCH_LINE, ENOCH_LINE, PETER_LINE), [PETER]).signed_by == (PETER,)
    assert note.open_note(_raw(ENOCH_LINE, PETER_LINE), [PETER, ENOCH]).signed_by == (PETER, ENOCH)


def test_a_name_or_a_key_id_alone_does_not_make_a_line_ours() -> None:
    namesake = PETER_LINE.replace("x08go/", "x08gp/")
    lookalike = PETER_LINE.replace("PeterNeumann", "PeterNeuman")
    assert note.open_note(_raw(namesake, lookalike, PETER_LINE), [PETER]).signed_by == (PETER,)
    with pytest.raises(NoteNotSigned):
        note.open_note(_raw(namesake, lookalike), [PETER])


@pytest.mark.parametrize("trusted", [[], [ENOCH]])
def test_a_note_by_nobody_we_know_is_refused(trusted: list[VerifierKey]) -> None:
    with pytest.raises(NoteNotSigned):
        note.open_note(_raw(PETER_LINE), trusted)


def test_a_bad_signature_by_a_key_we_know_spoils_the_note() -> None:
    bad = PETER_LINE.replace("ZJkuBS", "ZJkuBT")
    with pytest.raises(NoteSignatureInvalid):
        note.open_note(_raw(bad, ENOCH_LINE), [PETER, ENOCH])
    with pytest.raises(NoteSignatureInvalid):
        note.open_note(_raw(PETER_LINE, text=TEXT.replace("answer", "Answer")), [PETER])
    longer = PETER_LINE[:60] + "ABCD" + PETER_LINE[60:]
    with pytest.raises(NoteSignatureInvalid):
        note.open_note(_raw(longer), [PETER])


def test_a_key_we_know_may_sign_once() -> None:
    with pytest.raises(NoteSignatureRepeated):
        note.open_note(_raw(PETER_LINE, PETER_LINE), [PETER])


def test_a_key_may_be_trusted_once() -> None:
    with pytest.raises(VerifierKeyAmbiguous):
        note.open_note(_raw(PETER_LINE), [ENOCH, PETER, ENOCH])


def test_sixty_four_signatures_are_read_and_not_one_more() -> None:
    crowd = [_signed(_signer(seed, f"w{seed}.example")) for seed in range(1, note.MAX_SIGNATURES)]
    full = note.format_note(Note(TEXT, (*crowd, *note.parse_note(_raw(PETER_LINE)).signatures)))
    assert note.open_note(full, [PETER]).signed_by == (PETER,)
    with pytest.raises(NoteTooLarge):
        note.open_note(full + ENOCH_LINE.encode(), [PETER])


def test_sixteen_of_the_largest_signatures_are_read() -> None:
    many = tuple(NoteSignature(f"w{number}.example", bytes(4), bytes(5000)) for number in range(16))
    assert note.parse_note(note.format_note(Note(TEXT, many))).signatures == many


def test_a_note_above_the_limit_is_neither_read_nor_written() -> None:
    large = Note("x" * note.MAX_NOTE_BYTES + "\n", (NoteSignature("a", bytes(4), b"s"),))
    with pytest.raises(NoteTooLarge):
        note.format_note(large)
    with pytest.raises(NoteTooLarge):
        note.parse_note(b"x" * (note.MAX_NOTE_BYTES + 1))


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        (TEXT + "\n").encode(),
        _raw(PETER_LINE)[:-1],
        b"\x01" + _raw(PETER_LINE),
        b"\xff" + _raw(PETER_LINE),
        _raw(PETER_LINE.replace("PeterNeumann", "Bad Name")),
        _raw(PETER_LINE.replace("PeterNeumann", "")),
        _raw(PETER_LINE, "Unexpected line.\n"),
        _raw(PETER_LINE.replace("— ", "- ")),
        _raw(PETER_LINE.replace("AM=", "AN=")),
        _raw(PETER_LINE.replace("AM=", "AM")),
        _raw("— a AAAAAA==\n"),
        _raw("— a\n"),
        _raw(PETER_LINE).replace(b"\n", b"\r\n"),
        b"",
        b"\n\n",
        ("\n" + PETER_LINE).encode(),
    ],
)
def test_what_is_not_a_note_is_refused(raw: bytes) -> None:
    with pytest.raises(NoteMalformed):
        note.parse_note(raw)


def test_the_last_empty_line_ends_the_text() -> None:
    text = "one\n\n— looks like a signature\n\ntwo\n"
    raw = note.format_note(Note(text, (_signed(_signer(1, "a"), text),)))
    assert note.open_note(raw, [_signer(1, "a").verifier_key]).text == text


def test_signatures_are_added_behind_those_that_stand() -> None:
    cosigned = note.add_signatures(_raw(PETER_LINE), [_signed(_signer(1, "a"))])
    assert cosigned.startswith(_raw(PETER_LINE))
    assert note.open_note(cosigned, [PETER, _signer(1, "a").verifier_key]).signed_by[0] == PETER
    with pytest.raises(NoteSignatureRepeated):
        note.add_signatures(cosigned, [_signed(_signer(1, "a"))])


def test_signature_lines_stand_without_their_text_as_a_witness_sends_them() -> None:
    lines = (PETER_LINE + ENOCH_LINE).encode()
    assert note.format_signature_lines(note.parse_signature_lines(lines)) == lines
    for bad in (b"", b"\n", lines[:-1], b"\n" + lines, b"\xff"):
        with pytest.raises(NoteMalformed):
            note.parse_signature_lines(bad)
    with pytest.raises(NoteTooLarge):
        note.parse_signature_lines(PETER_LINE.encode() * (note.MAX_SIGNATURES + 1))


def test_nobody_but_open_note_says_a_note_is_verified() -> None:
    with pytest.raises(TypeError):
        note.VerifiedNote(TEXT, (PETER,), object())


def test_a_signer_does_not_show_its_key() -> None:
    signer = _signer(7, "a")
    assert (bytes([7]) * 32).hex() not in repr(signer)
    assert not hasattr(signer, "__dict__")


@given(
    text=st.text(st.characters(exclude_categories=("Cs", "Cc"))),
    signatures=st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)), min_size=1),
)
def test_a_note_reads_back_as_itself(text: str, signatures: list[tuple[bytes, bytes]]) -> None:
    written = Note(text + "\n", tuple(NoteSignature("näme/1", key, signed) for key, signed in signatures[:64]))
    assert note.parse_note(note.format_note(written)) == written


@given(damaged(_raw(PETER_LINE), _raw(ENOCH_LINE, PETER_LINE)))
def test_any_bytes_are_a_note_in_its_one_form_or_refused(raw: bytes) -> None:
    reads_or_refuses(lambda one: note.format_note(note.parse_note(one)), raw)


@given(damaged(_raw(PETER_LINE)))
def test_no_damaged_note_opens(raw: bytes) -> None:
    try:
        opened = note.open_note(raw, [PETER])
    except (NoteMalformed, NoteNotSigned, NoteSignatureInvalid, NoteSignatureRepeated, NoteTooLarge):
        return
    assert opened.text == TEXT
