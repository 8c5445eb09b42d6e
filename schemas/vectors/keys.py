"""Vectors of keys, signatures, seals, addenda and party files."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from schemas.crypto.keys import ED25519_BYTES, HYBRID_PRIVATE_BYTES, Identity, SigningKey
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose
from schemas.crypto.sealing import ENCAPSULATION_BYTES, Sealing, open_sealed, seal
from schemas.crypto.signing import sign
from schemas.envelope import Envelope, pack, signed, unpack
from schemas.messages.addendum import AddendumHeader
from schemas.messages.fields import encode_base64
from schemas.messages.party import PartyStatement, armour, read_party, state_party
from schemas.vectors.formats import Case
from schemas.vectors.kept import keep
from schemas.vectors.ledger_log import flipped
from schemas.vectors.parties import (
    ADMISSION,
    AGENCY,
    COORDINATOR,
    DESK,
    HUB,
    OFFICER,
    T0,
    drawn,
    identity,
    party_file,
    signing_key,
    statement,
)
from schemas.vectors.samples import EXCHANGE, request_addendum

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of Ed25519's base point (RFC 8032 section 5.1)."""
HEADER = b'{"header":"of the sealed text"}'
CONTENT = b'{"content":"of the sealed text"}'


def b64(raw: bytes) -> str:
    """Bytes of a whole document, in base64."""
    return base64.b64encode(raw).decode("ascii")


def key_vectors() -> list[Case]:
    """Private keys' seeds with public key and key id, and public keys that must be refused."""
    cases: list[Case] = []
    for purpose, use in USES.items():
        if use.signs:
            signer = SigningKey.from_seed(purpose, drawn(f"key/{purpose}", ED25519_BYTES))
            cases.append(_key(purpose, signer.seed(), signer.public.raw, signer.id))
        elif use.algorithm is Algorithm.HPKE_HYBRID:
            opener = Identity.from_seed(purpose, drawn(f"key/{purpose}", HYBRID_PRIVATE_BYTES))
            cases.append(_key(purpose, opener.seed(), opener.public.raw, opener.id))
    ed25519 = [
        ("31 bytes", bytes(31)),
        ("33 bytes", signing_key(DESK, KeyPurpose.DEED).public.raw + b"\x00"),
        ("the neutral point", _le(1)),
        ("the point of order 2", _le(_P - 1)),
        ("a point of order 4", _le(0)),
        ("a point of order 8", _le(2707385501144840649318225287225658788936804267575313519463743609750303402022)),
        ("its other sign", _le(2707385501144840649318225287225658788936804267575313519463743609750303402022 + 2**255)),
        ("not reduced", _le(_P + 3)),
        ("no point of the curve", _le(2)),
    ]
    hybrid = identity(AGENCY, KeyPurpose.SEAL).public.raw
    sealing = [
        ("a byte too few", hybrid[:-1]),
        ("a byte too many", hybrid + b"\x00"),
        ("X25519: zero", hybrid[:-32] + _le(0)),
        ("X25519: one", hybrid[:-32] + _le(1)),
        ("X25519: not reduced", hybrid[:-32] + _le(_P + 3)),
        ("X25519: the unused bit", hybrid[:-1] + bytes([hybrid[-1] | 0x80])),
        (
            "X25519: a point of order 8",
            hybrid[:-32] + _le(325606250916557431795983626356110631294008115727848805560023387167927233504),
        ),
        ("ML-KEM: a coefficient of 3329", (3329).to_bytes(2, "little") + hybrid[2:]),
    ]
    return [
        *cases,
        *(_bad_key(name, KeyPurpose.DEED, raw) for name, raw in ed25519),
        *(_bad_key(name, KeyPurpose.SEAL, raw) for name, raw in sealing),
        _bad_key("no public half", KeyPurpose.STORAGE, bytes(32)),
    ]


def signature_vectors() -> list[Case]:
    """Signatures, the purpose each is checked for, and what checking must end in."""
    key, other = signing_key(DESK, KeyPurpose.REQUEST), signing_key(DESK, KeyPurpose.MESSAGE)
    message = HEADER
    good = sign(key, KeyPurpose.REQUEST, message)
    # The same private key used outside its context: what another protocol's signature would be.
    bare = key.private.sign(message)
    as_message = key.private.sign(b"needtoknow/v1/message\x00" + message)
    longer = good[:32] + (int.from_bytes(good[32:], "little") + _ORDER).to_bytes(32, "little")
    cases = [
        ("sound", message, good, "ok"),
        ("an empty message", b"", sign(key, KeyPurpose.REQUEST, b""), "ok"),
        ("another message", flipped(message, 3), good, "signature_invalid"),
        ("a changed signature", message, flipped(good, 5), "signature_invalid"),
        ("another key's", message, sign(other, KeyPurpose.MESSAGE, message), "signature_invalid"),
        ("without context", message, bare, "signature_invalid"),
        ("of another context", message, as_message, "signature_invalid"),
        ("its scalar not reduced", message, longer, "signature_invalid"),
        ("63 bytes", message, good[:-1], "signature_invalid"),
        ("65 bytes", message, good + b"\x00", "signature_invalid"),
    ]
    rows: list[Case] = [
        {
            "name": name,
            "key_purpose": "request",
            "purpose": "request",
            "public_hex": key.public.raw.hex(),
            "message_hex": raw.hex(),
            "signature_hex": signature.hex(),
            "expect": expect,
        }
        for name, raw, signature, expect in cases
    ]
    wrong = {**rows[0], "name": "a key of another purpose", "key_purpose": "message", "expect": "wrong_purpose"}
    seals = {**rows[0], "name": "a purpose that does not sign", "purpose": "seal", "expect": "wrong_purpose"}
    return [*rows, wrong, seals]


