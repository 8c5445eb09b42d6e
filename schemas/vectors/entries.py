"""One entry of every type, and one outer message of every kind, about the exchange of the vectors."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.messages.entry import (
    ENTRIES,
    AcknowledgedEntry,
    AdmissionEntry,
    ClosedEntry,
    ConflictEntry,
    ConsultedEntry,
    CouldNotLookEntry,
    DeedEntry,
    Entry,
    InReviewEntry,
    KeyEntry,
    OpenedEntry,
    QuarantinedEntry,
    ReleaseEntry,
    ReviewClosedEntry,
    WithdrawEntry,
    review_digest,
    sign_deed,
)
from schemas.messages.request import sign_as_officer
from schemas.messages.transport import OUTER, Outer
from schemas.vectors.parties import (
    ADMISSION,
    AGENCY,
    COORDINATOR,
    DAY_MS,
    DESK,
    HUB,
    LEAD,
    LOG,
    MANAGER,
    MINUTE_MS,
    T0,
    drawn,
    drawn_digest,
    drawn_id,
    party,
    signed_by,
    signing_key,
)
from schemas.vectors.samples import (
    EXCHANGE,
    answer_body,
    answer_header,
    grant,
    release_addendum_of,
    request_addendum,
    request_header_bytes,
    sealed_answer_body,
)
from schemas.vocabulary import ReviewAct, ReviewFinding, ReviewRole

BY_AGENCY = (AcknowledgedEntry, InReviewEntry, ReleaseEntry, CouldNotLookEntry)
BY_DESK = (OpenedEntry, ConsultedEntry, QuarantinedEntry, WithdrawEntry, ConflictEntry, ClosedEntry, ReviewClosedEntry)
BY_ADMISSION = (AdmissionEntry, KeyEntry)


def leaves() -> dict[str, bytes]:
    """A leaf of every entry type, deeds signed by whoever does them."""
    return {name: _leaf(model) for name, model in ENTRIES.items()}


def deed_party(model: type[Entry]) -> str:
    """Who signs entries of that type."""
    if model in BY_ADMISSION:
        return ADMISSION
    return AGENCY if model in BY_AGENCY else DESK


def outers() -> dict[str, Outer]:
    """An outer header of every kind; its parts are digests of nothing in particular."""
    return {name: model.model_validate(_fitting(model, _outer_values(model))) for name, model in OUTER.items()}


def _leaf(model: type[Entry]) -> bytes:
    entry = model.model_validate(_fitting(model, _entry_values(model)))
    if isinstance(entry, DeedEntry):
        return sign_deed(entry, signing_key(deed_party(model), KeyPurpose.DEED))
    return entry.encode()


def _fitting(model: type[Entry] | type[Outer], values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name in model.model_fields}


def _entry_values(model: type[Entry]) -> dict[str, object]:
    header, desk = request_header_bytes(), signing_key(DESK, KeyPurpose.REQUEST)
    answer = answer_header(body_digest=digest(sealed_answer_body())).encode()
    asked = request_addendum()[0]
    released = release_addendum_of(answer_body().outcomes)[0]
    by = deed_party(model)
    return {
        "log": LOG,
        "hub": HUB,
        "t": T0 + 6 * MINUTE_MS,
        "n": drawn_id(f"entry/{model.__name__}"),
        "agency": AGENCY,
        "exchange": EXCHANGE,
        "seq": 1,
        "deadline_at": T0 + 240 * MINUTE_MS,
        "expires_at": T0 + 3 * DAY_MS,
        "request_digest": digest(header),
        "grant_digest": digest(grant().encode()),
        "answer_digest": digest(answer),
        "addendum_digest": digest(asked if "desk_sig" in model.model_fields else released),
        "policy_digest": drawn_digest("policy"),
        "rules": ["no-basis"],
        "desk_key": desk.id,
        "desk_sig": signed_by(desk, header).raw.hex(),
        "undecided": False,
        "desk_deed": drawn_digest("withdraw"),
        "by": by,
        "deed_key": signing_key(by, KeyPurpose.DEED).id,
        "sig": "0" * 128,
        "enquiries": [drawn_id("enquiry")],
        "member": "agency",
        "change": "admitted",
        "root": signing_key(AGENCY, KeyPurpose.ROOT).id,
        "entries": 12,
        "extract_by": "ig_lead",
        "entry_type": "request",
        "entry_hash": drawn_digest("leaf"),
        "sender": COORDINATOR,
        "act": ReviewAct.RELEASED,
        "reviewer": ReviewRole.DUTY_REVIEWER,
        "check": "signature_invalid",
        "message_digest": drawn_digest("message"),
        "step": "admitted",
        "statement_digest": digest(party(AGENCY).frame),
        "file_digest": drawn_digest("admission reply"),
        "number": 2,
        "valid_from": T0 + DAY_MS,
        "version": 7,
        "directory_digest": drawn_digest("directory"),
        **_broken_glass_values(header),
    }


def _broken_glass_values(header: bytes) -> dict[str, object]:
    return {
        "until": T0 + 120 * MINUTE_MS,
        "lifted": ["R4-below-threshold-content"],
        "manager_key": signing_key(MANAGER, KeyPurpose.OFFICER).id,
        "manager_sig": sign_as_officer(signing_key(MANAGER, KeyPurpose.OFFICER), digest(header)).raw.hex(),
        "break_glass": drawn_digest("break-glass"),
        "finding": ReviewFinding.JUSTIFIED,
        "lead_key": signing_key(LEAD, KeyPurpose.OFFICER).id,
        "lead_sig": sign_as_officer(
            signing_key(LEAD, KeyPurpose.OFFICER),
            review_digest(drawn_digest("break-glass"), ReviewFinding.JUSTIFIED),
        ).raw.hex(),
    }


def _outer_values(model: type[Outer]) -> dict[str, object]:
    return {
        "hub": HUB,
        "sender": COORDINATOR,
        "receiver": AGENCY,
        "message_key": signing_key(COORDINATOR, KeyPurpose.MESSAGE).id,
        "message_id": drawn_id(f"outer/{model.__name__}"),
        "sent_at": T0 + 7 * MINUTE_MS,
        "expires_at": T0 + 3 * DAY_MS,
        "epoch": drawn("epoch", 16).hex(),
        "parts": [drawn_digest("part")],
        "exchange": EXCHANGE,
        "last_seq": 1,
        "acknowledges": drawn_id("outer/Delivery"),
        "acknowledged_digest": drawn_digest("delivery"),
        "code": "committed",
        "mirror_size": 120,
        "size": 128,
        "start": 120,
        "number": 2,
        "version": 7,
        "wanted": [COORDINATOR],
        "challenge_digest": drawn_digest("challenge"),
        "token": party(AGENCY).token,
        "rate": 4000,
    }
