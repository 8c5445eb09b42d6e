"""Vectors of policy versions: statements with their files, sound and broken in one way each."""

from __future__ import annotations

import base64
from typing import Final

from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, pack, signed, unpack
from schemas.messages.policy import PolicyStatement, pack_policy_files, policy_digest, sign_policy
from schemas.vectors.formats import Case
from schemas.vectors.parties import DAY_MS, HUB, IG_OFFICER, OFFICER, T0, signing_key
from schemas.vocabulary import Nation

FILES: Final = {
    "hub.cedarschema": b"entity Officer;\n",
    "legal-bases.toml": b"# none\n",
    "10-rules.cedar": b"permit (principal, action, resource);\n",
    "pack.toml": 'title = "Cytundeb rhannu \u0175"\n'.encode(),
}
_KEY: Final = signing_key(IG_OFFICER, KeyPurpose.POLICY)


def policy_files() -> bytes:
    """The files of the vectors' version."""
    return pack_policy_files(FILES)


def policy_statement(**changes: object) -> PolicyStatement:
    """The second version, which follows on `first`."""
    stated = PolicyStatement(
        hub=HUB,
        number=2,
        policy_digest=policy_digest(FILES),
        nation=Nation.WALES,
        pack="example",
        pack_version=4,
        valid_from=T0 + DAY_MS,
        previous=digest(_first().encode()),
        made_at=T0,
        officer=IG_OFFICER,
        officer_key=_KEY.id,
    )
    return stated.model_copy(update=changes)


def policy_vectors() -> list[Case]:
    """Each a frame and files as base64, and what reading them must end in."""
    sound, stated, files = sign_policy(policy_statement(), _KEY), policy_statement(), policy_files()
    command, other = signing_key(IG_OFFICER, KeyPurpose.COMMAND), signing_key(OFFICER, KeyPurpose.OFFICER)
    envelope = unpack(sound)
    by_other = policy_statement(officer=OFFICER, officer_key=other.id)
    edited = pack_policy_files({**FILES, "10-rules.cedar": b"forbid (principal, action, resource);\n"})
    cases = [
        ("sound", sound, files, "ok"),
        ("of another hub", _again(hub="other-hub"), files, "policy_foreign"),
        ("changed", pack(policy_statement(number=3).encode(), envelope.signatures), files, "signature_invalid"),
        ("not signed", pack(stated.encode()), files, "policy_signer_refused"),
        ("signed with the key for commands", signed(stated.encode(), [command]), files, "signature_missing"),
        ("naming the key for commands", _again(officer_key=command.id), files, "key_unknown"),
        ("by an officer in another role", signed(by_other.encode(), [other]), files, "policy_signer_refused"),
        ("by an officer whom nobody knows", _again(officer="o-000000"), files, "policy_signer_unknown"),
        ("made before its key began", _again(made_at=T0 - 2 * DAY_MS), files, "key_not_in_force"),
        ("with a part", pack(envelope.header, envelope.signatures, [b""]), files, "part_mismatch"),
        ("with other files", sound, edited, "policy_files_differ"),
        ("with a number that is not the next", _again(number=3), files, "policy_out_of_order"),
        ("following on another statement", _again(previous="00" * 32), files, "policy_out_of_order"),
        ("in force before the one before it", _again(valid_from=T0 - 1), files, "policy_out_of_order"),
    ]
    before = _b64(sign_policy(_first(), _KEY))
    return [
        {"name": name, "frame": _b64(frame), "files": _b64(raw), "before": before, "expect": expect}
        for name, frame, raw, expect in cases
    ]


def _first() -> PolicyStatement:
    return PolicyStatement(
        hub=HUB,
        number=1,
        policy_digest=policy_digest({**FILES, "10-rules.cedar": b"// none\n"}),
        nation=Nation.WALES,
        pack="example",
        pack_version=3,
        valid_from=T0,
        made_at=T0,
        officer=IG_OFFICER,
        officer_key=_KEY.id,
    )


def _again(**changes: object) -> bytes:
    return sign_policy(policy_statement(**changes), _KEY)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
