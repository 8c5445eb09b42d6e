"""Vectors of policy versions: statements with their files, sound and broken in one way each."""

from __future__ import annotations

import base64
from typing import Final

from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, pack, signed, unpack
from schemas.messages.policy import PolicyStatement, pack_policy_files, policy_digest, sign_policy
from schemas.vectors.formats import Case
from schemas.vectors.parties import DAY_MS, HUB, IG_OFFICER, MINUTE_MS, OFFICER, T0, drawn_digest, signing_key
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


def policy_grants() -> list[Case]:
    """Versions that are held, a grant's policy, and the version that its request states; what the grant is worth."""
    of: dict[int, Case] = {
        number: {
            "number": number,
            "statement_digest": drawn_digest(f"statement {number}"),
            "policy_digest": drawn_digest(policy),
            "valid_from": T0 + begins * DAY_MS,
        }
        for number, policy, begins in ((1, "a", 0), (2, "b", 1), (3, "a", 2))
    }
    other = {"number": 2, "statement_digest": drawn_digest("another statement 2")}
    a, b, at = drawn_digest("a"), drawn_digest("b"), T0 + DAY_MS + MINUTE_MS
    cases: list[tuple[str, list[int], str, int, int | Case | None, str]] = [
        ("by the version in force", [1, 2], b, at, None, "ok"),
        ("by the version that is stated", [1, 2], b, at, 2, "ok"),
        ("by a later version than is stated", [1, 2], b, at, 1, "ok"),
        ("by a version just over, and nothing is stated", [1, 2], a, at, None, "ok"),
        ("by a version just over, and the next is stated", [1, 2], a, at, 2, "policy_not_in_force"),
        ("by a version long over", [1, 2], a, at + DAY_MS // 2, None, "policy_not_in_force"),
        ("the version that is stated is not held", [1], a, at, 2, "policy_unknown"),
        ("no version of that policy is held", [1], b, at, 1, "policy_unknown"),
        ("the version that followed is not held", [1, 3], a, at, 1, "policy_unknown"),
        ("by the policy of a version that is over and of a later one", [1, 2, 3], a, T0 + 2 * DAY_MS, 3, "ok"),
        ("another statement is held under the number that is stated", [1, 2], b, at, other, "policy_doubled"),
    ]
    return [
        {
            "name": name,
            "held": [of[number] for number in held],
            "policy_digest": named,
            "at": made_at,
            "stated": {name: of[stated][name] for name in other} if isinstance(stated, int) else stated,
            "expect": expect,
        }
        for name, held, named, made_at, stated, expect in cases
    ]


def glass_vectors() -> list[Case]:
    """What a version's `agreements.toml` says of broken glasses, and a glass that is broken under it."""
    said = "[break_glass]\nat_most_hours = 6\nreview_within_hours = 48\n"
    hour = 60 * MINUTE_MS
    cases = [
        ("as long as is agreed", said, 6 * hour, "ok"),
        ("a moment longer", said, 6 * hour + 1, "glass_not_agreed"),
        ("nothing is said of it", "", hour, "glass_not_agreed"),
        ("longer than any hub may agree", said.replace("6", "25"), hour, "glass_not_agreed"),
        ("a review later than any hub may agree", said.replace("48", "121"), hour, "glass_not_agreed"),
        ("hours that are no whole number", said.replace("6", "6.5"), hour, "glass_not_agreed"),
        ("a key that there is not", said + "other = 1\n", hour, "glass_not_agreed"),
    ]
    return [
        {"name": name, "agreements": text, "lasts_ms": lasts_ms, "expect": expect}
        for name, text, lasts_ms, expect in cases
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
