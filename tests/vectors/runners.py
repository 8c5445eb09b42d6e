"""Each file of vectors run through the public functions alone, as another implementation would run it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas import canonical
from schemas.crypto import nkey
from schemas.crypto.keys import ED25519_BYTES, Identity, SigningKey, key_id, public_key
from schemas.crypto.padding import bucket_for, pad, unpad
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import Sealing, open_sealed
from schemas.crypto.signing import verify
from schemas.envelope import check_parts, pack, unpack, verify_header
from schemas.identifiers import IdentifierKind, canonical_identifier
from schemas.messages import (
    addendum,
    admission,
    answer,
    directory,
    enrolment,
    glass,
    grant,
    newcomer,
    party,
    policy,
    request,
    words,
)
from schemas.messages.entry import ENTRIES, DeedEntry, read_entry, verify_deed
from schemas.messages.model import Message, read
from schemas.messages.transport import read_outer
from schemas.records.registry import validate_fact
from schemas.vectors import parties
from schemas.vectors.formats import LIMIT_BYTES
from schemas.vectors.policies import policy_statement
from schemas.vocabulary import Category, Mode

Case = Mapping[str, Any]

MODELS: Final[dict[str, type[Message]]] = {
    model.__name__: model
    for model in (
        request.RequestHeader,
        request.RequestBody,
        request.RequestTold,
        addendum.AddendumHeader,
        grant.Grant,
        grant.Ruling,
        answer.AnswerHeader,
        answer.AnswerBody,
        answer.ReleaseTold,
        party.PartyStatement,
        directory.DirectoryStatement,
        directory.DirectoryLines,
        enrolment.EnrolmentHeader,
        enrolment.Possession,
        admission.AdmissionHeader,
        policy.PolicyStatement,
        policy.PolicyFiles,
    )
}


def run_canonical(case: Case) -> None:
    raw = bytes.fromhex(case["raw_hex"])
    assert canonical.encode(canonical.parse(raw, limit_bytes=LIMIT_BYTES)) == raw


def run_members(case: Case) -> None:
    left = canonical.without_member(bytes.fromhex(case["raw_hex"]), "d")
    assert left.hex() == case["left_hex"]


def run_identifiers(case: Case) -> None:
    assert canonical_identifier(IdentifierKind(case["kind"]), case["text"]) == case["canonical"]


def run_keys(case: Case) -> None:
    purpose = KeyPurpose(case["purpose"])
    key = public_key(purpose, bytes.fromhex(case["public_hex"]))
    seed = bytes.fromhex(case["seed_hex"])
    private = (SigningKey if len(seed) == ED25519_BYTES else Identity).from_seed(purpose, seed)
    assert private.public == key
    assert key.id == case["key_id"] == key_id(purpose, key.raw)


def run_signatures(case: Case) -> None:
    key = public_key(KeyPurpose(case["key_purpose"]), bytes.fromhex(case["public_hex"]))
    message = bytes.fromhex(case["message_hex"])
    assert verify(key, KeyPurpose(case["purpose"]), message, bytes.fromhex(case["signature_hex"]), None).raw == message


def run_seals(case: Case) -> None:
    opener = Identity.from_seed(KeyPurpose(case["key_purpose"]), bytes.fromhex(case["seed_hex"]))
    header, sealed = bytes.fromhex(case["header_hex"]), _b64(case["sealed"])
    assert open_sealed(Sealing(case["kind"]), header, sealed, opener).hex() == case["content_hex"]


def run_padding(case: Case) -> None:
    if "content_bytes" in case:
        assert bucket_for(case["content_bytes"]) == case["padded_bytes"]
    else:
        padded = bytes.fromhex(case["start_hex"]).ljust(case["padded_bytes"], b"\x00")
        assert pad(unpad(padded)) == padded


def run_parties(case: Case) -> None:
    read_one = party.read_party(case["file"].encode("ascii"))
    assert read_one.fingerprint == case["fingerprint"]
    assert list(read_one.tokens) == case["tokens"]
    assert read_one.digest == case["statement_digest"]


def run_frames(case: Case) -> None:
    raw = bytes.fromhex(case["raw_hex"])
    envelope = unpack(raw)
    assert pack(envelope.header, envelope.signatures, envelope.parts) == raw


def run_messages(case: Case) -> None:
    raw = case["text"].encode()
    limit_bytes = request.MAX_BODY_BYTES
    message = read_outer(raw) if case["model"] == "Outer" else read(MODELS[case["model"]], raw, limit_bytes=limit_bytes)
    assert message.encode() == raw


def run_entries(case: Case) -> None:
    leaf = case["leaf"].encode()
    entry = read_entry(leaf)
    assert entry.encode() == leaf
    model = ENTRIES[entry.type]
    if issubclass(model, DeedEntry):
        verify_deed(model, leaf, public_key(KeyPurpose.DEED, bytes.fromhex(case["deed_public_hex"])))


def run_addenda(case: Case) -> None:
    raw = _b64(case["raw"])
    if "reader_seed_hex" in case:
        key = addendum.key_for_reader(
            raw, Identity.from_seed(KeyPurpose.ADDENDUM, bytes.fromhex(case["reader_seed_hex"]))
        )
    else:
        key = bytes.fromhex(case["key_hex"])
    content = addendum.open_addendum(raw, key, hub=case["hub"], about=case["about"])
    read(request.RequestTold, content, limit_bytes=request.MAX_BODY_BYTES)


def run_records(case: Case) -> None:
    validate_fact(Category(case["category"]), Mode(case["mode"]), case["fact"])


def run_exchange(case: Case) -> None:
    {"request": _run_request, "grant": _run_grant, "answer": _run_answer}[case["frame"]](case)


def _run_request(case: Case) -> None:
    envelope = unpack(_b64(case["raw"]))
    header = read(request.RequestHeader, envelope.header)
    desk = public_key(KeyPurpose.REQUEST, bytes.fromhex(case["desk_public_hex"]))
    officer = public_key(KeyPurpose.OFFICER, bytes.fromhex(case["officer_public_hex"]))
    verify_header(envelope, desk, KeyPurpose.REQUEST)
    assert request.verify_officer(envelope, officer).value == envelope.digest
    if header.break_glass is not None:
        manager = public_key(KeyPurpose.OFFICER, bytes.fromhex(case["manager_public_hex"]))
        assert request.verify_officer(envelope, manager).value == envelope.digest
    check_parts(envelope, [header.body_digest, header.addendum_digest])
    opener = Identity.from_seed(KeyPurpose.SEAL, bytes.fromhex(case["seal_seed_hex"]))
    body = request.open_body(envelope.header, envelope.parts[0], opener)
    key = bytes.fromhex(body.addendum_key)
    content = addendum.open_addendum(envelope.parts[1], key, hub=header.hub, about=header.exchange)
    assert read(request.RequestTold, content, limit_bytes=request.MAX_BODY_BYTES).told == body.told


def _run_grant(case: Case) -> None:
    envelope = unpack(_b64(case["raw"]))
    read(grant.Grant, envelope.header)
    key = public_key(KeyPurpose.GRANT, bytes.fromhex(case["grant_public_hex"]))
    verify_header(envelope, key, KeyPurpose.GRANT)
    check_parts(envelope, [])


def _run_answer(case: Case) -> None:
    envelope = unpack(_b64(case["raw"]))
    header = read(answer.AnswerHeader, envelope.header)
    key = public_key(KeyPurpose.ANSWER, bytes.fromhex(case["answer_public_hex"]))
    verify_header(envelope, key, KeyPurpose.ANSWER)
    check_parts(envelope, [header.body_digest])
    opener = Identity.from_seed(KeyPurpose.REPLY, bytes.fromhex(case["reply_seed_hex"]))
    assert header.reply_key == opener.id
    answer.open_answer(envelope.header, envelope.parts[0], opener)


def run_nkeys(case: Case) -> None:
    raw = nkey.decode(nkey.Kind(case["kind"]), case["nkey"])
    assert public_key(KeyPurpose.BUS_USER, raw).raw == raw
    assert raw.hex() == case["public_hex"]


def run_directories(case: Case) -> None:
    now = parties.T0 + parties.MINUTE_MS
    four = (parties.DESK, parties.COORDINATOR, parties.ADMISSION, parties.AGENCY)
    pinned = party.Directory.of(parties.HUB, [parties.party(name) for name in four])
    held = directory.read_directory(_b64(case["held"]), _b64(case["held_lines"]), pinned=pinned, held=None, now=now)
    found = directory.read_directory(_b64(case["frame"]), _b64(case["lines"]), pinned=pinned, held=held, now=now)
    assert directory.own_standing(found, pinned.party(parties.AGENCY)) is directory.Standing.ADMITTED
    assert directory.compare(found, pinned) == directory.Comparison((), (), ())


def run_policies(case: Case) -> None:
    known = party.Directory.of(parties.HUB, [parties.party(parties.OFFICER), parties.party(parties.IG_OFFICER)])
    version = policy.verify_policy(_b64(case["frame"]), known, seen_at=parties.T0 + parties.MINUTE_MS)
    policy.check_files(version, policy.read_policy_files(_b64(case["files"])))
    policy.check_follows(policy.read_policy(_b64(case["before"])), version)


def run_policy_grants(case: Case) -> None:
    sound = policy_statement()
    held = {
        one["number"]: policy.PolicyVersion(
            sound.model_copy(update={name: one[name] for name in ("number", "policy_digest", "valid_from")}),
            one["statement_digest"],
            b"",
        )
        for one in case["held"]
    }
    stated = None if case["stated"] is None else request.PolicyStated(**case["stated"])
    policy.check_granted(held, policy_digest=case["policy_digest"], at=case["at"], stated=stated)


def run_glasses(case: Case) -> None:
    terms = glass.glass_terms({"agreements.toml": case["agreements"].encode()})
    glass.check_glass_lasts(case["lasts_ms"], terms)


def run_enrolments(case: Case) -> None:
    asked = enrolment.read_enrolment(case["file"].encode("ascii"), hub=parties.HUB, now=case["now"])
    assert asked.party.id == asked.header.agency


def run_names(case: Case) -> None:
    newcomer.check_name(case["newcomer"], [case["known"]])


def run_admissions(case: Case) -> None:
    asked = enrolment.read_enrolment(case["request"].encode("ascii"), hub=parties.HUB, now=case["now"])
    reply = admission.read_reply(case["file"].encode("ascii"), request=asked, now=case["now"])
    opener = Identity.from_seed(KeyPurpose.SEAL, bytes.fromhex(case["seal_seed_hex"]))
    assert admission.open_challenge(asked, reply.welcome.challenge, opener) == case["challenge_digest"]
    words.check_words(case["words"], words.ceremony_words(asked, reply))


def _b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


RUNNERS: Final[dict[str, Callable[[Case], None]]] = {
    name.removeprefix("run_"): function for name, function in list(globals().items()) if name.startswith("run_")
}