def seal_vectors() -> list[Case]:
    """Sealed texts, the seed of the key that opens them, the header they belong to, and what opening must end in."""
    cases: list[Case] = []
    purposes = {
        Sealing.REQUEST: KeyPurpose.SEAL,
        Sealing.ANSWER: KeyPurpose.REPLY,
        Sealing.ADDENDUM_KEY: KeyPurpose.ADDENDUM,
    }
    for kind, purpose in purposes.items():
        opener = identity(f"vectors/{kind}", purpose)
        content = drawn("addendum key", 32) if kind is Sealing.ADDENDUM_KEY else CONTENT
        raw = _sealed(f"seal-{kind}", kind, content, opener)
        sound: Case = {
            "name": kind.value,
            "kind": kind.value,
            "key_purpose": purpose.value,
            "seed_hex": opener.seed().hex(),
            "header_hex": HEADER.hex(),
            "sealed": b64(raw),
        }
        cases.append({**sound, "content_hex": content.hex(), "expect": "ok"})
        cases += [{**sound, "name": f"{kind}: {name}", **change} for name, change in _broken_seals(raw, kind)]
    return cases


def _broken_seals(raw: bytes, kind: Sealing) -> Iterable[tuple[str, Case]]:
    broken = {"expect": "seal_broken"}
    yield "another header", {"header_hex": flipped(HEADER, 2).hex(), **broken}
    yield "no header", {"header_hex": "", **broken}
    yield "another key", {"seed_hex": drawn("another seed", HYBRID_PRIVATE_BYTES).hex(), **broken}
    yield "a byte too few", {"sealed": b64(raw[:-1]), **broken}
    yield "a changed tag", {"sealed": b64(flipped(raw, -1)), **broken}
    if kind is Sealing.REQUEST:
        yield "a changed ML-KEM ciphertext", {"sealed": b64(flipped(raw, 0)), **broken}
        yield "a changed X25519 share", {"sealed": b64(flipped(raw, ENCAPSULATION_BYTES - 1)), **broken}
        zero = raw[: ENCAPSULATION_BYTES - 32] + bytes(32) + raw[ENCAPSULATION_BYTES:]
        yield "an X25519 share of small order", {"sealed": b64(zero), **broken}
        yield "nothing", {"sealed": "", **broken}
        yield "a key of another purpose", {"key_purpose": "reply", "expect": "wrong_purpose"}
        opener = identity("vectors/answer", KeyPurpose.REPLY)
        other = _sealed("seal-answer", Sealing.ANSWER, CONTENT, opener)
        yield "sealed as an answer", {"sealed": b64(other), "seed_hex": opener.seed().hex(), **broken}


def addendum_vectors() -> list[Case]:
    """Addenda with their keys and readers, and what opening them must end in."""
    frame, key = request_addendum()
    envelope = unpack(frame)
    reader = identity(AGENCY, KeyPurpose.ADDENDUM)
    sound: Case = {"hub": HUB, "about": EXCHANGE, "raw": b64(frame), "key_hex": key.hex()}
    unwrap: Case = {"raw": b64(frame), "hub": HUB, "about": EXCHANGE, "reader_seed_hex": reader.seed().hex()}
    wrap = envelope.parts[1]
    cut = _framed(envelope, parts=envelope.parts[:-1])
    changed = _framed(envelope, parts=(flipped(envelope.parts[0], 9), *envelope.parts[1:]))
    swapped = _framed(envelope, parts=(envelope.parts[0], wrap, wrap))
    header = AddendumHeader.model_validate_json(envelope.header)
    renamed = header.model_copy(update={"about": "00" * 16}).encode()
    signed_too = signed(envelope.header, [signing_key(DESK, KeyPurpose.DEED)], envelope.parts)
    return [
        {"name": "by its key", **sound, "expect": "ok"},
        {"name": "by a reader", **unwrap, "expect": "ok"},
        {"name": "another key", **sound, "key_hex": flipped(key, 0).hex(), "expect": "key_not_committed"},
        {"name": "another exchange", **sound, "about": "00" * 16, "expect": "seal_broken"},
        {"name": "another hub", **sound, "hub": "other-hub", "expect": "seal_broken"},
        {"name": "changed content", **sound, "raw": b64(changed), "expect": "part_mismatch"},
        {"name": "a part missing", **sound, "raw": b64(cut), "expect": "seal_broken"},
        {"name": "a signature", **sound, "raw": b64(signed_too), "expect": "seal_broken"},
        {
            "name": "moved to another exchange",
            **sound,
            "raw": b64(_framed(envelope, header=renamed)),
            "about": "00" * 16,
            "expect": "seal_broken",
        },
        {
            "name": "not a reader",
            **unwrap,
            "reader_seed_hex": identity("vectors/stranger", KeyPurpose.ADDENDUM).seed().hex(),
            "expect": "not_a_reader",
        },
        {"name": "another reader's wrap", **unwrap, "raw": b64(swapped), "expect": "seal_broken"},
    ]


