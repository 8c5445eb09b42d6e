"""Vectors of the directory: sound ones, and ones that fail a check of SPEC 10.1."""

from __future__ import annotations

import base64
from functools import cache
from typing import Final

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, pack, signed, unpack
from schemas.messages.directory import DirectoryStatement, line_of, state_directory
from schemas.vectors.formats import Case
from schemas.vectors.parties import (
    ADMISSION,
    AGENCY,
    COORDINATOR,
    DAY_MS,
    DESK,
    HUB,
    T0,
    drawn,
    drawn_digest,
    party,
    signing_key,
)

_DIRECTORY_KEY: Final = signing_key(ADMISSION, KeyPurpose.DIRECTORY)


@cache
def directory(version: int = 7, previous: str | None = None) -> tuple[bytes, bytes]:
    """A directory of the four parties of the vectors: frame and lines."""
    listed = [line_of(party(name)) for name in (DESK, COORDINATOR, ADMISSION, AGENCY)]
    return state_directory(
        HUB,
        listed,
        version=version,
        previous=previous,
        issued_at=T0,
        expires_at=T0 + 5 * DAY_MS,
        key=_DIRECTORY_KEY,
    )


def directory_vectors() -> list[Case]:
    """Directories, to be read by somebody who holds the vectors' parties and version 7, a minute after T0."""
    frame, lines = directory()
    envelope = unpack(frame)
    held = envelope.digest
    stated = DirectoryStatement.model_validate_json(envelope.header)
    swapped = lines.replace(line_of(party(DESK)).statement_digest.encode(), drawn_digest("another").encode())
    other = SigningKey.from_seed(KeyPurpose.DIRECTORY, drawn("another directory key", 32))
    cases: list[tuple[str, bytes, bytes, str]] = [
        ("the one held", frame, lines, "ok"),
        ("the next", *directory(8, held), "ok"),
        (
            "that says which authorities the bus has",
            _again(stated, lines, authorities=held, version=8, previous=held),
            lines,
            "ok",
        ),
        ("with authorities that are no digest", _again(stated, lines, authorities="mine"), lines, "field_invalid"),
        ("one after some that were missed", *directory(12, drawn_digest("unseen")), "ok"),
        ("an older one", *directory(6), "directory_older"),
        ("another of the same version", _again(stated, lines, previous=held), lines, "directory_forked"),
        ("one that follows on another", *directory(8, drawn_digest("other")), "directory_forked"),
        ("of another hub", _again(stated, lines, hub="other-hub"), lines, "directory_foreign"),
        ("over", _again(stated, lines, issued_at=T0 - DAY_MS, expires_at=T0), lines, "directory_expired"),
        ("from the future", _again(stated, lines, issued_at=T0 + DAY_MS), lines, "directory_untimely"),
        ("valid for too long", _again(stated, lines, expires_at=T0 + 31 * DAY_MS), lines, "directory_untimely"),
        ("without a signature", pack(envelope.header), lines, "directory_malformed"),
        ("with its lines inside", pack(envelope.header, envelope.signatures, [lines]), lines, "directory_malformed"),
        ("by a key nobody stated", signed(_by(stated, other), [other]), lines, "key_unknown"),
        ("by another key than it names", signed(envelope.header, [other]), lines, "signature_missing"),
        ("with other lines", frame, swapped, "part_mismatch"),
        ("with lines that it names and that are no lines", _again(stated, b"{}"), b"{}", "version_unknown"),
    ]
    mine = {"held": _b64(frame), "held_lines": _b64(lines)}
    return [
        {"name": name, "frame": _b64(raw), "lines": _b64(listed), **mine, "expect": expect}
        for name, raw, listed, expect in cases
    ]


def _again(stated: DirectoryStatement, lines: bytes, **changes: object) -> bytes:
    named = stated.model_copy(update={"lines_digest": digest(lines), **changes})
    return signed(named.encode(), [_DIRECTORY_KEY])


def _by(stated: DirectoryStatement, key: SigningKey) -> bytes:
    return stated.model_copy(update={"directory_key": key.id}).encode()


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
