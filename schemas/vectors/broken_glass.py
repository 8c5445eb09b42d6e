"""Requests for which a manager broke the glass: whole frames with three signatures, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from schemas.canonical import without_member
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import Signature, digest, pack
from schemas.messages.request import (
    BODY_DIGEST,
    BreakGlass,
    BreakGlassTold,
    OfficerNamed,
    RequestBody,
    RequestHeader,
    RequestTold,
    open_body,
    request_digest,
    seal_body,
    sign_as_officer,
)
from schemas.vectors.formats import Case
from schemas.vectors.kept import keep
from schemas.vectors.keys import b64
from schemas.vectors.parties import AGENCY, DESK, MANAGER, MINUTE_MS, OFFICER, T0, identity, signing_key
from schemas.vectors.samples import EXCHANGE, TOLD, keep_addendum, request_header, request_signatures

BROKEN: Final = BreakGlass(
    manager=MANAGER, manager_key=signing_key(MANAGER, KeyPurpose.OFFICER).id, until=T0 + 120 * MINUTE_MS
)
BROKEN_TOLD: Final = TOLD.model_copy(
    update={
        "break_glass": BreakGlassTold(
            manager=OfficerNamed(id=MANAGER, name="A Manager", position="Team manager"), reason="A made-up emergency."
        )
    }
)


def broken_glasses() -> Iterator[Case]:
    """Frames, with the keys to check them by."""
    header, parts = _header_bytes(), [_sealed_body(), _addendum()[0]]
    desk, officer = request_signatures(header)
    manager = _word(MANAGER, header)
    cases = [
        ("sound", [desk, officer, manager], "ok"),
        ("no manager's signature", [desk, officer], "signature_missing"),
        ("the manager's signature twice", [desk, officer, manager, manager], "signature_missing"),
        ("the manager's word for another request", [desk, officer, _word(MANAGER, b"{}")], "signature_invalid"),
        (
            "the officer in the manager's place",
            [desk, officer, Signature(manager.key_id, officer.raw)],
            "signature_invalid",
        ),
    ]
    keys = {
        "desk_public_hex": signing_key(DESK, KeyPurpose.REQUEST).public.raw.hex(),
        "officer_public_hex": signing_key(OFFICER, KeyPurpose.OFFICER).public.raw.hex(),
        "manager_public_hex": signing_key(MANAGER, KeyPurpose.OFFICER).public.raw.hex(),
        "seal_seed_hex": identity(AGENCY, KeyPurpose.SEAL).seed().hex(),
    }
    for name, words, expect in cases:
        raw = b64(pack(header, words, parts))
        yield {"name": f"break-glass: {name}", "frame": "request", "raw": raw, **keys, "expect": expect}


def _word(officer: str, header: bytes) -> Signature:
    return sign_as_officer(signing_key(officer, KeyPurpose.OFFICER), request_digest(header))


def _header(**changes: object) -> RequestHeader:
    return request_header(break_glass=BROKEN, addendum_digest=digest(_addendum()[0]), **changes)


def _header_bytes() -> bytes:
    return _header(body_digest=digest(_sealed_body())).encode()


def _addendum() -> tuple[bytes, bytes]:
    return keep_addendum("break-glass-addendum", RequestTold(exchange=EXCHANGE, told=BROKEN_TOLD).encode())


def _body() -> RequestBody:
    return RequestBody(exchange=EXCHANGE, told=BROKEN_TOLD, addendum_key=_addendum()[1].hex())


@cache
def _sealed_body() -> bytes:
    whole, opener = _header().encode(), identity(AGENCY, KeyPurpose.SEAL)
    bare = without_member(whole, BODY_DIGEST)
    return keep(
        "break-glass-body",
        lambda: seal_body(bare, _body(), opener.public),
        lambda raw: open_body(whole, raw, opener) == _body(),
    )