def party_vectors() -> list[Case]:
    """Party files with what follows from them, and files that must be refused."""
    files = {name: party_file(name) for name in (DESK, COORDINATOR, AGENCY, ADMISSION, OFFICER)}
    sound: list[Case] = []
    for name, file in files.items():
        party = read_party(file)
        case: Case = {"name": name, "file": file.decode(), "fingerprint": party.fingerprint}
        sound.append({**case, "tokens": list(party.tokens), "statement_digest": party.digest})
    rotating = state_party(_rotating(), signing_key(AGENCY, KeyPurpose.ROOT))
    two = read_party(rotating)
    both: Case = {
        "name": "two bus accounts and a revoked one",
        "file": rotating.decode(),
        "fingerprint": two.fingerprint,
    }
    sound.append({**both, "tokens": list(two.tokens), "statement_digest": two.digest})
    revoked = [one.model_copy(update={"revoked_at": T0}) for one in statement(AGENCY).keys]
    desk = files[DESK].decode()
    root, other = signing_key(DESK, KeyPurpose.ROOT), signing_key(AGENCY, KeyPurpose.ROOT)
    stated = statement(DESK)
    granting = statement(COORDINATOR).keys[2]
    raw = unpack(signed(stated.encode(), [root]))
    broken = {
        "signed by another root": armour(signed(stated.encode(), [other])).decode(),
        "not signed": armour(pack(stated.encode())).decode(),
        "two signatures": armour(signed(stated.encode(), [root, other])).decode(),
        "a part": armour(_framed(raw, parts=(b"",))).decode(),
        "changed": armour(_framed(raw, header=statement(DESK, serial=2).encode())).decode(),
        "a key of a purpose not its own": armour(
            signed(statement(DESK, keys=[*stated.keys, granting]).encode(), [root])
        ).decode(),
        "no bus account that is not revoked": armour(
            signed(statement(AGENCY, keys=revoked).encode(), [other])
        ).decode(),
        "no mark at the end": desk.rsplit("\n", 2)[0],
        "a letter changed": desk.replace("bnRrM", "bnRrN", 1),
        "nothing": "",
    }
    respaced = "\n\n  " + desk.replace("\n", "  \r\n") + "\n"
    return [
        *({**case, "expect": "ok"} for case in sound),
        {**sound[0], "name": "spaces and line ends changed by e-mail", "file": respaced, "expect": "ok"},
        *({"name": name, "file": file, "expect": "party_file_invalid"} for name, file in broken.items()),
    ]


def _rotating() -> PartyStatement:
    """The agency with a newer bus account, and with one newer still that is revoked."""
    stated = statement(AGENCY)
    held = next(one for one in stated.keys if one.purpose is KeyPurpose.BUS_ACCOUNT)
    newer = {
        "public": encode_base64(signing_key("example-police/2", KeyPurpose.BUS_ACCOUNT).public.raw),
        "not_before": T0,
    }
    lost = {
        "public": encode_base64(signing_key("example-police/3", KeyPurpose.BUS_ACCOUNT).public.raw),
        "not_before": T0 + 1,
        "revoked_at": T0 + 2,
    }
    more = [held.model_copy(update=newer), held.model_copy(update=lost)]
    return statement(AGENCY, keys=[*stated.keys, *more], serial=2)


def _sealed(name: str, kind: Sealing, content: bytes, opener: Identity) -> bytes:
    return keep(
        name,
        lambda: seal(kind, HEADER, content, opener.public),
        lambda raw: open_sealed(kind, HEADER, raw, opener) == content,
    )


def _framed(envelope: Envelope, *, header: bytes | None = None, parts: tuple[bytes, ...] | None = None) -> bytes:
    return pack(
        envelope.header if header is None else header,
        envelope.signatures,
        envelope.parts if parts is None else parts,
    )


def _key(purpose: KeyPurpose, seed: bytes, public: bytes, key_id: str) -> Case:
    named: Case = {"name": purpose.value, "purpose": purpose.value, "seed_hex": seed.hex()}
    return {**named, "public_hex": public.hex(), "key_id": key_id, "expect": "ok"}


def _bad_key(name: str, purpose: KeyPurpose, raw: bytes) -> Case:
    return {"name": name, "purpose": purpose.value, "public_hex": raw.hex(), "expect": "key_malformed"}


def _le(number: int) -> bytes:
    return number.to_bytes(32, "little")
