"""Vectors of messages: every header, body, outer header and entry, sound and broken in one way each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from schemas import canonical
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import Envelope, Signature, digest, pack, signed, unpack
from schemas.messages.answer import ReleaseTold, told_of
from schemas.messages.entry import ENTRIES, DeedEntry, ReleaseEntry, sign_deed
from schemas.messages.grant import Reason, Ruling
from schemas.messages.request import RequestTold, sign_as_officer
from schemas.vectors.broken_glass import broken_glasses
from schemas.vectors.ceremony import texts
from schemas.vectors.entries import deed_party, leaves, outers
from schemas.vectors.formats import Case
from schemas.vectors.keys import b64
from schemas.vectors.ledger_log import flipped
from schemas.vectors.parties import AGENCY, DAY_MS, DESK, OFFICER, identity, signing_key, statement
from schemas.vectors.policies import policy_files, policy_statement
from schemas.vectors.samples import (
    EXCHANGE,
    TOLD,
    answer_body,
    answer_frame,
    answer_header,
    grant,
    grant_frame,
    request_addendum,
    request_body,
    request_frame,
    request_header,
    request_header_bytes,
    request_signatures,
    sealed_request_body,
)
from schemas.vocabulary import Category

Members = dict[str, Any]
Change = Callable[[Members], object]


def message_vectors() -> list[Case]:
    """Canonical texts, the model each is read as, and what reading must end in."""
    cases: list[Case] = []
    for model, text in _sound().items():
        cases.append({"name": model, "model": model, "text": text.decode(), "expect": "ok"})
        cases += [_broken(model, text, *change) for change in [*_common(json.loads(text)), *_SPECIFIC.get(model, [])]]
    for name, outer in outers().items():
        whole = outer.encode().decode()
        cases.append({"name": f"outer {name}", "model": "Outer", "text": whole, "expect": "ok"})
    hello = outers()["hello"].encode()
    cases += [_broken("Outer", hello, *change) for change in [*_common(json.loads(hello)), *_OUTER]]
    return cases


def entry_vectors() -> list[Case]:
    """Leaves, for deeds with the public deed key, and what reading and verifying them must end in."""
    cases: list[Case] = []
    for name, leaf in leaves().items():
        model = ENTRIES[name]
        deed = {"deed_public_hex": _deed_public(deed_party(model))} if issubclass(model, DeedEntry) else {}
        cases.append({"name": name, "leaf": leaf.decode(), **deed, "expect": "ok"})
    request, release = leaves()["request"], leaves()["release"]
    changes: list[tuple[str, str, Change]] = [
        ("another version", "version_unknown", lambda m: m.update(v=2)),
        ("no version", "version_unknown", lambda m: m.pop("v")),
        ("another type", "kind_unexpected", lambda m: m.update(type="opinion")),
        ("no type", "kind_unexpected", lambda m: m.pop("type")),
        ("a field of another type", "field_unknown", lambda m: m.update(answer_digest="0" * 64)),
        ("no random bytes", "field_missing", lambda m: m.pop("n")),
        ("more than 4096 bytes", "too_large", lambda m: m.update(hub="h" * 4096)),
    ]
    cases += [{"name": name, "leaf": _changed(request, how), "expect": expect} for name, expect, how in changes]
    return [*cases, *_broken_deeds(release)]


def _broken_deeds(leaf: bytes) -> Iterator[Case]:
    key = _deed_public(AGENCY)
    stolen = ReleaseEntry.model_validate_json(leaf).model_copy(update={"by": DESK})
    by_desk = sign_deed(stolen, signing_key(DESK, KeyPurpose.DEED))
    longer = json.loads(leaf)["t"] + 1
    yield _deed("a deed changed", _changed(leaf, lambda m: m.update(t=longer)), key, "signature_invalid")
    yield _deed("another's signature", by_desk.decode(), key, "signature_invalid")
    yield _deed("a signature of zeros", _changed(leaf, lambda m: m.update(sig="0" * 128)), key, "signature_invalid")
    yield _deed("no signature", _changed(leaf, lambda m: m.pop("sig")), key, "field_missing")
    yield _deed("a short signature", _changed(leaf, lambda m: m.update(sig="00")), key, "field_invalid")
    yield _deed("a key id not the signer's", _changed(leaf, _other_key), key, "signature_invalid")


def _other_key(members: Members) -> None:
    members["deed_key"] = "00" * 16


def exchange_vectors() -> list[Case]:
    """Whole frames of a request, a grant and an answer, and the keys to check them by in the order of the SPEC."""
    return [*_requests(), *broken_glasses(), *_grants(), *_answers()]


def _requests() -> Iterator[Case]:
    frame = request_frame()
    envelope = unpack(frame)
    header, parts = request_header_bytes(), envelope.parts
    keys = {
        "desk_public_hex": signing_key(DESK, KeyPurpose.REQUEST).public.raw.hex(),
        "officer_public_hex": signing_key(OFFICER, KeyPurpose.OFFICER).public.raw.hex(),
        "seal_seed_hex": identity(AGENCY, KeyPurpose.SEAL).seed().hex(),
    }
    desk, officer = envelope.signatures
    later = request_header(body_digest=digest(sealed_request_body()), expires_at=request_header().expires_at + 1)
    swapped = request_header(body_digest=digest(parts[1]), addendum_digest=digest(parts[0])).encode()
    other = sign_as_officer(signing_key(OFFICER, KeyPurpose.OFFICER), "0" * 64)
    bound = later.encode()
    cases: list[tuple[str, bytes, str]] = [
        ("sound", frame, "ok"),
        ("a changed header", pack(bound, envelope.signatures, parts), "signature_invalid"),
        ("no desk signature", pack(header, [officer], parts), "signature_missing"),
        ("no officer signature", pack(header, [desk], parts), "signature_missing"),
        ("the desk's signature twice", pack(header, [desk, desk, officer], parts), "signature_missing"),
        ("the officer's word for another request", pack(header, [desk, other], parts), "signature_invalid"),
        (
            "the desk in the officer's place",
            pack(header, [desk, Signature(officer.key_id, desk.raw)], parts),
            "signature_invalid",
        ),
        ("another body", pack(header, envelope.signatures, (flipped(parts[0], 7), parts[1])), "part_mismatch"),
        ("another addendum", pack(header, envelope.signatures, (parts[0], flipped(parts[1], 7))), "part_mismatch"),
        ("parts exchanged", pack(header, envelope.signatures, (parts[1], parts[0])), "part_mismatch"),
        ("no addendum", pack(header, envelope.signatures, parts[:1]), "part_mismatch"),
        ("a part too many", pack(header, envelope.signatures, (*parts, b"")), "part_mismatch"),
        ("a body sealed under another header", pack(bound, request_signatures(bound), parts), "seal_broken"),
        ("an addendum as body", pack(swapped, request_signatures(swapped), (parts[1], parts[0])), "seal_broken"),
        ("a grant in its place", grant_frame(), "kind_unexpected"),
    ]
    for name, raw, expect in cases:
        yield {"name": f"request: {name}", "frame": "request", "raw": b64(raw), **keys, "expect": expect}


def _grants() -> Iterator[Case]:
    key = signing_key("coordinator", KeyPurpose.GRANT)
    widened = grant().model_copy(update={"expires_at": grant().expires_at + DAY_MS}).encode()
    cases = [
        ("sound", grant_frame(), "ok"),
        ("widened", pack(widened, unpack(grant_frame()).signatures), "signature_invalid"),
        ("not signed", pack(grant().encode()), "signature_missing"),
        ("a part", signed(grant().encode(), [key], [b""]), "part_mismatch"),
    ]
    public = {"grant_public_hex": key.public.raw.hex()}
    for name, raw, expect in cases:
        yield {"name": f"grant: {name}", "frame": "grant", "raw": b64(raw), **public, "expect": expect}


def _answers() -> Iterator[Case]:
    frame = answer_frame()
    envelope: Envelope = unpack(frame)
    key = signing_key(AGENCY, KeyPurpose.ANSWER)
    keys = {
        "answer_public_hex": key.public.raw.hex(),
        "reply_seed_hex": identity("enquiry", KeyPurpose.REPLY).seed().hex(),
    }
    body = envelope.parts[0]
    moved = answer_header(body_digest=digest(body), exchange="00" * 16).encode()
    regranted = answer_header(body_digest=digest(body), grant_digest="00" * 32).encode()
    cases = [
        ("sound", frame, "ok"),
        ("moved to another exchange", pack(moved, envelope.signatures, envelope.parts), "signature_invalid"),
        ("moved and signed again", signed(moved, [key], [body]), "seal_broken"),
        ("under another grant and signed again", signed(regranted, [key], [body]), "seal_broken"),
        ("another body", pack(envelope.header, envelope.signatures, [flipped(body, 11)]), "part_mismatch"),
        ("not signed", pack(envelope.header, [], [body]), "signature_missing"),
    ]
    for name, raw, expect in cases:
        yield {"name": f"answer: {name}", "frame": "answer", "raw": b64(raw), **keys, "expect": expect}


def _sound() -> dict[str, bytes]:
    ruling = Ruling(
        hub=grant().hub,
        agency=AGENCY,
        exchange=EXCHANGE,
        request_digest=grant().request_digest,
        policy_digest=grant().policy_digest,
        permitted=True,
        reasons=[Reason(rule="intelligence-never", category=Category.POLICE_INTELLIGENCE)],
        sentences={"intelligence-never": "Intelligence is not shared as it is."},
    )
    return {
        "RequestHeader": request_header_bytes(),
        "RequestBody": request_body().encode(),
        "RequestTold": RequestTold(exchange=EXCHANGE, told=TOLD).encode(),
        "AddendumHeader": unpack(request_addendum()[0]).header,
        "Grant": grant().encode(),
        "Ruling": ruling.encode(),
        "AnswerHeader": unpack(answer_frame()).header,
        "AnswerBody": answer_body().encode(),
        "ReleaseTold": ReleaseTold(
            exchange=EXCHANGE, outcomes=[told_of(row) for row in answer_body().outcomes]
        ).encode(),
        "PartyStatement": statement(AGENCY).encode(),
        "PolicyStatement": policy_statement().encode(),
        "PolicyFiles": policy_files(),
        **texts(),
    }


def _common(members: Members) -> Iterator[tuple[str, str, Change]]:
    yield "another version", "version_unknown", lambda m: m.update(v=2)
    yield "true as version", "version_unknown", lambda m: m.update(v=True)
    yield "no version", "version_unknown", lambda m: m.pop("v")
    yield "an unknown field", "field_unknown", lambda m: m.update(more=1)
    if "suite" in members:
        yield "another suite", "suite_unknown", lambda m: m.update(suite=2)
        yield "true as suite", "suite_unknown", lambda m: m.update(suite=True)
        yield "no suite", "suite_unknown", lambda m: m.pop("suite")
    if "kind" in members:
        yield "another kind", "kind_unexpected", lambda m: m.update(kind="opinion")
        yield "no kind", "kind_unexpected", lambda m: m.pop("kind")


_SPECIFIC: Final[dict[str, list[tuple[str, str, Change]]]] = {
    "RequestHeader": [
        ("a word in capitals", "word_unknown", lambda m: m.update(purpose="Child_Protection")),
        ("a number for a word", "field_wrong_type", lambda m: m.update(rag=1)),
        ("a number as text", "field_wrong_type", lambda m: m.update(deadline_at=str(m["deadline_at"]))),
        ("true for a number", "field_wrong_type", lambda m: m.update(seal_epoch=True)),
        ("true for the part", "field_wrong_type", lambda m: m.update(part=True)),
        ("a second part", "field_invalid", lambda m: m.update(parts=2)),
        ("no part", "field_missing", lambda m: m.pop("part")),
        ("no list of subjects", "field_missing", lambda m: m.pop("subjects")),
        ("nobody asked about", "field_invalid", lambda m: m.update(subjects=[])),
        ("one subject twice", "field_invalid", lambda m: m["subjects"].append(m["subjects"][0])),
        ("seventeen subjects", "field_invalid", lambda m: m.update(subjects=m["subjects"] * 17)),
        ("one category twice", "field_invalid", lambda m: m["categories"].append(m["categories"][0])),
        ("lawful bases out of order", "field_invalid", lambda m: m["lawful_bases"].reverse()),
        ("asked before received", "field_invalid", lambda m: m.update(asked_at=m["received_at"] - 1)),
        ("due when asked", "field_invalid", lambda m: m.update(deadline_at=m["asked_at"])),
        ("expiring when due", "field_invalid", lambda m: m.update(expires_at=m["deadline_at"])),
        ("a time before 1970", "field_invalid", lambda m: m.update(received_at=-1)),
        ("capital digits", "field_invalid", lambda m: m.update(exchange=m["exchange"].upper())),
        ("a digest cut short", "field_invalid", lambda m: m.update(body_digest=m["body_digest"][:-1])),
        ("a name with a space", "field_invalid", lambda m: m.update(agency="example police")),
        ("a name with a newline", "field_invalid", lambda m: m.update(agency="example\n")),
        ("base64 with unused bits", "field_invalid", lambda m: m.update(reply_key="AB==")),
        ("base64 without padding", "field_invalid", lambda m: m.update(reply_key="AA")),
        ("an unknown field inside", "field_unknown", lambda m: m["subjects"][0].update(name="x")),
    ],
    "RequestBody": [
        ("a day that is none", "field_invalid", lambda m: m["told"]["subjects"][0].update(birth_date="2026-02-30")),
        (
            "an identifier with a wrong check digit",
            "field_invalid",
            lambda m: m["told"]["subjects"][0]["identifiers"][0].update(value="9990000019"),
        ),
        (
            "an identifier not in its canonical form",
            "field_invalid",
            lambda m: m["told"]["subjects"][0]["identifiers"][0].update(value="999 000 0018"),
        ),
        ("a text that turns itself round", "field_invalid", lambda m: m["told"].update(reason="a \u202e b")),
        ("a name of two lines", "field_invalid", lambda m: m["told"]["officer"].update(name="a\nb")),
        ("an escape to the terminal", "field_invalid", lambda m: m["told"].update(reason="a \x1b[2J b")),
        ("a word that is no sex", "word_unknown", lambda m: m["told"]["subjects"][0].update(sex="f")),
        ("one subject twice", "field_invalid", lambda m: m["told"]["subjects"].append(m["told"]["subjects"][0])),
        ("no list of addresses", "field_missing", lambda m: m["told"]["subjects"][0].pop("addresses")),
    ],
    "AddendumHeader": [("one reader twice", "field_invalid", lambda m: m.update(readers=[m["readers"][0]] * 2))],
    "Grant": [
        ("no scope", "field_invalid", lambda m: m.update(scope=[])),
        ("no fields", "field_invalid", lambda m: m["scope"][0].update(fields=[])),
        ("one field twice", "field_invalid", lambda m: m["scope"][0].update(fields=["Date", "Date"])),
        ("a sentence as field", "field_invalid", lambda m: m["scope"][0].update(fields=["the date"])),
        ("over before it begins", "field_invalid", lambda m: m.update(expires_at=m["not_before"])),
        ("an unknown category", "word_unknown", lambda m: m["scope"][0].update(category="police.everything")),
    ],
    "AnswerBody": [
        ("answered without facts", "field_invalid", lambda m: m["outcomes"][0].update(facts=[])),
        ("facts that are not known", "field_invalid", lambda m: m["outcomes"][0].update(outcome="not_known")),
        (
            "not known by a rule",
            "field_invalid",
            lambda m: m["outcomes"][0].update(outcome="not_known", facts=[], rule="own-rule"),
        ),
        (
            "withheld without a reason",
            "field_invalid",
            lambda m: m["outcomes"][0].update(outcome="withheld", facts=[]),
        ),
        ("a rule that is on no list", "word_unknown", lambda m: m["outcomes"][0].update(rule="jane-example-2010")),
        (
            "a reason that is on no list",
            "word_unknown",
            lambda m: m["outcomes"][0].update(outcome="withheld", facts=[], reason="Jane.Example"),
        ),
        (
            "evidence that is on no list",
            "word_unknown",
            lambda m: m["outcomes"][0].update(outcome="possible_match", facts=[], confirm=["birth_date", "2010-01-01"]),
        ),
        ("an outcome that is none", "word_unknown", lambda m: m["outcomes"][0].update(outcome="no_answer_yet")),
        ("two outcomes for one thing", "field_invalid", lambda m: m["outcomes"].append(m["outcomes"][0])),
        ("a fact's name with a space", "field_invalid", lambda m: m["outcomes"][0].update(facts=[{"a b": 1}])),
        ("a filler of letters", "field_invalid", lambda m: m.update(filler="x")),
    ],
    "ReleaseTold": [
        ("a rule that is on no list", "word_unknown", lambda m: m["outcomes"][0].update(rule="jane-example-2010")),
        ("a reason that is on no list", "word_unknown", lambda m: m["outcomes"][0].update(reason="Jane.Example")),
        ("a field of no record", "field_invalid", lambda m: m["outcomes"][0].update(fields=["Date", "Jane.Example"])),
        ("a field of the other mode", "field_invalid", lambda m: m["outcomes"][0].update(mode="existence")),
        ("fields out of order", "field_invalid", lambda m: m["outcomes"][0]["fields"].reverse()),
        ("one field twice", "field_invalid", lambda m: m["outcomes"][0]["fields"].insert(0, "Date")),
        ("more facts than there can be", "field_invalid", lambda m: m["outcomes"][0].update(facts=1001)),
    ],
    "PartyStatement": [
        ("no agency kind", "field_invalid", lambda m: m.pop("agency_kind")),
        ("an officer's role", "field_invalid", lambda m: m.update(officer_role="ig_lead")),
        ("a key that grants", "field_invalid", lambda m: m["keys"][0].update(purpose="grant")),
        ("a key never in force", "field_invalid", lambda m: m["keys"][0].update(not_after=m["keys"][0]["not_before"])),
    ],
    "PolicyStatement": [
        ("number 0", "field_invalid", lambda m: m.update(number=0)),
        ("the first, and one before it", "field_invalid", lambda m: m.update(number=1)),
        ("the second, and none before it", "field_invalid", lambda m: m.pop("previous")),
        ("a nation that is none here", "word_unknown", lambda m: m.update(nation="scotland")),
        ("a sentence for the pack", "field_invalid", lambda m: m.update(pack="the pack of England")),
    ],
    "PolicyFiles": [
        ("out of order", "field_invalid", lambda m: m["files"].reverse()),
        ("one file twice", "field_invalid", lambda m: m["files"].append(m["files"][-1])),
        ("a path", "field_invalid", lambda m: m["files"][2].update(name="../10.cedar")),
        ("a hidden file", "field_invalid", lambda m: m["files"][2].update(name=".cedar")),
        ("a program", "field_invalid", lambda m: m["files"][2].update(name="rules.py")),
        ("no schema", "field_invalid", lambda m: m["files"].pop(0)),
    ],
}
_OUTER: Final[list[tuple[str, str, Change]]] = [
    ("no list of parts", "field_missing", lambda m: m.pop("parts")),
    ("seventeen parts", "field_invalid", lambda m: m.update(parts=["00" * 32] * 17)),
    ("a field of another kind", "field_unknown", lambda m: m.update(exchange="00" * 16)),
]


def _broken(model: str, text: bytes, name: str, expect: str, change: Change) -> Case:
    return {"name": f"{model}: {name}", "model": model, "text": _changed(text, change), "expect": expect}


def _changed(text: bytes, change: Change) -> str:
    members = json.loads(text)
    change(members)
    return canonical.encode(members).decode()


def _deed(name: str, leaf: str, public: str, expect: str) -> Case:
    return {"name": f"deed: {name}", "leaf": leaf, "deed_public_hex": public, "expect": expect}


def _deed_public(party: str) -> str:
    return signing_key(party, KeyPurpose.DEED).public.raw.hex()
