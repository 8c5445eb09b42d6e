"""Vectors of admission: an enrolment request, the reply to it, and the words over both."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import USES, KeyPurpose
from schemas.crypto.sealing import Sealing, open_sealed, seal
from schemas.envelope import digest, pack, signed, unpack
from schemas.messages.admission import MARK as REPLY
from schemas.messages.admission import AdmissionHeader, Welcome, read_reply, state_reply
from schemas.messages.armour import armoured, dearmour
from schemas.messages.enrolment import MARK as REQUEST
from schemas.messages.enrolment import (
    REQUEST_LIFE_MS,
    EnrolmentHeader,
    EnrolmentRequest,
    Possession,
    read_enrolment,
    state_enrolment,
)
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, PartyStatement, read_party, state_party
from schemas.messages.words import ceremony_words
from schemas.vectors.directories import directory
from schemas.vectors.formats import Case
from schemas.vectors.kept import keep
from schemas.vectors.parties import (
    ADMISSION,
    AGENCY,
    COORDINATOR,
    DAY_MS,
    DESK,
    HUB,
    MINUTE_MS,
    OFFICER,
    T0,
    drawn,
    drawn_digest,
    identity,
    party,
    signing_key,
    statement,
)

CERTIFICATE_REQUEST: Final = drawn("certificate request", 280)
ADDRESSES: Final = ("tls://bus.hub.example:4222", "wss://bus.hub.example")
ANSWERED_AT: Final = T0 + 90 * MINUTE_MS


@cache
def enrolment_file() -> bytes:
    """The request of the vectors' agency."""
    return state_enrolment(
        party(AGENCY),
        signing_key(AGENCY, KeyPurpose.ROOT),
        signing_keys(),
        CERTIFICATE_REQUEST,
        requested_at=T0 + MINUTE_MS,
        nonce=drawn_digest("enrolment"),
    )


def enrolment_request() -> EnrolmentRequest:
    """That request, read."""
    return read_enrolment(enrolment_file(), hub=HUB, now=ANSWERED_AT)


def signing_keys() -> list[SigningKey]:
    """The private halves of every signing key that the agency states."""
    return [signing_key(AGENCY, one.purpose) for one in statement(AGENCY).keys if USES[one.purpose].signs]


def welcome() -> Welcome:
    """What the hub sends beside its keys; of what others read, texts that say what they stand for."""
    request = enrolment_request()
    opener, content = identity(AGENCY, KeyPurpose.SEAL), drawn("challenge", 32)
    challenge = keep(
        "challenge",
        lambda: seal(Sealing.CHALLENGE, request.header_bytes, content, opener.public),
        lambda raw: open_sealed(Sealing.CHALLENGE, request.header_bytes, raw, opener) == content,
    )
    texts = (b"account JWT", b"authorities, PEM", b"certificate chain, PEM", b"trust policy")
    return Welcome((party(OFFICER),), *texts, challenge)


@cache
def reply_file() -> bytes:
    """The reply to that request."""
    return state_reply(
        enrolment_request(),
        [party(COORDINATOR), party(DESK), party(ADMISSION)],
        welcome(),
        ADDRESSES,
        signing_key(ADMISSION, KeyPurpose.ADMISSION),
        issued_at=ANSWERED_AT,
        expires_at=ANSWERED_AT + 2 * DAY_MS,
        nonce=drawn_digest("admission"),
    )


def texts() -> dict[str, bytes]:
    """Every canonical text of admission, by the model it is read as."""
    asked, answered = unpack(dearmour(REQUEST, enrolment_file())), unpack(dearmour(REPLY, reply_file()))
    request = enrolment_request()
    return {
        "DirectoryStatement": unpack(directory()[0]).header,
        "DirectoryLines": directory()[1],
        "EnrolmentHeader": asked.header,
        "Possession": Possession(statement=request.party.digest, nonce=request.header.nonce).encode(),
        "AdmissionHeader": answered.header,
    }


def enrolment_vectors() -> list[Case]:
    """Enrolment requests, read by the hub of the vectors at T0 and ninety minutes."""
    return [
        {"name": name, "file": file.decode(), "now": ANSWERED_AT, "expect": expect}
        for name, file, expect in (("sound", enrolment_file(), "ok"), *_broken_requests())
    ]


def reply_vectors() -> list[Case]:
    """Replies, read by the agency that made the request of the vectors, and the words over both."""
    request, file = enrolment_request(), reply_file()
    words = ceremony_words(request, read_reply(file, request=request, now=ANSWERED_AT))
    sound: Case = {
        "name": "sound",
        "file": file.decode(),
        "seal_seed_hex": identity(AGENCY, KeyPurpose.SEAL).seed().hex(),
        "challenge_digest": digest(drawn("challenge", 32)),
        "words": " ".join(words),
        "expect": "ok",
    }
    broken = [{"name": name, "file": raw.decode(), "expect": expect} for name, raw, expect in _broken_replies()]
    common = {"request": enrolment_file().decode(), "now": ANSWERED_AT}
    return [{**case, **common, "expect": case["expect"]} for case in (sound, *broken)]


def _broken_requests() -> Iterator[tuple[str, bytes, str]]:
    file, root = enrolment_file(), signing_key(AGENCY, KeyPurpose.ROOT)
    envelope = unpack(dearmour(REQUEST, file))
    header = EnrolmentHeader.model_validate_json(envelope.header)
    text = file.decode()

    def again(by: SigningKey = root, parts: tuple[bytes, ...] = envelope.parts, **changes: object) -> bytes:
        return armoured(REQUEST, signed(header.model_copy(update=changes).encode(), [by], parts))

    def stating(**changes: object) -> bytes:
        return _asking(read_party(state_party(statement(AGENCY, **changes), root)), root)

    stranger = SigningKey.from_seed(KeyPurpose.ROOT, drawn("another root", 32))
    keys = list(statement(AGENCY).keys)
    forged = header.proofs[0].model_copy(update={"sig": header.proofs[1].sig})
    weak, twice = _weak(keys), keys[0].model_copy(update={"purpose": KeyPurpose.DEED})
    yield "cut off in the middle", (text[: len(text) // 2] + "\n").encode(), "armour_malformed"
    yield "a letter changed", text.replace("\n", "\n!", 3).encode(), "armour_malformed"
    yield "a party file in its place", party(AGENCY).raw, "armour_malformed"
    yield "a byte short", armoured(REQUEST, dearmour(REQUEST, file)[:-1]), "frame_malformed"
    yield "a statement in its place", armoured(REQUEST, party(AGENCY).frame), "kind_unexpected"
    yield "signed twice", armoured(REQUEST, signed(envelope.header, [root, stranger], envelope.parts)), _MALFORMED
    yield "no certificate request", again(parts=(envelope.parts[0], b"")), _MALFORMED
    yield "to another hub", again(hub="other-hub"), "enrolment_foreign"
    yield "for another agency", again(agency="other-police"), "enrolment_foreign"
    yield "another certificate request", again(parts=(envelope.parts[0], b"other")), "part_mismatch"
    yield "signed by another root", again(by=stranger), "signature_missing"
    yield "changed", armoured(REQUEST, pack(_later(header), envelope.signatures, envelope.parts)), "signature_invalid"
    yield "of long ago", again(requested_at=ANSWERED_AT - REQUEST_LIFE_MS - 1), "enrolment_untimely"
    yield "from the future", again(requested_at=ANSWERED_AT + DAY_MS), "enrolment_untimely"
    yield "by a desk", _by_a_desk(), "not_an_agency"
    yield "a statement with a weak key", _stated_raw(weak), "key_malformed"
    yield "a key for two purposes", stating(keys=[*keys, twice]), "key_shared"
    yield "no witness key", stating(keys=[k for k in keys if k.purpose is not KeyPurpose.WITNESS]), "keys_incomplete"
    yield "a sealing key for a year", stating(keys=_long_seal(keys)), "epoch_too_long"
    yield "a proof left out", again(proofs=header.proofs[1:]), "proof_missing"
    yield "a proof twice", again(proofs=[*header.proofs, header.proofs[0]]), "proof_unasked"
    yield "another key's proof", again(proofs=[forged, *header.proofs[1:]]), "proof_invalid"
    yield "the proofs of another request", again(nonce=drawn_digest("another")), "proof_invalid"


_MALFORMED: Final = "enrolment_malformed"


def _broken_replies() -> Iterator[tuple[str, bytes, str]]:
    envelope = unpack(dearmour(REPLY, reply_file()))
    header = AdmissionHeader.model_validate_json(envelope.header)
    key = signing_key(ADMISSION, KeyPurpose.ADMISSION)
    coordinator, desk, admission, *rest = envelope.parts

    def again(parts: tuple[bytes, ...] = envelope.parts, by: SigningKey = key, **changes: object) -> bytes:
        named = {"parts": [digest(part) for part in parts], "admission_key": by.id, **changes}
        return armoured(REPLY, signed(header.model_copy(update=named).encode(), [by], parts))

    other = SigningKey.from_seed(KeyPurpose.ADMISSION, drawn("another admission key", 32))
    yield "the request in its place", enrolment_file(), "armour_malformed"
    yield "to another request", again(request_digest=drawn_digest("another")), "reply_foreign"
    yield "to another agency", again(agency="other-police"), "reply_foreign"
    yield "over", again(issued_at=T0, expires_at=ANSWERED_AT), "reply_untimely"
    yield "from the future", again(issued_at=ANSWERED_AT + MINUTE_MS * 3), "reply_untimely"
    yield (
        "a part changed",
        armoured(REPLY, pack(envelope.header, envelope.signatures, _last_changed(envelope.parts))),
        ("part_mismatch"),
    )
    yield "signed twice", armoured(REPLY, signed(envelope.header, [key, other], envelope.parts)), "reply_malformed"
    yield "desk and coordinator exchanged", again((desk, coordinator, admission, *rest)), "reply_malformed"
    yield "one party as two", again((coordinator, desk, coordinator, *rest)), "reply_malformed"
    yield (
        "an agency as officer",
        again((coordinator, desk, admission, _listed(party(AGENCY)), *rest[1:])),
        ("reply_malformed"),
    )
    yield "signed by a key that admission does not state", again(by=other), "key_unknown"


def _asking(newcomer: Party, root: SigningKey) -> bytes:
    return state_enrolment(
        newcomer,
        root,
        signing_keys(),
        CERTIFICATE_REQUEST,
        requested_at=T0 + MINUTE_MS,
        nonce=drawn_digest("enrolment"),
    )


def _by_a_desk() -> bytes:
    root = signing_key(DESK, KeyPurpose.ROOT)
    return state_enrolment(party(DESK), root, [], CERTIFICATE_REQUEST, requested_at=T0, nonce=drawn_digest("by a desk"))


def _stated_raw(stated: PartyStatement) -> bytes:
    """A request around a statement that no program of ours would read."""
    root = signing_key(AGENCY, KeyPurpose.ROOT)
    frame = signed(stated.encode(), [root])
    header = EnrolmentHeader.model_validate_json(unpack(dearmour(REQUEST, enrolment_file())).header)
    named = header.model_copy(update={"parts": [digest(frame), digest(CERTIFICATE_REQUEST)]})
    return armoured(REQUEST, signed(named.encode(), [root], [frame, CERTIFICATE_REQUEST]))


def _weak(keys: list[KeyStatement]) -> PartyStatement:
    weak = keys[0].model_copy(update={"public": encode_base64(bytes(32))})
    return statement(AGENCY, keys=[weak, *keys[1:]])


def _long_seal(keys: list[KeyStatement]) -> list[KeyStatement]:
    year = {"not_after": T0 + 365 * DAY_MS}
    return [one.model_copy(update=year) if one.purpose is KeyPurpose.SEAL else one for one in keys]


def _later(header: EnrolmentHeader) -> bytes:
    return header.model_copy(update={"requested_at": header.requested_at + 1}).encode()


def _last_changed(parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (*parts[:-1], parts[-1][:-1] + bytes([parts[-1][-1] ^ 1]))


def _listed(officer: Party) -> bytes:
    return len(officer.frame).to_bytes(4, "big") + officer.frame
